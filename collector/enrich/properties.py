"""The properties and traits of an event: what must not be kept goes, what must not be told is rewritten."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from collector import metrics
from collector.enrich import redact
from collector.protocols.dialect import IN_PATH, OWN_PARTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.model import Event, Hit, Privacy

_PARTS = OWN_PARTS.union(IN_PATH)
_IN_CONTEXT = ("traits", *sorted(_PARTS))
_MASKED = "***"
_SHOWN = 4  # of a masked text, at its end, if that is no more than a third of it


def judge(event: Event, hit: Hit) -> None:
    """Remove, rewrite and redact what the source says; count every redaction, the page's included."""
    privacy = hit.source.privacy
    context = event.message["context"]
    acts = privacy.remove or privacy.values or privacy.scan
    if not acts and "redacted" not in context and _PARTS.isdisjoint(context):
        return  # nearly always
    if "properties" in event.message and not context.keys().isdisjoint(IN_PATH):
        event.message["properties"] = _clean_addresses(event.message["properties"], privacy.parameters)
    context = event.message["context"] = _with_clean_addresses(context, privacy)
    found: Counter[str] = Counter(context.get("redacted", {}))
    if acts:
        for place in ("properties", "traits"):
            if held := event.message.get(place):
                event.message[place] = _kept(held, privacy, found)
        for name in _IN_CONTEXT:  # the context is shared by events: it is not written in
            if held := context.get(name):
                event.message["context"] = context = {**context, name: _kept(held, privacy, found)}
    for kind, times in found.items():
        metrics.redacted(hit.source.id, kind, times)


def _with_clean_addresses(context: dict[str, Any], privacy: Privacy) -> dict[str, Any]:
    """Return the context with the addresses of other dialects cleaned as the page is: they repeat its."""
    for name in _PARTS & context.keys():
        context = {**context, name: _clean_addresses(context[name], privacy.parameters)}
    return context


def _clean_addresses(value: Any, parameters: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {key: _clean_addresses(item, parameters) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean_addresses(item, parameters) for item in value]
    if isinstance(value, str) and value.startswith(("http://", "https://")):
        return redact.address(value, parameters)[0]
    return value


def _kept(value: Any, privacy: Privacy, found: Counter[str]) -> Any:
    """Return a value as it is kept: names count wherever they are nested."""
    if isinstance(value, dict):
        return {
            key: _rewritten(item, REWRITINGS[privacy.values[key]])
            if key in privacy.values
            else _kept(item, privacy, found)
            for key, item in value.items()
            if key not in privacy.remove
        }
    if isinstance(value, list):
        return [_kept(item, privacy, found) for item in value]
    if privacy.scan and isinstance(value, str):
        clean, kinds = redact.text(value)
        found.update(kinds)
        return clean
    return value


def _rewritten(value: Any, rewrite: Callable[[str], str]) -> Any:
    """Return a value with all texts and numbers in it rewritten; true, false and nothing stay."""
    if isinstance(value, dict):
        return {key: _rewritten(item, rewrite) for key, item in value.items()}
    if isinstance(value, list):
        return [_rewritten(item, rewrite) for item in value]
    return value if value is None or isinstance(value, bool) else rewrite(str(value))


def _hash(text: str) -> str:
    """Return the SHA-256 of a text in lower case, as advertisers and mail services write it."""
    return sha256(text.strip().lower().encode(errors="replace")).hexdigest()


def _mask(text: str) -> str:
    return _MASKED + (text[-_SHOWN:] if len(text) >= 3 * _SHOWN else "")


def _shorten(text: str) -> str:
    return text[:_SHOWN]


REWRITINGS: dict[str, Callable[[str], str]] = {"hash": _hash, "mask": _mask, "shorten": _shorten}
