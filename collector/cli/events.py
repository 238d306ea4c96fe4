"""``headwater send``, ``tail`` and ``get``: an event in, events as they arrive, one answer."""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import aiohttp
import click
import orjson
from rich.console import Console
from rich.text import Text

from collector.app import collector
from collector.cli.context import COUNT, opened, run, with_settings
from collector.doors import open_doors
from collector.probe import origin_for
from collector.protocols.ids import uuid7
from collector.sources.tracker_token import TrackerTokens, with_token
from collector.store.connect import StoreError

if TYPE_CHECKING:
    from collector.settings import Settings

_BLOCK_MS = 500

_NO_SOURCE = "There is no source yet. If the collector has some, name its --data or --redis-url."


@click.command()
@with_settings("data", "redis_url", "public_url", "port")
@click.argument("name", metavar="SOURCE")
@click.option("--event", default="Test event", show_default=True, help="Name of the event.")
@click.option("--properties", default="{}", help="Properties as a JSON object.")
def send(settings: Settings, name: str, event: str, properties: str) -> None:
    """Send a test event through the real door and print the answer."""
    item = {"type": "track", "event": event, "properties": _read_object(properties)}
    item["messageId"] = uuid7(time.time_ns() // 1_000_000)
    status, reason, body = run(_send(settings, name, {"batch": [item]}))
    click.echo(f"{status} {reason}".rstrip())
    if body:
        click.echo(body)
    sys.exit(status >= 400)  # noqa: PLR2004 - HTTP's border between success and failure


@click.command()
@with_settings("data", "redis_url")
@click.argument("name", metavar="[SOURCE]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print each event as stored, one a line.")
@click.option("--stream", default="events", show_default=True, help="Stream to follow.")
@click.option(
    "--last", type=COUNT, default=0, metavar="N", help="Print the last N events of each partition first."
)
@click.option(
    "--count", type=COUNT, default=0, metavar="N", help="Stop after N events; 0 goes on until Ctrl-C."
)
def tail(settings: Settings, name: str | None, *, as_json: bool, stream: str, last: int, count: int) -> None:
    """Print events as they arrive."""
    run(_tail(settings, name, as_json=as_json, stream=stream, last=last, count=count))


@click.command()
@with_settings("data", "redis_url")
@click.argument("path")
def get(settings: Settings, path: str) -> None:
    """Answer one request for a public path without a server."""
    status, headers, body = run(_get(settings, path))
    click.echo(f"HTTP {status}", err=True)
    for key, value in headers.items():
        click.echo(f"{key}: {value}", err=True)
    sys.stdout.buffer.write(body)
    sys.exit(status >= 400)  # noqa: PLR2004


async def _send(settings: Settings, name: str, body: dict[str, Any]) -> tuple[int, str, str]:
    """Send as a page of the source would: with an origin that it allows and, if it asks for one, a token."""
    url, headers = f"{settings.public_address()}/e/{name}", {"Content-Type": "text/plain"}
    with suppress(StoreError):  # the door may be another machine's
        async with opened(settings) as (_, _, catalogue):
            source = catalogue.find(name)
        if source and source.bridge == "web":
            url = with_token(url, TrackerTokens.of(settings).sign(source, time.time()))
            headers["Origin"] = origin_for(source)
    return await _post(url, body, headers)


async def _post(url: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, str, str]:
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=orjson.dumps(body), headers=headers) as answer,
        ):
            reason = answer.headers.get("X-Headwater-Reason", answer.reason or "")
            return answer.status, reason, await answer.text()
    except aiohttp.ClientError:
        raise StoreError(f"Nothing answers at {url}. Is `headwater serve` running there?") from None


async def _get(settings: Settings, path: str) -> tuple[int, dict[str, str], bytes]:
    free = settings.model_copy(update={"host": "127.0.0.1", "port": 0, "console_port": 0})
    async with (
        collector(free) as running,
        open_doors(running) as ports,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{ports.public}{path}", allow_redirects=False) as answer,
    ):
        return answer.status, dict(answer.headers), await answer.read()


async def _tail(
    settings: Settings, name: str | None, *, as_json: bool, stream: str, last: int, count: int
) -> None:
    screen = Console(highlight=False, soft_wrap=True)
    async with opened(settings) as (redis, names, catalogue):
        wanted = catalogue.get(name).id.encode() if name else None
        if not list(catalogue):
            click.echo(f"Warning: {_NO_SOURCE}", err=True)
        keys = [names.stream(partition, stream) for partition in range(settings.partitions)]
        seen: dict[Any, Any] = {}
        for key in keys:
            rows: Any = await redis.xrevrange(key, count=last + 1)
            seen[key] = rows[last][0] if len(rows) > last else "0-0"
        printed = 0
        while True:
            # One by one: a cluster has the partitions in several places.
            answers: Any = await asyncio.gather(
                *(redis.xread({key: last}, block=_BLOCK_MS, count=100) for key, last in seen.items())
            )
            for key, entries in itertools.chain.from_iterable(answers):
                for entry, fields in entries:
                    seen[key.decode()] = entry
                    if wanted in {None, fields.get(b"source")}:
                        screen.print(_line(entry, fields, as_json=as_json))
                        printed += 1
                        if printed == count:
                            return


def _line(entry: bytes, fields: dict[bytes, bytes], *, as_json: bool) -> Text:
    """Return an entry for the screen: everything in it is a stranger's, so control characters go.

    What another program appended in a form of its own is shown as it is.
    """
    raw = fields.get(b"event", b"; ".join(b"%b=%b" % pair for pair in fields.items())).decode(
        errors="replace"
    )
    if as_json:
        return Text(raw)
    try:
        parts = _parts(orjson.loads(raw))
    except (ValueError, LookupError, TypeError, AttributeError):
        parts = [(raw, "dim")]
    parts.append((entry.decode(), "dim"))
    return Text("  ").join(Text(_printable(text), style) for text, style in parts if text)


def _parts(event: dict[str, Any]) -> list[tuple[str, str]]:
    context = event.get("context", {})
    page = context.get("page", {})
    return [
        (event["timestamp"][11:23], "dim"),
        (event["source"]["id"], "cyan"),
        (event["type"], "bold green"),
        (str(event.get("event") or event.get("name") or page.get("title") or ""), "bold"),
        (str(page.get("path", "")), ""),
        (" ".join(filter(None, (_name(context, "browser"), _name(context, "os")))), "dim"),
        (orjson.dumps(event["properties"]).decode() if event.get("properties") else "", "yellow"),
    ]


def _name(context: dict[str, Any], part: str) -> str:
    return str(context.get(part, {}).get("name", ""))


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _read_object(text: str) -> Any:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise click.UsageError(f"--properties is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise click.UsageError("--properties must be a JSON object.")
    return value
