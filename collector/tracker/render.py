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
from collector.sources.options import without_defaults
from collector.sources.tracker_token import NO_TOKEN

if TYPE_CHECKING:
    from collector.model import Source

_DIGEST_LENGTH = 16
_BROTLI_BEST = 11
_SWITCHED_OFF = b"/* This source is switched off. */\n"


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
    """Return the tracker of a source, rendered and compressed once for each version of its settings.

    That of a source that is switched off does nothing: caches then replace the one they hold.
    """
    if not source.enabled:
        return _switched_off()
    config = tracker_config(source)
    features = chosen_features(source)
    return _render(source.settings.preset, features, _idle(source), frozenset(config), escaped_json(config))


def chosen_features(source: Source) -> tuple[str, ...]:
    """Return the features added to the preset: those of the settings, and those that the privacy needs."""
    privacy = source.privacy
    added = list(source.settings.features)
    if privacy.visitors == "cookie":
        added += ["session"] if privacy.cookie == "server" else ["visitor", "session"]
    if privacy.consent == "required":
        added.append("consent")
    if source.settings.asks_for_token:
        added.append("token")
    return tuple(added)


def tracker_config(source: Source) -> dict[str, Any]:
    """Return what the tracker must know of its source; what equals the tracker's default is left out."""
    privacy = source.privacy
    config = without_defaults(source.settings.options)
    if source.settings.asks_for_token:
        config["token"] = ""  # the place of the one that holds when the file is served
    if privacy.visitors != "cookieless":
        config["privacy"] = privacy.visitors
    if privacy.visitors == "cookie" and privacy.cookie == "server":
        config.setdefault("credentials", "same-origin")
    if privacy.consent == "required" and privacy.before_consent == "nothing":
        config["consent"] = "required"
    if not _idle(source) and "privacy" in _names(source.settings.preset, chosen_features(source)):
        config |= {"ignoreGpc": True} if privacy.gpc != "drop" else {}
        config |= {"dnt": True} if privacy.dnt == "drop" else {}
    return config


def _idle(source: Source) -> frozenset[str]:
    """Name the fragments with nothing to do: what is not to be dropped is for the collector to decide."""
    return frozenset() if "drop" in {source.privacy.gpc, source.privacy.dnt} else frozenset({"privacy"})


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
def served(body: bytes, token: str) -> Rendered:
    """Return a tracker as it is served; one that has a place for a token sends this one along."""
    return packed(body.replace(NO_TOKEN, NO_TOKEN[:-1] + token.encode() + b'"'))


@lru_cache(1)
def _switched_off() -> Rendered:
    return packed(_SWITCHED_OFF)


@lru_cache(1024)
def _render(
    preset: str, features: tuple[str, ...], idle: frozenset[str], told: frozenset[str], config: str
) -> Rendered:
    chosen = [fragment for fragment in build().choose(preset, features) if fragment.name not in idle]
    told = told.union(*(fragment.sets for fragment in chosen))
    fragments = [fragment.code_for(told) for fragment in chosen]
    sliced = any(fragment.name == "slices" for fragment in chosen)
    return packed(_template().render(fragments=fragments, sliced=sliced, config=config).strip().encode())


@lru_cache(1024)
def _names(preset: str, features: tuple[str, ...]) -> frozenset[str]:
    return frozenset(fragment.name for fragment in build().choose(preset, features))


@lru_cache(1)
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(asset("templates"))
    environment = jinja2.Environment(loader=loader)  # noqa: S701 - JavaScript: built code and escaped JSON
    return environment.get_template("tracker.js.j2")
