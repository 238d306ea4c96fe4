"""The webhook sink: signed as the standard's own library checks it, patient, shut to private addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from collector.addresses import is_public
from collector.sinks import Away, Rejected, SinkError
from collector.sinks.registry import open_sink
from tests.sinks.conftest import delivery

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of a test
Serve = Callable[[web.Application], Awaitable[Any]]
Opened = Callable[..., Awaitable[Any]]


class Receiver:
    """An address that answers with these states, one after the other, and remembers what came."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.came: list[tuple[dict[str, str], bytes]] = []

    async def take(self, request: web.Request) -> web.Response:
        self.came.append((dict(request.headers), await request.read()))
        status = self.answers.pop(0) if self.answers else 204
        return web.Response(status=status, headers={"Retry-After": "7", "Location": "/elsewhere"})


@pytest.fixture
async def opened(aiohttp_server: Serve) -> AsyncIterator[Opened]:
    """Open sinks that call a receiver, and close them in the end."""
    sinks: list[Any] = []

    async def make(receiver: Receiver, host: str = "127.0.0.1", private: str = "true") -> Any:
        application = web.Application()
        application.router.add_post("/in", receiver.take)
        server = await aiohttp_server(application)
        to = f"http://{host}:{server.port}/in"
        sinks.append(open_sink("webhook", to, {"secret": SECRET, "private": private}))
        return sinks[-1]

    yield make
    for each in sinks:
        await each.close()


async def test_a_batch_is_signed_and_has_the_same_id_however_often_it_is_sent(opened: Opened) -> None:
    receiver = Receiver()
    sink = await opened(receiver)
    batch = [delivery(1), delivery(2)]

    for _ in range(2):
        await sink.healthy()
        await sink.write(batch)

    taken = [Webhook(SECRET).verify(body, headers) for headers, body in _lowered(receiver)]
    assert taken == [{"batch": [orjson.loads(each.event) for each in batch]}] * 2
    assert len({headers["webhook-id"] for headers, _ in _lowered(receiver)}) == 1


@pytest.mark.parametrize("status", [302, 400, 401, 404, 410, 429, 500, 503])
async def test_an_answer_that_may_pass_is_waited_out(opened: Opened, status: int) -> None:
    """A redirect is not followed; a 400 before anything was taken is more likely a wrong secret."""
    receiver = Receiver(status)
    sink = await opened(receiver)

    with pytest.raises(Away) as raised:
        await sink.write([delivery(1)])

    assert raised.value.seconds == 7
    assert len(receiver.came) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_an_answer_that_will_not_change_rejects_the_batch(opened: Opened, status: int) -> None:
    sink = await opened(Receiver(204, status))
    await sink.write([delivery(1)])

    with pytest.raises(Rejected, match=str(status)):
        await sink.write([delivery(2)])


async def test_an_address_that_fails_five_times_is_left_alone_then_tried_again(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = Receiver(*[500] * 6)
    sink = await opened(receiver)
    for _ in range(5):
        await sink.healthy()
        with pytest.raises(Away):
            await sink.write([delivery(1)])

    with pytest.raises(Away) as raised:
        await sink.healthy()
    assert 0 < raised.value.seconds <= 60

    monkeypatch.setattr(sink, "_closed_at", 0)
    await sink.healthy()
    with pytest.raises(Away):
        await sink.write([delivery(1)])
    with pytest.raises(Away):  # one trial, and left alone again
        await sink.healthy()


async def test_a_name_that_leads_to_a_private_address_is_not_called(opened: Opened) -> None:
    receiver = Receiver()
    sink = await opened(receiver, "localhost", "false")

    with pytest.raises(Away, match="localhost"):
        await sink.write([delivery(1)])

    assert receiver.came == []


@pytest.mark.parametrize(
    ("to", "secret"),
    [
        ("http://127.0.0.1/in", SECRET),
        ("http://[::1]/in", SECRET),
        ("http://169.254.169.254/in", SECRET),
        ("http://[::ffff:10.0.0.1]/in", SECRET),
        ("ftp://shop.example/in", SECRET),
        ("https://shop.example/in", "whsec_!"),
    ],
)
def test_a_target_that_cannot_be_is_refused_at_once(to: str, secret: str) -> None:
    with pytest.raises(SinkError):
        open_sink("webhook", to, {"secret": secret})


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("10.1.2.3", False),
        ("0.0.0.0", False),  # noqa: S104 - judged, not bound
        ("224.0.0.1", False),
        ("::ffff:192.168.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("fe80::1%eth0", False),
    ],
)
def test_an_address_is_public_only_if_what_is_within_it_is(address: str, public: bool) -> None:
    assert is_public(address) is public


def _lowered(receiver: Receiver) -> list[tuple[dict[str, str], bytes]]:
    return [({key.lower(): value for key, value in headers.items()}, body) for headers, body in receiver.came]
