"""The order desk."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    """Orders, their owners and their components."""

    name = "desk"
