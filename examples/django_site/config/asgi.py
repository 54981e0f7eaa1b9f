"""The site for ASGI servers."""

import os
import sys
from pathlib import Path

SITE = Path(__file__).resolve().parent.parent
sys.path[:0] = [path for path in (str(SITE), str(SITE.parent.parent)) if path not in sys.path]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from component_framework.adapters.django.asgi import get_asgi_application  # noqa: E402  # the path has to be there first

application = get_asgi_application()
