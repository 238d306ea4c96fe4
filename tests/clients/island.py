"""An island for clients: a network namespace whose one line leads to this test, and a list of whom they ask.

Where none can be made (that takes root), the clients run beside the test and tell themselves whom they
resolve and connect to; on the island they do both. See ``watch/``.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

WATCH = Path(__file__).parent / "watch"
_OWN = {"127.0.0.1", "::1", "localhost"}
_NO_SUCH_NAME = b"\x81\x83"  # the flags of an answer, with the code NXDOMAIN


@dataclass(slots=True)
class Island:
    """Where clients run. ``address`` is this test's, as they see it; ``enter`` is what to start them with."""

    log: Path
    address: str = "127.0.0.1"
    enter: tuple[str, ...] = ()
    resolved: set[str] = field(default_factory=set)

    @property
    def environment(self) -> dict[str, str]:
        """What makes Python and Node tell whom they ask for."""
        watched = {"PYTHONPATH": str(WATCH), "NODE_OPTIONS": f"--require {WATCH / 'watch.cjs'}"}
        return {**os.environ, **watched, "CLIENT_WATCH": str(self.log)}

    @property
    def asked(self) -> set[str]:
        """The names and addresses that clients have asked for, the test's own left out."""
        told = self.log.read_text(encoding="utf-8").split() if self.log.exists() else []
        return (self.resolved | set(told)) - _OWN - {self.address}


def can_be_made() -> bool:
    """Tell whether a network namespace can be made here."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        return False
    name = f"hwtry{os.getpid()}"
    made = subprocess.run(("ip", "netns", "add", name), check=False, capture_output=True).returncode == 0
    if made:
        _ip("netns", "delete", name)
    return made


@contextmanager
def island(folder: Path) -> Iterator[Island]:
    """Yield an island with a network namespace of its own."""
    number = os.getpid()
    name, here, there = f"hw{number}", f"hwa{number}", f"hwb{number}"
    network = f"10.{200 + number // 250 % 50}.{number % 250}"
    resolver = Path("/etc/netns", name)
    _ip("netns", "add", name)
    try:
        _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        _ip("address", "add", f"{network}.1/30", "dev", here)
        _ip("link", "set", here, "up")
        _ip("-netns", name, "address", "add", f"{network}.2/30", "dev", there)
        _ip("-netns", name, "link", "set", there, "up")
        _ip("-netns", name, "link", "set", "lo", "up")
        resolver.mkdir(parents=True)
        (resolver / "resolv.conf").write_text(f"nameserver {network}.1\noptions timeout:1 attempts:1\n")
        found = Island(folder / "asked", f"{network}.1", ("ip", "netns", "exec", name))
        with _catch_all(found):
            yield found
    finally:
        _ip("netns", "delete", name)
        shutil.rmtree(resolver, ignore_errors=True)


@contextmanager
def _catch_all(found: Island) -> Iterator[None]:
    """Note every name that the island asks for, and answer that there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((found.address, 53))
        thread = Thread(target=_answer_names, args=(server, found.resolved), daemon=True)
        thread.start()
        yield
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"", (found.address, 53))
        thread.join()


def _answer_names(server: socket.socket, resolved: set[str]) -> None:
    while True:
        query, sender = server.recvfrom(512)
        if not query:
            return
        labels, rest = [], query[12:]
        while rest and rest[0]:
            labels.append(rest[1 : rest[0] + 1].decode(errors="replace"))
            rest = rest[rest[0] + 1 :]
        resolved.add(".".join(labels).lower())
        question = query[12 : len(query) - len(rest) + 5]  # with the name's end, its type and its class
        server.sendto(query[:2] + _NO_SUCH_NAME + query[4:6] + bytes(6) + question, sender)


def _ip(*arguments: str) -> None:
    subprocess.run(("ip", *arguments), check=True)
