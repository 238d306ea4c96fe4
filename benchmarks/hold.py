"""``python -m benchmarks.hold HOST PORT NUMBER whole|half``: open connections, and hold them until ended.

Each sends a hit and rests once it is answered, or half a hit and waits. A process of its own: one may have
open only so many files. Prints a line when all are open.
"""

from __future__ import annotations

import resource
import signal
import socket
import sys

_HALF = b"GET /p/bench.gif HTTP/1.1\r\nHost: x\r\n"


def main() -> None:
    """Open them, say so, and wait."""
    host, port, number, kind = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held = [_opened(host, port, whole=kind == "whole") for _ in range(number)]
    print(len(held), flush=True)
    signal.pause()


def _opened(host: str, port: int, *, whole: bool) -> socket.socket:
    connection = socket.create_connection((host, port))
    connection.sendall(_HALF + b"\r\n" if whole else _HALF)
    if whole and not connection.recv(4096).startswith(b"HTTP/1.1 200"):
        raise SystemExit("The hit was not taken.")
    return connection


if __name__ == "__main__":
    main()
