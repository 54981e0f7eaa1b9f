# Needs python3 >= 3.11 with venv, and the package index. Everything else is put into .venv and .tox.

PYTHON ?= python3
PORT ?= 8000

VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python
ADDRESS := http://127.0.0.1:$(PORT)/
SERVE := $(BIN)/python -m uvicorn --host 127.0.0.1 --port $(PORT)
MANAGE := PYTHONPATH=. $(BIN)/python examples/django_site/manage.py

# Python's own builds are not on the package index: the interpreters of the machine are used.
export UV_PYTHON_DOWNLOADS := never

.PHONY: help demo demo-django test test-all bench assets clean

help:
	@echo "make demo         the FastAPI example on $(ADDRESS)   (PORT=8000)"
	@echo "make demo-django  the Django example on $(ADDRESS)    (PORT=8000)"
	@echo "make test         lint, types and the whole suite on the built wheel"
	@echo "make test-all     the same on every Python and Django that is supported and found here"
	@echo "make bench        the benchmarks, against hand-written endpoints"
	@echo "make assets       component.js from its source (needs npm)"

demo: $(VENV)/.demo
	@echo "Serving the FastAPI example on $(ADDRESS) (Ctrl-C stops it)"
	@exec $(SERVE) examples.fastapi_app.main:app

demo-django: $(VENV)/.demo
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) seed
	@echo "Serving the Django example on $(ADDRESS) (Ctrl-C stops it)"
	@exec $(SERVE) --app-dir examples/django_site config.asgi:application

# Each Python is tested with the newest Django that runs on it; tox closes with the time of every phase.
test: $(VENV)/.tox
	$(BIN)/tox run -e lint,types,$$($(BIN)/python -c "import sys; v = sys.version_info.minor; print(f'py3{v}-django' + ('52' if v == 11 else '61'))")

test-all: $(VENV)/.tox
	$(BIN)/tox run

bench: $(VENV)/.bench
	@$(BIN)/python -m benchmarks

assets:
	$(PYTHON) scripts/build_assets.py

clean:
	rm -rf $(VENV) .tox dist

$(BIN)/uv:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed; set PYTHON=… to name one')"
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.tox: $(BIN)/uv
	@$(UV) "tox>=4.25" "tox-uv>=1.20"
	@touch $@

$(VENV)/.demo: $(BIN)/uv pyproject.toml
	@echo "Installing what the examples need"
	@$(UV) --editable ".[demo]"
	@touch $@

$(VENV)/.bench: $(BIN)/uv pyproject.toml
	@$(UV) --editable ".[all]" --group bench
	@touch $@
