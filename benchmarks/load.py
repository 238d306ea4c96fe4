"""The load: wrk with load.lua, and what it saw. It knows nothing of who is measured."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks.process import running

SECONDS = 5
CONNECTIONS = 32
_DRAIN_SECONDS = 2
_SCRIPT = Path(__file__).parent / "load.lua"


@dataclass(frozen=True, slots=True)
class Seen:
    """What wrk saw: answers, how many of them or of the connections failed, and waiting times."""

    hits: int
    failed: int
    p50_ms: float
    p99_ms: float


async def send(url: str, events_a_hit: int) -> Seen:
    """Send hits for SECONDS, then wait until the last is answered."""
    ids = str(uuid.uuid4())[:23]
    wrk = ("wrk", "-t", 1, "-c", CONNECTIONS, "-d", f"{SECONDS + _DRAIN_SECONDS}s", "-s", _SCRIPT, url)
    async with running(*wrk, "--", events_a_hit, ids, SECONDS) as process:
        output, errors = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"wrk failed: {errors.decode(errors='replace')[-500:]}")
    return Seen(**orjson.loads(output.splitlines()[-1]))
