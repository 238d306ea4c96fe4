"""Processes of the benchmark: started and surely ended, and what each costs, from /proc."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_STOP_SECONDS = 10
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@asynccontextmanager
async def running(*command: object) -> AsyncIterator[asyncio.subprocess.Process]:
    """Yield a process with its output on pipes; on leaving end it and its children, whatever happened."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # its children form a group with it and can be ended with it
    )
    try:
        yield process
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time, user and system, that a process and its children have used."""
    return sum(int(ticks) for one in _family(pid) for ticks in _stat(one)[11:13]) / _TICKS_PER_SECOND


def memory_bytes(pid: int) -> int:
    """Return the resident memory of a process and its children."""
    return sum(int(_stat(one)[21]) for one in _family(pid)) * _PAGE_BYTES


def open_files(pid: int) -> int:
    """Return how many files and sockets a process and its children have open."""
    return sum(len(list(Path(f"/proc/{one}/fd").iterdir())) for one in _family(pid))


def memory_parts(pid: int) -> list[tuple[str, tuple[int, int, int]]]:
    """Return name and memory of a process and its children, without the server: resident, share, own.

    What processes share counts in each one's share by as much as there are of them.
    """
    names = [(one, Path(f"/proc/{one}/comm").read_text(encoding="utf-8").strip()) for one in _family(pid)]
    return [(f"{name} {at}", _sizes(one)) for at, (one, name) in enumerate(names) if "server" not in name]


def _sizes(pid: int) -> tuple[int, int, int]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    kib = {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)}
    return kib["Rss"] * 1024, kib["Pss"] * 1024, (kib["Private_Clean"] + kib["Private_Dirty"]) * 1024


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *map(int, children)]


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third on: the second, a name, may hold spaces."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
