"""`{% live_component %}`, `{% on %}`, `{% component_fields %}` and `{% component_scripts %}`; no {% load %} is needed."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.template import Context, Library
from django.utils.functional import Promise
from django.utils.safestring import SafeString

from ..adapters.django.conf import get_engine
from ..adapters.django.rendering import rendering
from ..adapters.django.requests import page_context
from ..adapters.django.views import offload
from ..core.errors import BindingError, ConfigurationError
from ..core.lifecycle import in_event_loop

register = Library()


@register.simple_tag(takes_context=True)
def live_component(context: Context, name: str, **params: Any) -> SafeString:
    """The component `name`, mounted with `params`: `{% live_component "order_editor" pk=order.id %}`."""
    name, params = str(name), _plain(params)
    if (bound := _bound(context, "live_component")) is not None:
        return _safe(bound(name, **params))
    engine = get_engine()
    page = page_context(engine, _request(context, "live_component"))
    if engine.waits(name) and not in_event_loop():
        # its template, and whatever else of it is sync, runs in this thread, where the database may be asked
        frame = async_to_sync(engine.show_other)(name, target=None, params=params, context=page, offload=offload)
        return _safe(frame.html)
    return _safe(engine.mount(name, context=page, **params))


@register.simple_tag(takes_context=True)
def on(context: Context, event: str, **args: Any) -> SafeString:
    """The attributes that send `event`: `<button {% on "increment" by=2 %}>`."""
    bound = _bound(context, "on")
    if bound is None:
        raise BindingError(f'{{% on "{event}" %}} belongs into the template of a component: there is none around it.')
    return _safe(bound(event, **_plain(args)))


@register.simple_tag(takes_context=True)
def component_fields(context: Context) -> SafeString:
    """Hidden fields with the state, for a form that is to work without component.js."""
    bound = _bound(context, "component_fields")
    if bound is None:
        raise BindingError("{% component_fields %} belongs into the template of a component: there is none around it.")
    return _safe(bound())


@register.simple_tag(takes_context=True)
def component_scripts(context: Context, nonce: str | None = None) -> SafeString:
    """The tags that load htmx and the framework's script; for the page's head."""
    engine = get_engine()
    return _safe(engine.scripts(nonce, page_context(engine, _request(context, "component_scripts"))))


@register.simple_tag(takes_context=True)
def cotton_live(context: Context, attrs: Any) -> SafeString:
    """What `<c-cf.live name="order_editor" :pk="order.id" />` does with its attributes."""
    params = {key.replace("-", "_"): value for key, value in attrs.attrs_dict().items()}
    if "name" not in params:
        raise ConfigurationError('<c-cf.live> needs the name of a component: <c-cf.live name="counter" />.')
    params.pop("request", None)  # for _request(), where `only` hides the page's
    return live_component(context, params.pop("name"), **params)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """`values` with plain text in them: Django's literals are marked as safe, and its translations are lazy."""
    return {
        name: "".join(str(value)) if isinstance(value, (SafeString, Promise)) else value
        for name, value in values.items()
    }


def _safe(markup: str) -> SafeString:
    """The engine's own markup, in which every variable has been escaped."""
    return SafeString(markup)


def _bound(context: Context, name: str) -> Any:
    """The function of the component whose template this is, in the Cotton components inside it, too."""
    variables = rendering.get()
    return context.get(name) if variables is None else variables[name]


def _request(context: Context, tag: str) -> Any:
    request = context.get("request") or getattr(context, "request", None)
    if request is None:
        raise ConfigurationError(
            f"{{% {tag} %}} needs the request. Render the page with render(request, …), and keep "
            "django.template.context_processors.request in settings.TEMPLATES. A Cotton component with `only` hides it "
            'from its own template: give it :request="request".'
        )
    return request
