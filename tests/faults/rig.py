"""A collector under load beside a Redis of its own: what a fault is done to."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.request import urlopen

from collector.settings import Settings
from collector.sources import Catalogue, check_form
from collector.store import Names, open_store
from collector.store.connect import connect
from collector.stream.spool_file import SpoolFile
from tests.conftest import until
from tests.faults.load import Judge, Load, Verdict
from tests.faults.servers import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from redis.asyncio import Redis

    from tests.faults.groups import ClusterServers, Watched
    from tests.faults.servers import Server

_START_SECONDS = 30
_STOP_SECONDS = 30
_JUDGE_SECONDS = 5
# With visitors that are told apart, so that they are spread over the partitions.
_SOURCE = {"id": "web1", "name": "Faults", "privacy": {"visitors": "cookie"}}


class CollectorProcess:
    """A collector as it is run: a process, with workers if told so."""

    def __init__(self, data: Path, redis_url: str, environment: Mapping[str, str], **options: str) -> None:
        self.data = data
        self.port = free_port()
        self.peak_kib = 0
        self._console = free_port()
        self._environment = {
            "PATH": os.environ["PATH"],
            "HEADWATER_DATA": str(data),
            "HEADWATER_REDIS_URL": redis_url,
            "HEADWATER_HOST": "127.0.0.1",
            "HEADWATER_PORT": str(self.port),
            "HEADWATER_CONSOLE_PORT": str(self._console),
            "HEADWATER_REDIS_TIMEOUT_SECONDS": "1",
            "HEADWATER_UNREADY_SECONDS": "0",
            "HEADWATER_OVERLOAD_MS": "0",  # the load's client is a bot by its name
            **{f"HEADWATER_{name.upper()}": value for name, value in options.items()},
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it and wait until it answers."""
        self._spawn()
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self._get, self.port, "/healthz")
                return
            await asyncio.sleep(0.05)
        raise TimeoutError((self.data / "collector.log").read_text()[-1000:])

    def _spawn(self) -> None:
        if self.process:
            self.process.wait(_STOP_SECONDS)
        command = [sys.executable, "-m", "collector", "serve"]
        with (self.data / "collector.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment)

    @property
    def pids(self) -> list[int]:
        """The process and its workers."""
        if self.process is None:
            return []
        pid = self.process.pid
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        except OSError:
            return []
        return [pid, *(int(child) for child in children.split())]

    def kill(self, pid: int) -> None:
        """End one of its processes as a crash does."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def limit_files(self, size: int) -> None:
        """Let no file of it grow beyond a size, as a full disk does; -1 lifts the limit."""
        for pid in self.pids:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, -1))

    async def stop(self) -> int:
        """End it as an operator does; return its status."""
        if self.process is None:
            return 0
        self.process.terminate()
        try:
            return await asyncio.to_thread(self.process.wait, _STOP_SECONDS)
        finally:
            self.process.kill()

    async def drained(self) -> bool:
        """Tell whether nothing waits in its spool."""
        try:
            text = await self.metrics()
        except OSError:
            return False
        lines = [line for line in text.splitlines() if line.startswith("headwater_spool_events")]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines) == 0

    async def metrics(self) -> str:
        """Return what it tells to Prometheus. Raises OSError."""
        return await asyncio.to_thread(self._get, self._console, "/metrics")

    def measure(self) -> None:
        """Note the most memory that any of its processes had so far."""
        for pid in self.pids:
            with contextlib.suppress(OSError, IndexError):
                status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
                peak = int(status.split("VmHWM:")[1].split()[0])
                self.peak_kib = max(self.peak_kib, peak)

    def _get(self, port: int, path: str) -> str:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())


class Rig:
    """The collector, its Redis and the load; ``judged`` ends the load and gives the verdict."""

    def __init__(self, collector: CollectorProcess, load: Load, judge: Judge) -> None:
        self.collector = collector
        self.load = load
        self._judge = judge

    async def judged(self) -> Verdict:
        """Let the collector recover and end it; judge what is in the stream then."""
        over = time.monotonic()
        self.collector.measure()
        await self.load.stop()
        await until(self.collector.drained, 60)
        await self._judge.settle(self.load)
        await until(self.collector.drained, 60)
        recovery = time.monotonic() - over
        self.collector.measure()
        assert await self.collector.stop() == 0
        verdict = await self._judge.verdict(self.load)
        assert left_in(self.collector.data / "spool") == 0
        verdict.recovery_seconds = recovery
        verdict.peak_mib = self.collector.peak_kib / 1024
        return verdict


def left_in(spool: Path) -> int:
    """Return how many parcels lie in a spool that nobody owns."""
    left = 0
    for path in spool.glob("*.db"):
        file = SpoolFile(path)
        left += file.parcels
        file.close()
    return left


@asynccontextmanager
async def rig(
    data: Path,
    server: Server | Watched | ClusterServers,
    *,
    url: str = "",
    judging: Callable[[Redis, int], Judge] = Judge,
    environment: Mapping[str, str] = MappingProxyType({}),
    **options: str,
) -> AsyncIterator[Rig]:
    """Run a collector under load. ``url`` is how it reaches the server when not directly.

    ``judging`` makes the judge, who looks where the events are.
    """
    data.mkdir(exist_ok=True)
    await _add_source(data, server.url)
    collector = CollectorProcess(data, url or server.url, environment, **options)
    async with connect(server.url, _JUDGE_SECONDS) as redis:
        load = Load(f"http://127.0.0.1:{collector.port}/e/web1")
        judge = judging(redis, int(options.get("partitions", "1")))
        try:
            await collector.start()
            load.start()
            yield Rig(collector, load, judge)
        finally:
            for pid in reversed(collector.pids):
                collector.kill(pid)
            if collector.process:
                collector.process.wait()


async def _add_source(data: Path, url: str) -> None:
    async with open_store(Settings(redis_url=url, data=data)) as redis:
        await Catalogue(redis, Names()).add(check_form(_SOURCE))
