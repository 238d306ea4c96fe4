"""Render a source's tracker: built fragments and one escaped JSON config in, bytes for caches out.

The bytes are a function of the source's settings and the build alone; nothing of a request enters them.
"""

from __future__ import annotations

import gzip
import hashlib
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import brotli
import jinja2
import orjson

from collector.assets import asset
from collector.sources.features import build

if TYPE_CHECKING:
    from collector.model import Source

_DIGEST_LENGTH = 16
_BROTLI_BEST = 11


@dataclass(frozen=True, slots=True)
class Rendered:
    """A tracker as it is served: the bytes, their digest for paths, and both compressions."""

    body: bytes
    digest: str
    gzip: bytes
    brotli: bytes

    @property
    def integrity(self) -> str:
        """The value of a script tag's ``integrity`` attribute (Subresource Integrity, sha384)."""
        return "sha384-" + b64encode(hashlib.sha384(self.body).digest()).decode()


def render(source: Source) -> Rendered:
    """Return the tracker of a source, rendered and compressed once for each version of its settings."""
    settings = source.settings
    config = escaped_json(tracker_config(source))
    return _render(settings.preset, settings.features, config)


def tracker_config(source: Source) -> dict[str, Any]:
    """Return what the tracker must know of its source; what equals the tracker's default is left out."""
    config = dict(source.settings.options)
    if source.privacy.visitors != "cookieless":
        config["privacy"] = source.privacy.visitors
    if source.privacy.consent != "none":
        config["consent"] = source.privacy.consent
    if "privacy" in _names(source.settings.preset, source.settings.features):
        # What the tracker itself drops never arrives; all else is for the collector to decide.
        config |= {"ignoreGpc": True} if source.privacy.gpc != "drop" else {}
        config |= {"dnt": True} if source.privacy.dnt == "drop" else {}
    return config


def escaped_json(value: Any) -> str:
    """Return JSON that is safe inside a script, whatever the value holds: keys sorted, ``<`` escaped."""
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def packed(body: bytes) -> Rendered:
    """Return bytes with their digest and compressions."""
    return Rendered(
        body=body,
        digest=hashlib.sha256(body).hexdigest()[:_DIGEST_LENGTH],
        gzip=gzip.compress(body, 9, mtime=0),
        brotli=brotli.compress(body, quality=_BROTLI_BEST),
    )


@lru_cache(1024)
def _render(preset: str, features: tuple[str, ...], config: str) -> Rendered:
    fragments = [fragment.code for fragment in build().choose(preset, features)]
    return packed(_template().render(fragments=fragments, config=config).strip().encode())


@lru_cache(1024)
def _names(preset: str, features: tuple[str, ...]) -> frozenset[str]:
    return frozenset(fragment.name for fragment in build().choose(preset, features))


@lru_cache(1)
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(asset("templates"))
    environment = jinja2.Environment(loader=loader)  # noqa: S701 - JavaScript: built code and escaped JSON
    return environment.get_template("tracker.js.j2")
