"""How busy the machine is, on every page that shows it: read twice a second, rendered once, pushed to all."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import msgspec

from component_framework import Component, Engine, register

from .load import Load, Meter

SECONDS = 30
WIDTH, HEIGHT = 600, 120


class Figure(msgspec.Struct):
    """One line of the dashboard."""

    name: str
    value: str


class Machine:
    """The readings of this process."""

    def __init__(self) -> None:
        self._meter = Meter()
        self.readings: deque[Load] = deque(maxlen=2 * SECONDS)

    def read(self) -> None:
        self.readings.append(self._meter.read())

    def line(self) -> str:
        """The share of the processors that was busy, as the points of an SVG polyline, the newest at the right."""
        step = WIDTH / (2 * SECONDS - 1)
        begin = 2 * SECONDS - len(self.readings)
        return " ".join(
            f"{(begin + n) * step:.0f},{HEIGHT - (load.cpu or 0) / 100 * HEIGHT:.0f}"
            for n, load in enumerate(self.readings)
        )

    def area(self) -> str:
        """What is under the line, as the points of a polygon."""
        line = self.line()
        if not line:
            return ""
        begin, end = line.split(" ", 1)[0], line.rsplit(" ", 1)[-1]
        return f"{begin.split(',')[0]},{HEIGHT} {line} {end.split(',')[0]},{HEIGHT}"

    def figures(self) -> list[Figure]:
        if not self.readings:
            return []
        load = self.readings[-1]
        figures = [Figure("Cores", str(load.cores))]
        if load.cpu is not None:
            figures.insert(0, Figure("Processors", f"{load.cpu:.0f} %"))
        if load.memory_used is not None and load.memory_total is not None:
            figures.append(Figure("Memory", f"{load.memory_used / 2**30:.1f} of {load.memory_total / 2**30:.1f} GiB"))
        if load.average is not None:
            figures.append(Figure("Load", " · ".join(f"{value:.2f}" for value in load.average)))
        return figures


machine = Machine()


@register("machine")
class MachineLoad(Component):
    """The dashboard. Its template has nothing that Jinja and Django would spell differently."""

    topics = ("machine",)
    shared = True
    template = """<section class="card">
<dl class="figures">{% for figure in figures %}<div><dt>{{ figure.name }}</dt><dd>{{ figure.value }}</dd></div>{% endfor %}</dl>
<svg class="chart" viewBox="0 0 600 120" role="img" aria-label="Processors busy, the last 30 seconds" preserveAspectRatio="none">
<path d="M0 0H600M0 60H600M0 120H600"></path>
<polygon points="{{ area }}"></polygon><polyline points="{{ line }}"></polyline></svg>
<p class="quiet">Processors, 0 to 100 %, over the last 30 seconds; read twice a second.</p>
</section>"""

    def get_context(self) -> dict[str, Any]:
        return {**super().get_context(), "figures": machine.figures(), "line": machine.line(), "area": machine.area()}


def watch(engine: Engine) -> None:
    """Read the machine for as long as pages are open, and tell those that show it."""
    running: list[asyncio.Task[None]] = []

    async def read() -> None:
        while True:
            if engine.sessions:
                await asyncio.to_thread(machine.read)
                await engine.publish("machine")
            await asyncio.sleep(0.5)

    @engine.on("start")
    async def start() -> None:
        running.append(asyncio.create_task(read()))

    @engine.on("stop")
    async def stop() -> None:
        running.pop().cancel()
