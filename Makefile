# Nothing is needed but python3 (3.11 or newer, with venv) and make: everything else goes into .venv and .tox.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
export UV_PYTHON_DOWNLOADS := never

MINOR := $(shell $(PYTHON) -c 'import sys; print(f"3{sys.version_info[1]}")')
TEST_ENV := py$(MINOR)-django$(if $(filter 311,$(MINOR)),52,61)

.PHONY: help demo demo-django demo-litestar test test-all bench assets clean

help:
	@sed -n 's/^\([a-z-]*\):.*## */make \1\t/p' Makefile | expand -t 20

demo: $(BIN)/demo-ready        ## the FastAPI example, with its own database
	@echo "Serving on http://127.0.0.1:$(PORT)"
	@$(BIN)/python -m uvicorn examples.fastapi_app.main:app --host 127.0.0.1 --port $(PORT)

demo-django: $(BIN)/demo-ready $(if $(DATABASE_URL),$(BIN)/postgres-ready) ## the Django site, migrated and with data; DATABASE_URL=postgres://…
	@$(BIN)/python examples/django_site/manage.py migrate --verbosity 0
	@$(BIN)/python examples/django_site/manage.py seed
	@echo "Serving on http://127.0.0.1:$(PORT)"
	@cd examples/django_site && PYTHONPATH=../.. $(CURDIR)/$(BIN)/python -m uvicorn config.asgi:application --host 127.0.0.1 --port $(PORT)

demo-litestar: $(BIN)/demo-ready ## the same components as the FastAPI example, served by Litestar
	@echo "Serving on http://127.0.0.1:$(PORT)"
	@$(BIN)/python -m uvicorn examples.litestar_app:app --host 127.0.0.1 --port $(PORT)

# tox closes with the time that each phase took
test: $(BIN)/tox               ## everything that must hold, on the built wheel
	$(BIN)/tox run -e $(TEST_ENV),lint,types

test-all: $(BIN)/tox           ## every Python and Django, and the lowest versions
	$(BIN)/tox run

bench: $(BIN)/tox              ## the ratios of docs/performance.md
	$(BIN)/tox run -e bench

assets:                        ## component.js, and htmx from its npm package
	$(PYTHON) scripts/build_assets.py --vendor

clean:
	rm -rf $(VENV) .tox .mypy_cache .ruff_cache .pytest_cache dist

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(BIN)/tox: $(BIN)/uv
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet "tox>=4.24" "tox-uv>=1.20"
	@touch $@

$(BIN)/demo-ready: $(BIN)/uv pyproject.toml
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --editable '.[demo]'
	@touch $@

$(BIN)/postgres-ready: $(BIN)/uv pyproject.toml
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --group postgres
	@touch $@
