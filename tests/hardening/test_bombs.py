"""Small bodies that mean much work: each costs little, and nobody else waits for it."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from collector.bridges.lines import inflate_chunks
from collector.bridges.request import inflate, inflate_in_turn
from collector.model import Reason, Refusal
from collector.protocols.decode import parse
from collector.sources.keys import add_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.conftest import Running

BOMB = bytes(20 * 1024 * 1024)
_LIMIT = 1024 * 1024


def raw(data: bytes) -> bytes:
    return zlib.compress(data)[2:-4]


PACKED: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw),
]


async def imported(body: bytes, _encoding: str, limit: int, lock: asyncio.Lock) -> bytes:
    """Inflate a body as an import's is, in chunks as they arrive."""

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    inflated = b""
    async for piece in inflate_chunks(chunks(), lock):
        inflated += piece
        if len(inflated) > limit:
            raise Refusal(Reason.INFLATED_TOO_LARGE)
    return inflated


@pytest.mark.parametrize(
    ("inflater", "encoding", "pack"),
    [*((inflate_in_turn, *each) for each in PACKED), (imported, "gzip", gzip.compress)],
)
async def test_others_have_their_turn_between_any_two_pieces_of_all_bodies_that_are_inflated(
    inflater: Callable[..., Awaitable[bytes]], encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    turns, lock, bomb = 0, asyncio.Lock(), pack(BOMB)

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    bombs = (inflater(bomb, encoding, _LIMIT, lock) for _ in range(20))
    refused = await asyncio.gather(*bombs, return_exceptions=True)
    task.cancel()

    assert [getattr(each, "reason", each) for each in refused] == [Reason.INFLATED_TOO_LARGE] * 20
    assert turns >= 20 * (_LIMIT // (64 * 1024) - 1)


@pytest.mark.parametrize("inflater", [inflate_in_turn, imported])
async def test_a_short_body_is_inflated_at_once_whoever_has_the_turn(
    inflater: Callable[..., Awaitable[bytes]],
) -> None:
    async with (lock := asyncio.Lock()):
        assert await inflater(gzip.compress(b"x" * 1000), "gzip", _LIMIT, lock) == b"x" * 1000


@pytest.mark.parametrize(("encoding", "pack"), PACKED)
@pytest.mark.parametrize("size", [0, 1, 64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, _LIMIT - 1, _LIMIT])
async def test_a_body_up_to_the_limit_is_inflated_whole(
    encoding: str, pack: Callable[[bytes], bytes], size: int
) -> None:
    data = bytes(number % 251 for number in range(1000)) * (size // 1000) + b"x" * (size % 1000)

    assert inflate(pack(data), encoding, _LIMIT) == data
    assert await inflate_in_turn(pack(data), encoding, _LIMIT, asyncio.Lock()) == data
    for cut in (1, 5, len(pack(data)) // 2):
        with pytest.raises(Refusal) as caught:
            inflate(pack(data)[:-cut], encoding, _LIMIT)
        assert caught.value.reason is Reason.BAD_ENCODING


HEAVY = {
    "empty objects": b'{"batch":[' + b"{}," * 1_200_000 + b"{}]}",
    "empty lists": b"[" + b"[]," * 1_200_000 + b"[]]",
    "values to repair": b'{"batch":["\\ud800"' + b",1" * 1_500_000 + b"]}",
    "long numbers": b"[" + b"123456789012345678901," * 150_000 + b"1]",
}


@pytest.mark.parametrize("name", HEAVY)
def test_what_would_take_long_to_parse_is_refused_before(name: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse(HEAVY[name])

    assert caught.value.reason is Reason.TOO_MANY_PARTS


def test_a_long_body_with_an_ordinary_number_of_parts_is_parsed() -> None:
    events = b",".join([b'{"type":"page","properties":{"a":[1,2],"t":"' + b"x" * 1500 + b'"}}'] * 2500)

    assert len(parse(b'{"batch":[' + events + b"]}")["batch"]) == 2500


async def test_small_bombs_are_refused_at_every_way_in(running: Running) -> None:
    await running.add(id="web1")
    await running.add(id="rest1", bridge="rest")
    key = await add_key(running.parts.catalogue, "rest1")
    auth = {"Authorization": f"Bearer {key}", "Content-Encoding": "gzip"}
    told: dict[Any, Any] = {}
    for path, body in (
        ("/e/web1", BOMB),
        ("/v1/batch", BOMB),
        ("/v1/batch", HEAVY["empty objects"]),
        ("/matomo.php", b'{"requests":[' + b'"",' * 1_000_000 + b'""]}'),
        ("/g/collect", b"\n" * 4_000_000),
        ("/v1/import", b"\n" * 20_000_000),
        ("/v1/import", BOMB),
    ):
        async with running.public.post(path, data=gzip.compress(body), headers=auth) as answer:
            told[path, body[:14]] = answer.status, answer.headers.get("X-Headwater-Reason")

    assert list(told.values()) == [
        (413, "inflated_too_large"),
        (413, "inflated_too_large"),
        (413, "too_many_parts"),
        (413, "too_many_events"),
        (413, "too_many_events"),
        (413, "too_large"),
        (413, "too_large"),
    ]
