"""How busy this machine is, from the standard library alone: all figures on Linux, elsewhere those that there are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Load:
    """One reading. None stands for what this system does not tell.

    `cpu` is a percentage of all cores since the reading before; the memory is in bytes; `average` is the load average
    of 1, 5 and 15 minutes, to be compared with `cores`.
    """

    cpu: float | None
    memory_used: int | None
    memory_total: int | None
    average: tuple[float, float, float] | None
    cores: int


class Meter:
    """Reads the load; remembers the last reading, because CPU time only means something over a while."""

    def __init__(self, proc: Path = PROC) -> None:
        self._proc = proc
        self._before = _cpu_times(proc)

    def read(self) -> Load:
        """The load now. `cpu` is None where no CPU time has passed since the reading before."""
        now, before = _cpu_times(self._proc), self._before
        self._before = now
        used, total = _memory(self._proc)
        return Load(_busy_percentage(before, now), used, total, _average(), os.cpu_count() or 1)


def _cpu_times(proc: Path) -> tuple[int, int] | None:
    """Ticks (busy, all) since the start, from the first line of proc_stat(5)."""
    try:
        line = (proc / "stat").read_text().partition("\n")[0]
    except OSError:
        return None
    times = [int(ticks) for ticks in line.split()[1:9]]  # guest time, after these, is in user time already
    return sum(times) - sum(times[3:5]), sum(times)


def _busy_percentage(before: tuple[int, int] | None, now: tuple[int, int] | None) -> float | None:
    if before is None or now is None or now[1] <= before[1]:
        return None
    share = (now[0] - before[0]) / (now[1] - before[1])
    return round(100 * min(max(share, 0.0), 1.0), 1)  # the count of time spent waiting for a disk may go back


def _memory(proc: Path) -> tuple[int | None, int | None]:
    """Bytes (used, all), from proc_meminfo(5)."""
    try:
        lines = (proc / "meminfo").read_text().splitlines()
    except OSError:
        return None, None
    kibibytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    total, available = kibibytes.get("MemTotal"), kibibytes.get("MemAvailable")
    if total is None or available is None:
        return None, None
    return (total - available) * 1024, total * 1024


def _average() -> tuple[float, float, float] | None:
    try:
        return os.getloadavg()
    except (AttributeError, OSError):  # Windows has no such function; a system may fail to tell
        return None
