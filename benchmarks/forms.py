"""A form that is refused and shown with its errors, and a row that is saved: as components, and by hand."""

import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from http.client import HTTPConnection
from pathlib import Path
from typing import Annotated, Any, Literal

import jinja2
import pydantic
from itsdangerous import URLSafeTimedSerializer
from pydantic import Field

from component_framework import Engine, FormComponent, Registry
from component_framework.adapters.jinja import JinjaRenderer

WRONG = "name=Ada&email=ada%40example.org&age=7&plan=gold&seats=2&about=two+lines"
"""What every form is sent: two of its fields are wrong."""
STATE = re.compile(r'data-state="([^"]*)"')
VERSION = re.compile(r'name="version" value="(\d+)"')

# -- FastAPI -----------------------------------------------------------------------------------------------------------


class Account(pydantic.BaseModel):
    """What both forms on FastAPI ask for."""

    name: Annotated[str, Field(max_length=60, title="Name")]
    email: Annotated[str, Field(max_length=60, pattern=r"^\S+@\S+$", title="E-mail")]
    age: Annotated[int, Field(ge=18, title="Age")]
    plan: Annotated[Literal["free", "team"], Field(title="Plan")] = "free"
    seats: Annotated[int, Field(ge=1, le=50, title="Seats")] = 1
    about: Annotated[str, Field(max_length=500, title="About")] = ""


BY_HAND = """{% macro field(name, label, type="text") %}
<div class="field"><label for="id-{{ name }}">{{ label }}</label>
<input type="{{ type }}" id="id-{{ name }}" name="{{ name }}" value="{{ values[name] or "" }}" required
 {% if errors[name] %}aria-invalid="true" aria-describedby="{{ name }}-errors"{% endif %} hx-post="/form/check" hx-trigger="change">
<div id="{{ name }}-errors" class="errors">{% for text in errors[name] or [] %}<p>{{ text }}</p>{% endfor %}</div></div>
{% endmacro %}"""
# the markup that the component gives: the same labels, constraints, errors and bindings, with their words written into the template
FORM = """{% macro state(name) %}{% if errors[name] %} aria-invalid="true" aria-describedby="{{ id }}-f0-{{ name }}-errors"{% endif %}
{%- if name == focused %} autofocus="autofocus"{% endif %} hx-post="/form/check"
 hx-vals="{&quot;_field&quot;:&quot;{{ name }}&quot;}" hx-trigger="change"
{%- endmacro %}
{% macro field(name, label, kind, required, constraints) %}
<div id="{{ id }}-f0-{{ name }}-field" class="cf-field cf-{{ kind }}{% if errors[name] %} cf-invalid{% endif %}">
<label for="{{ id }}-f0-{{ name }}">{{ label }}{% if required %} <span class="cf-required" aria-hidden="true">*</span>{% endif %}</label>
{% if kind == "select" %}<select id="{{ id }}-f0-{{ name }}" name="{{ name }}"{{ state(name) }}>{% for value, title in constraints %}
<option value="{{ value }}"{% if values[name] == value %} selected{% endif %}>{{ title }}</option>{% endfor %}</select>
{% else %}<input type="{{ kind }}" id="{{ id }}-f0-{{ name }}" name="{{ name }}"{% if values[name] %} value="{{ values[name] }}"{% endif %}
{%- if required %} required="required"{% endif %} {{ constraints|safe }}{{ state(name) }}>{% endif %}
<div class="cf-errors" id="{{ id }}-f0-{{ name }}-errors" aria-live="polite">
{%- for text in errors[name] or [] %}<p>{{ text }}</p>{% endfor %}</div>
</div>
{% endmacro %}
<section id="{{ id }}" data-component="form" data-state="{{ token }}" data-version="{{ version }}" hx-target:inherited="this"
 hx-swap:inherited="outerMorph" hx-sync:inherited="this:queue all" hx-status:5xx:inherited="swap:none">
<form id="{{ id }}-f0" class="cf-form" novalidate method="post" action="/form/hand" hx-post="/form/hand">
<div id="{{ id }}-f0-errors" class="cf-form-errors" role="alert"></div>
{{ field("name", "Name", "text", True, 'maxlength="60"') }}
{{ field("email", "E-mail", "text", True, 'pattern="\\S+@\\S+" maxlength="60"') }}
{{ field("age", "Age", "number", True, 'step="1" min="18"') }}
{{ field("plan", "Plan", "select", False, [("free", "Free"), ("team", "Team")]) }}
{{ field("seats", "Seats", "number", False, 'step="1" max="50" min="1"') }}
{{ field("about", "About", "text", False, 'maxlength="500"') }}
<p class="cf-actions"><button type="submit" class="cf-submit">Save</button></p>
</form></section>"""
ROW = (
    BY_HAND
    + """<form id="form" hx-post="/row/hand" hx-target="this" hx-swap="outerMorph">
<input type="hidden" name="version" value="{{ version }}">{{ field("number", "Number") }}
<div class="field"><label for="id-status">Status</label><select id="id-status" name="status" hx-post="/form/check" hx-trigger="change">
{% for status in ("new", "paid") %}
<option value="{{ status }}"{% if values.status == status %} selected{% endif %}>{{ status }}</option>{% endfor %}
</select></div>{{ field("note", "Note") }}{{ field("total", "Total", "number") }}<button>Save</button></form>"""
)


def fastapi() -> Any:
    """The forms and the rows on FastAPI, with SQLAlchemy."""
    from fastapi import Depends, FastAPI, Request
    from fastapi.responses import HTMLResponse
    from sqlalchemy import Numeric, String, create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

    from component_framework.adapters.fastapi import component_router
    from component_framework.adapters.sqlalchemy import ModelComponent

    environment = jinja2.Environment(autoescape=True)
    form_template, row_template = environment.from_string(FORM), environment.from_string(ROW)
    signer = URLSafeTimedSerializer("benchmark")

    class Base(DeclarativeBase):
        pass

    class Order(Base):
        __tablename__ = "orders"
        id: Mapped[int] = mapped_column(primary_key=True)
        number: Mapped[str] = mapped_column(String(10))
        status: Mapped[str] = mapped_column(String(10), default="new")
        note: Mapped[str] = mapped_column(String(40), default="")
        total: Mapped[Decimal] = mapped_column(Numeric(8, 2), default=Decimal())
        version: Mapped[int] = mapped_column(default=1)
        __mapper_args__ = {"version_id_col": version}

    database = create_engine(f"sqlite:///{os.environ['SQLITE']}")
    Base.metadata.create_all(database)
    sessions = sessionmaker(database)
    with sessions.begin() as session:
        session.add_all([Order(number="A-1"), Order(number="A-2")])
    registry = Registry()

    @registry.register("form")
    class AccountForm(FormComponent):
        schema = Account
        template = "<section>{{ form }}</section>"

        async def on_submit(self, form: Account) -> None: ...

    @registry.register("row")
    class OrderEditor(ModelComponent):
        model = Order
        fields = ("number", "status", "note", "total")
        version_field = "version"
        template = "<section>{{ form }}</section>"
        public_params = ("pk",)

    engine = Engine(renderer=JinjaRenderer(), secret_key="benchmark", registry=registry, providers={Session: sessions})
    app = FastAPI()

    @app.post("/form/hand")
    async def form_by_hand(request: Request) -> HTMLResponse:
        sent = dict(await request.form())
        token = request.headers.get("x-component-state")
        state: dict[str, Any] = (
            signer.loads(token, max_age=86400) if token else {"id": "c-1", "version": 0, "key": 0, "touched": []}
        )
        errors: dict[str, list[str]] = {}
        try:
            Account.model_validate(sent)
        except pydantic.ValidationError as exc:
            for error in exc.errors():
                errors.setdefault(str(error["loc"][0]), []).append(error["msg"])
        state["version"] += 1
        state["submitted"] = True
        focused = next((name for name in Account.model_fields if name in errors), "")
        markup = form_template.render(
            values=sent,
            errors=errors,
            focused=focused,
            id=state["id"],
            version=state["version"],
            token=signer.dumps(state),
        )
        return HTMLResponse(markup, 422 if errors else 200)

    class Sent(pydantic.BaseModel):
        number: Annotated[str, Field(max_length=10)]
        status: Literal["new", "paid"]
        note: Annotated[str, Field(max_length=40)]
        total: Decimal
        version: int

    def get_session() -> Iterator[Session]:
        with sessions() as session:
            yield session

    async def read(request: Request) -> Sent:
        return Sent.model_validate(dict(await request.form()))

    @app.post("/row/hand")
    def row_by_hand(
        sent: Annotated[Sent, Depends(read)], session: Annotated[Session, Depends(get_session)]
    ) -> HTMLResponse:
        order = session.get_one(Order, 2)
        if order.version != sent.version:
            return HTMLResponse("Somebody else changed this.", 409)
        order.number, order.status, order.note, order.total = sent.number, sent.status, sent.note, sent.total
        session.flush()
        markup = row_template.render(values=vars(order), version=order.version, errors={})
        session.commit()
        return HTMLResponse(markup)

    app.include_router(component_router(engine))
    return app


# -- Django ------------------------------------------------------------------------------------------------------------


def django() -> Any:
    """The forms and the rows on Django, under WSGI."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.django_settings"
    from django.core.wsgi import get_wsgi_application
    from django.db import connection

    application = get_wsgi_application()
    from .models import Order

    def prepare() -> None:
        with connection.schema_editor() as editor:
            editor.create_model(Order)
        Order.objects.create(number="A-1")
        Order.objects.create(number="A-2")

    with ThreadPoolExecutor(1) as thread:  # the server calls this on its event loop
        thread.submit(prepare).result()
    return application


def django_parts() -> tuple[Engine, Callable[[Any], Any], Callable[[Any], Any]]:
    """The engine, and the views by hand: of a form, and of a row."""
    from django import forms
    from django.db import transaction
    from django.http import HttpResponse
    from django.template import engines

    from component_framework.adapters.django.models import ModelComponent
    from component_framework.adapters.django.rendering import DjangoRenderer

    from .models import Order

    class AccountForm(forms.Form):
        name = forms.CharField(max_length=60)
        email = forms.EmailField(max_length=60)
        age = forms.IntegerField(min_value=18)
        plan = forms.ChoiceField(choices=[("free", "Free"), ("team", "Team")])
        seats = forms.IntegerField(min_value=1, max_value=50)
        about = forms.CharField(max_length=500, widget=forms.Textarea, required=False)

    class OrderForm(forms.ModelForm):  # type: ignore[type-arg]
        version = forms.IntegerField(widget=forms.HiddenInput)

        class Meta:
            model = Order
            fields = ("number", "status", "note", "total")

    template = engines["django"].from_string(
        """<form id="form" hx-post="/form/hand" hx-target="this" hx-swap="outerMorph">{{ form.non_field_errors }}
{% for field in form.hidden_fields %}{{ field }}{% endfor %}{% for field in form.visible_fields %}<div class="field">
{{ field.label_tag }} {{ field }}{{ field.help_text }}<div class="errors">{{ field.errors }}</div></div>{% endfor %}
<button>Save</button></form>"""
    )

    def form_by_hand(request: Any) -> Any:
        form = AccountForm(request.POST)
        status = 200 if form.is_valid() else 422
        return HttpResponse(template.render({"form": form}, request), status=status)

    def row_by_hand(request: Any) -> Any:
        with transaction.atomic():
            order = Order.objects.get(pk=2)
            form = OrderForm(request.POST, instance=order)
            if not form.is_valid():
                return HttpResponse(template.render({"form": form}, request), status=422)
            version = form.cleaned_data["version"]
            changed = form.cleaned_data | {"version": version + 1}
            if not Order.objects.filter(pk=2, version=version).update(**changed):
                return HttpResponse("Somebody else changed this.", status=409)
        shown = OrderForm(instance=order, initial={"version": version + 1})
        return HttpResponse(template.render({"form": shown}, request))

    registry = Registry()

    @registry.register("form")
    class AccountComponent(FormComponent):
        schema = AccountForm
        template = "<section>{{ form }}</section>"

        def on_submit(self, form: Any) -> None: ...

    @registry.register("row")
    class OrderEditor(ModelComponent):
        model = Order
        fields = ("number", "status", "note", "total")
        version_field = "version"
        template = "<section>{{ form }}</section>"
        public_params = ("pk",)

    return Engine(renderer=DjangoRenderer(), secret_key="benchmark", registry=registry), form_by_hand, row_by_hand


# -- what is measured --------------------------------------------------------------------------------------------------

Measured = Callable[[], tuple[float, float]]


class Client:
    """One visitor of a form: it goes on from what the last answer showed."""

    def __init__(self, process: int, port: int, cpu: Callable[[int], float], headers: dict[str, str]) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=30)
        self._process, self._cpu, self._headers = process, cpu, headers
        self.state = self.version = ""

    def post(self, path: str, body: str, status: int = 200) -> str:
        headers = {**self._headers, "X-Component-State": self.state} if self.state else self._headers
        self._connection.request("POST", path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        assert answer.status == status, (path, answer.status, text[:300])
        self.state = found[1] if (found := STATE.search(text)) else ""
        self.version = found[1] if (found := VERSION.search(text)) else ""
        return text

    def refused(self, path: str, events: int) -> tuple[float, float]:
        """CPU and wall seconds of forms with mistakes, each shown again with its errors."""
        return self._timed(lambda number: self.post(path, WRONG, 422), events)

    def saved(self, path: str, events: int) -> tuple[float, float]:
        """CPU and wall seconds of saves that change the row."""

        def save(number: int) -> str:
            version = f"&version={self.version}" if self.version else ""
            text = self.post(path, f"number=A-1&status=paid&note=note+{number}&total=12.50{version}")
            assert f"note {number}" in text
            return text

        return self._timed(save, events)

    def _timed(self, send: Callable[[int], str], events: int) -> tuple[float, float]:
        before, begun = self._cpu(self._process), time.perf_counter()
        for number in range(events):
            send(number)
        return self._cpu(self._process) - before, time.perf_counter() - begun


SITES = (("forms_fastapi", "FastAPI"), ("forms_django", "Django, WSGI"))


def compare(
    served: Any, cpu: Callable[[int], float], headers: dict[str, str], rounds: int, events: int
) -> Iterator[tuple[str, list[float], float]]:
    """For each comparison its name, the ratios of CPU, and our events per second over theirs."""
    for app, name in SITES:
        with (
            tempfile.TemporaryDirectory() as folder,
            served(app, SQLITE=str(Path(folder) / "rows.sqlite3")) as (process, port),
        ):
            mine, theirs = (Client(process, port, cpu, headers) for _ in range(2))
            mine.post("/components/form", "")
            pairs = [(mine.refused(FORM_PATH, events), theirs.refused("/form/hand", events)) for _ in range(rounds + 1)]
            yield f"a form with mistakes, shown again, on {name}", *_ratios(pairs[1:])
            mine.state = ""
            mine.post("/components/row?pk=1", "")
            theirs.version = "1"
            pairs = [(mine.saved(ROW_PATH, events), theirs.saved("/row/hand", events)) for _ in range(rounds + 1)]
            yield f"a row of a database, saved, on {name}", *_ratios(pairs[1:])


FORM_PATH = "/components/form?event=submit"
ROW_PATH = "/components/row?event=save"


def _ratios(pairs: list[tuple[tuple[float, float], tuple[float, float]]]) -> tuple[list[float], float]:
    return [mine[0] / hand[0] for mine, hand in pairs], statistics.median(hand[1] / mine[1] for mine, hand in pairs)
