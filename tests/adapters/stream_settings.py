"""Django's settings for the servers of test_streams."""

from tests.adapters.django_settings import *  # noqa: F403  # the settings of the other tests, but for these

MIDDLEWARE = []
COMPONENT_FRAMEWORK = {
    "REGISTRY": "tests.adapters.stream_apps.registry",
    "RENDERER": "component_framework.adapters.jinja.JinjaRenderer",
}
