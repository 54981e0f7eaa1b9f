"""Make our scripts from frontend/*.js, and vendor htmx from its npm package. Needs npm.

    python scripts/build_assets.py            our scripts only
    python scripts/build_assets.py --vendor   htmx as well, and axe-core for the tests

The source's hash is kept beside the hashes of the vendored files, so that a test notices a source that was not built.
The package is taken only if its archive has the integrity hash recorded here; its files are copied unmodified.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
STATIC = ROOT / "component_framework" / "static" / "component_framework"
SOURCES = ("component.js", "live.js", "socket.js")

ESBUILD_VERSION = "0.25.12"
HTMX_VERSION = "4.0.1"
HTMX_INTEGRITY = "sha512-oF7JgXhDW9UXCy/k1ZYFUQgzu/rm19ORWPSPNL91vPluB2PB9+MV55tyQdH/w7o2EAbTYUG5SDW1R60mdkdqGg=="
AXE_VERSION = "4.14.1"
AXE_INTEGRITY = "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
AXE = ROOT / "tests" / "browser" / "vendored"
AXE_FILES = {"package/axe.min.js": "axe.min.js", "package/LICENSE": "LICENSE-axe-core.txt"}
FILES = {
    "package/dist/htmx.min.js": "htmx.min.js",
    "package/dist/ext/hx-sse.min.js": "hx-sse.min.js",
    "package/dist/ext/hx-ws.min.js": "hx-ws.min.js",
    "package/LICENSE": "LICENSE-htmx.txt",
}


def build() -> None:
    """Write our scripts, minified, and the hashes of their sources."""
    record = json.loads((STATIC / "vendored.json").read_text())
    for name in SOURCES:
        source = ROOT / "frontend" / name
        command = ["npx", "--yes", f"esbuild@{ESBUILD_VERSION}", "--minify", str(source)]
        minified = subprocess.run(command, check=True, capture_output=True).stdout
        (STATIC / name).write_bytes(minified)
        record[name] = {"source": _sha256(source), "sha256": _sha256(STATIC / name)}
    (STATIC / "vendored.json").write_text(json.dumps(record, indent=2) + "\n")


def vendor() -> None:
    """Fetch the packages, check them, and copy their files beside lists of their hashes."""
    _vendor("htmx.org", HTMX_VERSION, HTMX_INTEGRITY, "0BSD", STATIC, FILES)
    _vendor("axe-core", AXE_VERSION, AXE_INTEGRITY, "MPL-2.0", AXE, AXE_FILES)


def _vendor(package: str, version: str, integrity: str, licence: str, target: Path, files: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", f"{package}@{version}", "--silent"]
        name = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.split()[-1]
        archive = Path(folder) / name
        digest = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if digest != integrity:
            raise SystemExit(f"{package} {version} has the integrity {digest}, expected {integrity}")
        with tarfile.open(archive) as members:
            for member, file in files.items():
                content = members.extractfile(member)
                if content is None:
                    raise SystemExit(f"{member} is not in the package")
                (target / file).write_bytes(content.read())
    record = {
        "package": package,
        "version": version,
        "licence": licence,
        "integrity": integrity,
        "sha256": {name: _sha256(target / name) for name in files.values()},
    }
    (target / "vendored.json").write_text(json.dumps(record, indent=2) + "\n")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    if "--vendor" in sys.argv:
        vendor()
    build()
