"""The site for WSGI servers."""

import os
import sys
from pathlib import Path

SITE = Path(__file__).resolve().parent.parent
sys.path[:0] = [path for path in (str(SITE), str(SITE.parent.parent)) if path not in sys.path]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.wsgi import get_wsgi_application  # noqa: E402  # the path has to be there first

application = get_wsgi_application()
