"""The lean way in: the same answers as aiohttp's, however the bytes come, and nothing that is not plain."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from collector.answer import settled
from collector.exchange import Answer
from collector.lean.connection import MOST_BYTES
from collector.lean.head import Heads, read_head
from collector.lean.written import written
from tests.conftest import run_collector, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from collector.lean.head import Found, Head
    from collector.settings import Settings
    from tests.conftest import Running

VIEW = b'{"batch":[{"type":"page"}]}'


def beacon(*more: bytes, body: bytes = VIEW, path: bytes = b"/e/web1") -> bytes:
    fields = [b"Host: localhost", b"Content-Type: text/plain", b"Content-Length: %d" % len(body), *more]
    return b"POST %s HTTP/1.1\r\n%s\r\n\r\n%s" % (path, b"\r\n".join(fields), body)


HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Wire:
    """A bare connection to the public door."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def status(self) -> int:
        """Read one answer with its body; return its status, 0 when the connection was closed."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return 0
        lines = head.decode().split("\r\n")
        lengths = [line[16:] for line in lines if line.lower().startswith("content-length: ")]
        await self.reader.readexactly(int(lengths[0]) if lengths else 0)
        return int(lines[0].split(" ")[1])


@asynccontextmanager
async def wire(running: Running) -> AsyncIterator[Wire]:
    """Yield a connection to the public door."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.parts.ports.public)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


async def test_a_request_may_come_in_pieces_of_any_length(running: Running) -> None:
    await running.add(id="web1")
    request = beacon()
    async with wire(running) as connection:
        for at in range(1, len(request), 3):
            await connection.send(request[:at], request[at:])

            assert await connection.status() == 204
    assert len(await running.events()) == len(range(1, len(request), 3))


async def test_requests_sent_ahead_are_answered_in_order(running: Running) -> None:
    await running.add(id="web1")
    async with wire(running) as connection:
        await connection.send(beacon() + beacon(path=b"/e/none") + beacon() + HEALTH + beacon())

        assert [await connection.status() for _ in range(5)] == [204, 404, 204, 200, 204]


async def test_a_client_far_ahead_of_its_answers_loses_none(running: Running) -> None:
    await running.add(id="web1")
    async with wire(running) as connection:
        sending = asyncio.create_task(connection.send(*[beacon()] * 2000))
        answers = [await connection.status() for _ in range(2000)]
        await sending

    assert set(answers) == {204}
    assert len(await running.events()) == 2000


@pytest.mark.parametrize("lean_paths", [True, False])
@pytest.mark.parametrize(
    ("request_bytes", "statuses"),
    [
        (beacon(b"Connection: close"), [204, 0]),
        (beacon(b"Transfer-Encoding: chunked"), [400, 0]),
        (beacon(b"Content-Length: 3"), [400, 0]),
        (beacon(b"Content-Length: %d" % len(VIEW)), [400, 0]),
        (beacon(b"X: a\r\n b"), [400, 0]),
        (beacon(b"X : a"), [400, 0]),
        (beacon(b"X: a\x00b"), [400, 0]),
        (beacon(b"Host: other"), [400, 0]),
        (beacon(path=b"/e/web1?a#b"), [204]),
        (beacon(path=b"http://localhost/e/web1"), [204]),
        (beacon(path=b"/e/w%65b1"), [204]),
        (beacon(path=b"/e/web1 x"), [400, 0]),
        (beacon().replace(b"\r\n", b"\n"), [400, 0]),
        (beacon().replace(b"HTTP/1.1", b"HTTP/1.0"), [204, 0]),
        (beacon().replace(b"HTTP/1.1", b"HTTP/2.0"), [204, 0]),
        (b"\r\n" + beacon(), [204]),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [400, 0]),
        (b"GET /p/web1.gif?event=Open HTTP/1.1\r\nHost: localhost\r\n\r\n", [200]),
        (b"HEAD /p/web1.gif HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", [200]),
        (b"PUT /e/web1 HTTP/1.1\r\nHost: localhost\r\n\r\n", [405]),
        (b"GET /e/web1 HTTP/1.1\r\nHost: localhost\r\n\r\n", [405]),
        (
            b"POST /e/web1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"1b\r\n" + VIEW + b"\r\n0\r\n\r\n",
            [204],
        ),
        (beacon(body=b"x" * 300_000), [413]),
    ],
)
async def test_a_request_is_answered_as_aiohttp_answers_it(
    running: Running, request_bytes: bytes, statuses: list[int]
) -> None:
    await running.add(id="web1")
    async with wire(running) as connection:
        await connection.send(request_bytes)
        if request_bytes.startswith(b"HEAD"):  # its answer names a length and has no body
            answer = await connection.reader.read()

            assert answer.startswith(b"HTTP/1.1 200 ")
            assert answer.endswith(b"\r\n\r\n")
        else:
            assert [await connection.status() for _ in statuses] == statuses


async def test_a_client_that_expects_to_be_told_to_continue_is(running: Running) -> None:
    await running.add(id="web1")
    request = beacon(b"Expect: 100-continue")
    async with wire(running) as connection:
        await connection.send(request[: -len(VIEW)])
        assert await connection.status() == 100
        await connection.send(VIEW)

        assert await connection.status() == 204


async def test_a_slow_request_is_served_by_aiohttp(running: Running) -> None:
    await running.add(id="web1")
    request = beacon()
    async with wire(running) as connection:
        await connection.send(request[:-5])
        await asyncio.sleep(2)
        await connection.send(request[-5:])

        assert await connection.status() == 204


async def test_an_idle_connection_is_closed(settings: Settings) -> None:
    async with run_collector(settings.model_copy(update={"keepalive_seconds": 1})) as running:
        await running.add(id="web1")
        async with wire(running) as connection:
            await connection.send(beacon())

            assert await connection.status() == 204
            assert await connection.status() == 0


async def test_what_a_client_sent_before_it_left_is_stored(running: Running) -> None:
    await running.add(id="web1")
    async with wire(running) as connection:
        await connection.send(beacon())

    assert len(await until(running.events)) == 1


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b=c", "a\nb", "a\rb"])
def test_a_header_cannot_break_out_of_its_line(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        written(Answer(302, {"Location": value}), b"", head_only=False, keep_alive=True)


def test_a_field_that_changes_the_framing_is_not_plain() -> None:
    plain = beacon()[: -len(VIEW)]

    assert read_head(plain)
    for name in (b"Transfer-Encoding: gzip", b"Upgrade: h2c", b"Expect: x", b"TE: trailers", b"Trailer: x"):
        assert read_head(plain[:-2] + name + b"\r\n\r\n") is None


def test_a_head_that_comes_again_is_not_read_again_whatever_the_length_of_its_body() -> None:
    read: list[Head] = []

    def find(head: Head) -> Found | None:
        read.append(head)
        return (settled, {}) if head.target == "/e/web1" else None

    heads = Heads(find)
    found = [heads.read(beacon(body=b"x" * length)[:-length]) for length in (1, 17, 4000)]

    assert [(each[0].headers is read[0].headers, each[2]) for each in found if each] == [
        (True, 1),
        (True, 17),
        (True, 4000),
    ]
    assert len(read) == 1


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 5\r\nContent-Length: 5",
        b"Content-Length: 5\r\ncontent-length: 5",
        b"content-length: 5\r\nContent-Length: 0",
        b"Content-Length: 5\r\nContent-Length : 5",
        b"Content-Length: +5",
        b"Content-Length: 5, 5",
        b"Content-Length: 0x5",
        b"Content-Length:",
        b"Content-Length: ",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Content-Length: 99999999999999999999",
    ],
)
def test_a_length_that_can_be_read_in_two_ways_is_not_plain(fields: bytes) -> None:
    heads = Heads(lambda _: (settled, {}))
    read = heads.read(b"POST /e/web1 HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n" % fields)

    assert read is None or read[2] > MOST_BYTES
