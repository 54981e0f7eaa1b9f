"""The figures of the machine: from a /proc written for the test, from the real one, and without any."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from examples.shared.load import Meter


def write(proc: Path, *, user: int, idle: int, waiting: int = 0) -> None:
    (proc / "stat").write_text(f"cpu  {user} 0 0 {idle} {waiting} 0 0 0 50 0\ncpu0 1 2 3 4\n")
    (proc / "meminfo").write_text(
        "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\nHugePages_Total:       0\n"
    )


def test_the_cpu_is_how_busy_it_was_since_the_reading_before(tmp_path: Path) -> None:
    write(tmp_path, user=100, idle=900)
    meter = Meter(tmp_path)
    write(tmp_path, user=125, idle=960, waiting=15)
    assert meter.read().cpu == 25.0
    write(tmp_path, user=225, idle=960, waiting=15)
    assert meter.read().cpu == 100.0


def test_between_two_readings_at_one_moment_there_is_no_percentage(tmp_path: Path) -> None:
    write(tmp_path, user=100, idle=900)
    assert Meter(tmp_path).read().cpu is None


def test_a_count_that_went_back_gives_no_percentage_out_of_range(tmp_path: Path) -> None:
    write(tmp_path, user=100, idle=100, waiting=50)
    meter = Meter(tmp_path)
    write(tmp_path, user=160, idle=100, waiting=40)
    assert meter.read().cpu == 100.0


def test_memory_is_in_bytes_and_what_can_be_freed_is_not_used(tmp_path: Path) -> None:
    write(tmp_path, user=1, idle=1)
    load = Meter(tmp_path).read()
    assert (load.memory_used, load.memory_total) == (600 * 1024, 1000 * 1024)


def test_a_system_without_proc_gives_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "getloadavg", raising=False)
    load = Meter(tmp_path).read()
    assert (load.cpu, load.memory_used, load.memory_total, load.average) == (None, None, None, None)
    assert load.cores >= 1


def test_an_old_kernel_that_does_not_tell_what_is_available_gives_no_memory(tmp_path: Path) -> None:
    write(tmp_path, user=1, idle=1)
    (tmp_path / "meminfo").write_text("MemTotal: 1000 kB\nMemFree: 100 kB\n")
    assert Meter(tmp_path).read().memory_used is None


def test_the_figures_of_this_machine_are_possible_ones() -> None:
    load = Meter().read()
    assert load.cpu is None or 0 <= load.cpu <= 100
    assert load.memory_used is None or 0 < load.memory_used < (load.memory_total or 0)
    assert load.average is None or all(math.isfinite(value) and value >= 0 for value in load.average)
