"""The order desk."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    """Orders, their owners and their components."""

    name = "desk"

    def ready(self) -> None:
        """Let the engine hear of what pages say, and of how busy the machine is."""
        from component_framework.adapters.django.conf import get_engine
        from examples.shared import machine, room

        machine.watch(get_engine())
        room.listen(get_engine())
