"""Server components for Django, FastAPI and Litestar."""

import typing as _typing

from .core.bound import Bound as Bound
from .core.calls import call as call
from .core.component import Component as Component
from .core.component import Context as Context
from .core.component import StreamingComponent as StreamingComponent
from .core.engine import Engine as Engine
from .core.errors import BrowserError as BrowserError
from .core.errors import Conflict as Conflict
from .core.errors import Forbidden as Forbidden
from .core.errors import Invalid as Invalid
from .core.errors import NotFound as NotFound
from .core.errors import SessionClosed as SessionClosed
from .core.gate import limit_rate as limit_rate
from .core.gate import requires as requires
from .core.limits import Limits as Limits
from .core.outcomes import outcome as outcome
from .core.providing import Provided as Provided
from .core.registry import Registry as Registry
from .core.registry import register as register
from .core.registry import registry as registry
from .core.schema import Email as Email
from .core.schema import Input as Input
from .core.schema import LongText as LongText
from .core.schema import Password as Password
from .core.secret import ServerOnly as ServerOnly
from .core.store import MemoryStateStore as MemoryStateStore
from .core.uploads import Limit as Limit
from .core.uploads import Upload as Upload

if _typing.TYPE_CHECKING:
    from .core.broker import MemoryBroker as MemoryBroker
    from .core.forms import FormComponent as FormComponent
    from .core.model import ModelMixin as ModelMixin
    from .core.mounted import Mounted as Mounted
    from .core.session import Session as Session
    from .core.wizard import WizardComponent as WizardComponent
    from .development import run as run

__version__ = "0.1.0"

_LATER = {
    "FormComponent": "core.forms",
    "MemoryBroker": "core.broker",
    "ModelMixin": "core.model",
    "Mounted": "core.mounted",
    "Session": "core.session",
    "WizardComponent": "core.wizard",
    "run": "development",
}


def __getattr__(name: str) -> object:
    """Names whose modules need asyncio or an extra, or that only some applications use: imported when asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_LATER[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
