"""The tab Deliveries: what came to a webhook or rest source, its verdict, and once more what was kept."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from aiohttp import web

from collector.access import Role
from collector.access.gate import posted
from collector.console.advice import advice
from collector.console.guard import require
from collector.console.tabs import tab
from collector.model import Refusal
from collector.replay import replay
from collector.sources.secret import MASK

if TYPE_CHECKING:
    from collector.console.parts import Parts

_BRIDGES = ("webhook", "rest")
_CREDENTIALS = {"authorization", "x-gitlab-token", "x-webhook-token", "x-write-key"}
_IN_TEXT = re.compile(r"((?:writeKey|secret|access_token)(?:=|\\?\":\s*\\?\"))[^&\"\s]+")
_ENTRY = re.compile(r"\d{1,20}-\d{1,20}")


async def deliveries(parts: Parts, request: web.Request) -> web.Response:
    """Show the last deliveries of a source with their verdicts."""
    return await _page(parts, request)


@require(Role.EDITOR)
async def again(parts: Parts, request: web.Request) -> web.Response:
    """Take a kept delivery once more, by the source as it is now."""
    source = parts.source(request)
    entry = (await posted(request)).get("entry", "")
    if source.bridge not in _BRIDGES or not _ENTRY.fullmatch(entry):
        raise web.HTTPNotFound
    verdict = "It is not kept any more."
    async for _, became in replay(parts.pipeline, parts.deliveries, source, {entry}):
        if isinstance(became, Refusal):
            verdict = f"Refused again: {became.message}"
        else:
            verdict = ", ".join(sorted({outcome.verdict for outcome in became})) or "no event"
    return await _page(parts, request, verdict=verdict)


async def _page(parts: Parts, request: web.Request, *, verdict: str = "") -> web.Response:
    source = parts.source(request)
    if source.bridge not in _BRIDGES:
        raise web.HTTPNotFound
    rows = await parts.deliveries.last(source.id)
    secrets = [secret.get_secret_value() for secret in getattr(source.settings, "secrets", ())]
    for row in rows:
        row["came"] = _as_it_came(row["raw"], secrets) if "raw" in row else ""
    address = f"{parts.public}/h/{source.id}" if source.bridge == "webhook" else f"{parts.public}/v1/…"
    return tab(source, request, "deliveries", rows=rows, advice=advice, address=address, verdict=verdict)


def _as_it_came(raw: dict[str, Any], secrets: list[str]) -> str:
    """Return a kept delivery as text, without what would let its reader send in the provider's name."""
    headers = [
        f"{name}: {'(hidden)' if name.lower() in _CREDENTIALS else value}"
        for name, value in raw["headers"].items()
    ]
    body = base64.b64decode(raw["body"]).decode(errors="replace")
    text = "\n".join([f"{raw['method']} {raw['url']}", *headers, "", body])
    for secret in secrets:
        text = text.replace(secret, MASK)
    return _IN_TEXT.sub(rf"\1{MASK}", text)
