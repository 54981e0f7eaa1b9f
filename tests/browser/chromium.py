"""Finds a Chromium: CHROMIUM, the path, Debian's package (as root), npm's @sparticuz/chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import cache

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@cache
def find() -> str | None:
    """The path of a Chromium; None where there is none and none can be had."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    return _on_path() or _from_debian() or _from_npm()


def _on_path() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _from_debian() -> str | None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
        if subprocess.run(command, env=environment, capture_output=True, timeout=600).returncode:
            return None
    return _on_path()


def _from_npm() -> str | None:
    if shutil.which("npm") is None:
        return None
    folder = tempfile.mkdtemp()
    subprocess.run(["npm", "install", "--silent", "@sparticuz/chromium"], cwd=folder, capture_output=True, timeout=600)
    script = "import('@sparticuz/chromium').then(async m => console.log(await m.default.executablePath()))"
    found = subprocess.run(["node", "-e", script], cwd=folder, capture_output=True, text=True)
    return found.stdout.strip() or None
