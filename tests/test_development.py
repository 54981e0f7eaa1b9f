"""The shortest way to see a component."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from component_framework import Registry, run
from component_framework.core.errors import ConfigurationError
from tests.servers import free_port

FIRST = """from component_framework import Component, register, run

@register("counter")
class Counter(Component):
    template = '<button {{ on("increment") }}>Count: {{ count }}</button>'
    count: int = 0
    def on_increment(self): self.count += 1

run(PORT)
"""


def test_ten_lines_are_a_counter_in_a_browser_and_control_c_ends_it(tmp_path: Path) -> None:
    assert len(FIRST.splitlines()) <= 10
    port = free_port()
    (tmp_path / "first.py").write_text(FIRST.replace("PORT", str(port)))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.getcwd(), os.environ.get("PYTHONPATH", "")])}
    process = subprocess.Popen([sys.executable, "first.py"], cwd=tmp_path, stdout=subprocess.PIPE, env=environment)
    try:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}/".encode() in process.stdout.readline()
        transport = httpx.HTTPTransport(retries=8)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport) as client:
            page = client.get("/").text
            assert "Count: 0" in page
            found = re.search('data-state="([^"]*)"', page)
            assert found is not None
            headers = {"HX-Request": "true", "X-Component-State": found[1]}
            assert "Count: 1" in client.post("/components/counter?event=increment", headers=headers).text
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_nothing_to_show_is_told() -> None:
    with pytest.raises(ConfigurationError, match="Register one"):
        run(registry=Registry())
