"""Every path of the public door that takes a body, read from its routes: what joins there is tried here."""

from __future__ import annotations

import base64
import gzip
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from collector.links import Mark
from collector.sources.email import signer
from collector.sources.keys import add_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Running

RECORDINGS = sorted((Path(__file__).parents[1] / "wire" / "dialects").glob("*.json"))
# The Segment API's kinds share one handler.
_KINDS = {"/v1/": ("track", "batch"), "/api/s/": ("track",), "/api/s/s2s/": ("track",)}


class Doors:
    """The paths that take a body, each with what it needs to let one in."""

    def __init__(self, paths: dict[str, dict[str, str]]) -> None:
        self.paths = paths
        self.refused = 0  # answers that must have been counted

    @classmethod
    async def of(cls, running: Running) -> Doors:
        """Add a source of every bridge and fill in the routes' names."""
        sites = sorted({site for site, _, _ in recorded()})
        await running.add(id="web1", settings={"sites": sites})
        await running.add(id="rest1", bridge="rest")
        await running.add(id="hook1", bridge="webhook")
        mails = await running.add(id="mail1", bridge="email")
        key = await add_key(running.parts.catalogue, "rest1")
        known = {"source": "web1", "key": key, "session": "s1", "path": "a/b", "rest": "nowhere"}
        known |= {"token": signer(mails).sign("unsubscribe", Mark("spring", "r1"))}
        known |= {"vendor": "com.snowplowanalytics.snowplow", "version": "tp2"}
        return cls(
            {path: {"Authorization": f"Bearer {key}"} for path in _paths(running, known)}
            | {"/e/web1": {}, "/h/hook1": {}}
        )

    async def faults(self, running: Running, body: bytes, kind: str) -> list[tuple[str, int]]:
        """Return the paths that answer some bytes with a fault, or refuse them without a reason."""
        found = []
        for path, headers in self.paths.items():
            sent = {**headers, **({"Content-Type": kind} if kind else {})}
            async with running.public.post(path, data=body, headers=sent, allow_redirects=False) as answer:
                await answer.read()
                self.refused += answer.status >= 400 and path != "/nowhere" and not path.startswith("/u/")
                if answer.status >= 500 or (answer.status >= 400 and not _has_reason(path, answer.headers)):
                    found.append((path, answer.status))
        return found


def _has_reason(path: str, headers: Any) -> bool:
    return "X-Headwater-Reason" in headers or path.startswith("/u/")  # people read that one


def _paths(running: Running, known: dict[str, str]) -> Iterator[str]:
    """Yield the paths of the routes that take POST, with their names filled in."""
    for route in running.parts.public.router.routes():
        if route.method not in {"POST", "*"} or route.resource is None:
            continue
        path = route.resource.canonical
        names = {**known, "source": "hook1"} if path.startswith("/h/") else known
        for kind in _KINDS.get(path.partition("{kind}")[0], ("track",)):
            yield re.sub(r"\{(\w+)\}", lambda name: {**names, "kind": kind}[name[1]], path)  # noqa: B023


def recorded() -> Iterator[tuple[str, dict[str, Any], bytes]]:
    """Yield site, request and inflated body of what was recorded of other systems' clients."""
    for path in RECORDINGS:
        golden = orjson.loads(path.read_bytes())
        for request in golden["requests"]:
            body = base64.b64decode(request["body"])
            if body.startswith(b"\x1f\x8b"):
                body = gzip.decompress(body)
            headers = {key: each for key, each in request["headers"].items() if key != "Content-Encoding"}
            yield golden["key"], {**request, "headers": headers}, body
