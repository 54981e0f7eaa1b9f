"""Components about one object of a SQLAlchemy model."""

from __future__ import annotations

from typing import Any

try:
    from sqlalchemy.orm import Session
except ImportError as exc:
    raise ImportError("SQLAlchemy is not installed. Run: pip install 'live-component-framework[demo]'") from exc

from ..core.errors import ConfigurationError, NotFound
from ..core.model import ModelMixin


class SqlAlchemyModelMixin(ModelMixin):
    """`model`, and the object that `self.params["pk"]` names, in the session that `get_session()` gives."""

    params: dict[str, Any]
    instance: Any

    def get_session(self) -> Session:
        """The session to work in."""
        raise ConfigurationError(
            f"{type(self).__qualname__}.get_session() is not written: return a SQLAlchemy Session."
        )

    def get_instance(self) -> Any:
        """The object with the param `pk`, or a new one without it; raises NotFound where there is none."""
        pk = self.params.get("pk")
        if pk is None:
            return self.model()
        found = self.get_session().get(self.model, pk)
        if found is None:
            raise NotFound(f"there is no {self.model.__name__} {pk!r}")
        return found

    def save_instance(self) -> None:
        """Add `self.instance` to the session and commit."""
        session = self.get_session()
        session.add(self.instance)
        session.commit()
