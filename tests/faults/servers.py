"""Real Redis servers to torment: started on a free port, killed, stopped, continued, started again."""

from __future__ import annotations

import asyncio
import contextlib
import re
import resource
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import redis

from collector.store.embedded import server_binary

if TYPE_CHECKING:
    from collections.abc import Mapping

LOGIN = "collector:PASSWORD"  # of the user that docs/security.md names
_START_SECONDS = 20
_KEYS = ("~headwater:*", "~test*:*", "&headwater:*", "&test*:*")  # of tests, too


def free_port() -> int:
    """Return a port that nobody listens on, of those that the system gives to nobody.

    So it stays free until its server has started, and while that one is away.
    """
    while True:
        port = 20000 + secrets.randbelow(12000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def documented_user() -> list[str]:
    """Return the rules of the user that docs/security.md gives to the collector, and tests' keys."""
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
    rules = re.search(r"^user collector (.*)$", page, re.MULTILINE)
    assert rules
    return [*(rule for rule in rules[1].split() if rule[0] not in "~&"), *_KEYS]


async def opened(port: int) -> None:
    """Wait until somebody listens on a port."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


class Server:
    """A Redis or Valkey process of our own, with an append-only file that is written before it answers."""

    def __init__(
        self, folder: Path, *options: str, port: int = 0, environment: Mapping[str, str] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._environment = environment
        self.folder = folder
        self.port = port or free_port()
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address to give to the collector, with the documented user."""
        return f"redis://{LOGIN}@127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    def option(self, name: str) -> str:
        """Return what an option was started with."""
        return self._options[self._options.index(f"--{name}") + 1]

    def client(self) -> redis.Redis:
        """Return a plain client for looking from outside."""
        return redis.Redis(port=self.port, protocol=2, socket_timeout=5)

    def start(self, *, ready: bool = True) -> Server:
        """Start it, and wait until it answers."""
        # fmt: off
        command = [
            server_binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder),
            "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--daemonize", "no",
            "--maxmemory-policy", "noeviction", "--user", "collector", *documented_user(), *self._options,
        ]
        # fmt: on
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                restore_signals=False,
                env=self._environment,
            )
        if ready:
            self._wait()
        return self

    def kill(self) -> None:
        """End it as a crash does."""
        self._signal(signal.SIGKILL)
        if self._process:
            self._process.wait()

    def pause(self) -> None:
        """Stop it in the middle of whatever it does."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let a stopped one continue."""
        self._signal(signal.SIGCONT)

    def limit_files(self, size: int) -> None:
        """Let no file of it grow beyond a size, as a full disk does; -1 lifts the limit."""
        if self._process:
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (size, -1))

    def close(self) -> None:
        """End it for good."""
        if self._process and self._process.poll() is None:
            self.go_on()
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(number)

    def _wait(self) -> None:
        end = time.monotonic() + _START_SECONDS
        with self.client() as client:
            while time.monotonic() < end:
                with contextlib.suppress(redis.RedisError, OSError):
                    client.ping()
                    return
                time.sleep(0.02)
        raise TimeoutError((self.folder / "server.log").read_text(errors="replace")[-1000:])
