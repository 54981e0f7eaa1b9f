"""Serves one application for `tests.servers.server_process`: python -P serve.py KIND MODULE:NAME PORT."""

import sys
from pathlib import Path

HOST = "127.0.0.1"


def serve(kind: str, target: str, port: int) -> None:
    if kind == "uvicorn":
        import uvicorn

        uvicorn.run(target, host=HOST, port=port, log_level="warning")
    else:
        from granian.constants import Interfaces
        from granian.server import Server

        interface = Interfaces.WSGI if kind == "granian-wsgi" else Interfaces.ASGI
        Server(target, address=HOST, port=port, interface=interface).serve()


if __name__ == "__main__":  # granian's workers import this file again
    sys.path.append(str(Path(__file__).parent.parent))
    serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
