"""The public names: a change here is a change for every user."""

import inspect

import component_framework
from component_framework import Engine

NAMES = {
    "Bound", "BrowserError", "Component", "Conflict", "Context", "Email", "Engine", "Forbidden", "FormComponent", "Input", "Invalid", "Limits", "MemoryStateStore", "ModelMixin", "NotFound",
    "Limit", "Upload", "MemoryBroker", "Mounted", "Session", "run", "Provided", "LongText", "Password", "WizardComponent",
    "Registry", "ServerOnly", "SessionClosed", "StreamingComponent", "call", "limit_rate", "outcome", "register", "registry", "requires",
}  # fmt: skip


def test_the_package_exports_these_names() -> None:
    public = {name for name in dir(component_framework) if not name.startswith("_")}
    assert all(hasattr(component_framework, name) for name in public)
    assert (
        public
        - {"core", "adapters", "testing", "markup", "exchange", "apps", "templatetags", "development", "contracts"}
        == NAMES
    )


def test_an_engine_takes_these_options() -> None:
    assert list(inspect.signature(Engine).parameters) == [
        "renderer", "secret_key", "registry", "url", "static_url", "limits", "debug", "identify", "authorize", "has_permission",
        "rate_limiter", "login_url", "trusted_origins", "trusted_proxies", "store", "state", "cipher", "broker", "socket", "providers", "clock", "new_id",
    ]  # fmt: skip
