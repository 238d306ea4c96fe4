"""The tab Install: what to paste or call at the real address, and a box that waits for the first event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from collector import __version__
from collector.assets import asset
from collector.console.live import row
from collector.console.tabs import tab
from collector.protocols.presets import PRESETS
from collector.stream.feed import REFUSED
from collector.tracker import about_pinning, render, snippet

if TYPE_CHECKING:
    from aiohttp import web

    from collector.console.parts import Parts
    from collector.model import Source

# Those of docs/first-party, which the tests run.
_RECIPES = {
    "nginx": "nginx.conf",
    "Caddy": "Caddyfile",
    "Cloudflare Worker": "worker.js",
    "Vercel": "vercel.json",
    "Netlify": "netlify.toml",
}
_LOCAL = ("127.0.0.1", "localhost", "::1")


async def install(parts: Parts, request: web.Request) -> web.Response:
    """Show how data gets to the source."""
    source = parts.source(request)
    since = await parts.feed.ends((*source.streams, REFUSED))
    last = await parts.feed.last(source.id, source.streams, 1)
    refused = [] if last else await parts.feed.last(source.id, [REFUSED], 1)
    heard = (await parts.figures.last([source.id]))[source.id]
    public = parts.public
    return tab(
        source,
        request,
        "install",
        way=f"console/install_{source.bridge}.html",
        public=public,
        host=urlsplit(public).netloc,
        local=urlsplit(public).hostname in _LOCAL,
        since=",".join(since),
        state="good" if last else "bad" if refused else "",
        heard=heard,
        entries=[row(source, entry) for entry in last or refused],
        **_OF_BRIDGE.get(source.bridge, _nothing)(source, public, parts.ports.public),
    )


def _web(source: Source, public: str, port: int) -> dict[str, Any]:
    return {
        "tags": {
            "plain": snippet(source, public),
            "pinned": snippet(source, public, integrity=True) if source.enabled else "",
            "own": snippet(source, "/in"),
        },
        "recipes": recipes(public, port),
        "pinning": about_pinning(source),
        "digest": render(source).digest,
        "version": __version__,
        "global": source.settings.options.get("global", "headwater"),
    }


def recipes(public: str, port: int) -> dict[str, str]:
    """Return how each server passes a path of a website on to this collector."""
    folder = asset("docs/first-party")
    texts = {name: (folder / file).read_text(encoding="utf-8") for name, file in _RECIPES.items()}
    return {
        name: text.replace("https://collect.example.com", public).replace(
            "127.0.0.1:8080", f"127.0.0.1:{port}"
        )
        for name, text in texts.items()
    }


def _webhook(source: Source, public: str, _port: int) -> dict[str, Any]:
    return {
        "address": f"{public}/h/{source.id}",
        "preset": PRESETS[source.settings.preset],
        "secrets": source.settings.model_dump()["secrets"],
    }


def _nothing(_source: Source, _public: str, _port: int) -> dict[str, Any]:
    return {}


_OF_BRIDGE = {"web": _web, "webhook": _webhook}
