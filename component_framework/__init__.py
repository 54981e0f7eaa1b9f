"""Server components for Django, FastAPI and Litestar."""

from .core.component import Component as Component
from .core.component import Context as Context
from .core.component import StreamingComponent as StreamingComponent
from .core.engine import Engine as Engine
from .core.limits import Limits as Limits
from .core.registry import Registry as Registry
from .core.registry import register as register
from .core.registry import registry as registry

__version__ = "0.1.0"
