"""Finds a Chromium: CHROMIUM, the path, Debian's package (as root), npm's @sparticuz/chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

NPM_FOLDER = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "live-component-framework", "chromium")
"""Where npm's package is kept, so that it is downloaded once and not once per run."""

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
    _run("apt-get", "update", "-qq")  # may fail for one of several sources: what counts is the package
    _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium")
    return _on_path()


def _from_npm() -> str | None:
    if shutil.which("npm") is None:
        return None
    NPM_FOLDER.mkdir(parents=True, exist_ok=True)
    if _run("npm", "install", "--silent", "--prefix", str(NPM_FOLDER), "@sparticuz/chromium") is None:
        return None
    script = "import('@sparticuz/chromium').then(async m => console.log(await m.default.executablePath()))"
    return _run("node", "-e", script, cwd=NPM_FOLDER)


def _run(*command: str, cwd: Path | None = None) -> str | None:
    """What `command` writes, or None if it fails."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600)
    return done.stdout.strip() if done.returncode == 0 else None
