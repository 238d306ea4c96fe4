"""``python -m benchmarks.bombs URL ENCODING``: throw bombs until ended, as a process of the lowest priority.

On a machine of two cores who throws them must not take the core of who is measured. It knows of no measure.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import sys
import zlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import brotli

if TYPE_CHECKING:
    from collections.abc import Callable

BOMBS = 20
_BYTES = 100 * 1024 * 1024
_PAUSE_SECONDS = 0.5  # of each of them
_REFUSED = {b"413", b"415"}
# A frame (RFC 8878) that tells of 4 GiB and repeats one byte; it is refused by its name, unread.
_ZSTD = b"\x28\xb5\x2f\xfd\xa0\x00\x00\x00\xff" + b"\x02\x00\x10\x00" * 3 + b"\x03\x00\x10\x00"
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=1),
    "zstd": lambda _: _ZSTD,
}


def main() -> None:
    """Print the size of a bomb once all have been answered a first time, and go on."""
    os.nice(19)
    asyncio.run(_throw_all(*sys.argv[1:3]))


async def _throw_all(url: str, encoding: str) -> None:
    place = urlsplit(url)
    body = PACKED[encoding](bytes(_BYTES))
    head = (
        f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: text/plain\r\n"
        f"Content-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request = head.encode() + body
    told = False
    while True:
        await asyncio.gather(*(_throw(place.hostname, place.port, request) for _ in range(BOMBS)))
        if not told:
            print(len(body), flush=True)
            told = True
        await asyncio.sleep(_PAUSE_SECONDS)


async def _throw(host: str | None, port: int | None, request: bytes) -> None:
    """Send one by a connection of its own. Raises ValueError when it is not refused."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(request)
    status = (await reader.readline()).split()[1]
    writer.close()
    if status not in _REFUSED:
        raise ValueError(f"a bomb was answered {status.decode()}")


if __name__ == "__main__":
    main()
