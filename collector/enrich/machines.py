"""Machines that open mails and follow their links: proxies, scanners, prefetches, previews.

They are labelled, never dropped. The rules are data with a version; ``confidence`` says how surely it was no
person: high, medium, or low for what usually carries out a person's wish.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from collector.enrich import agent, bots
from collector.enrich.agent import LONGEST
from collector.enrich.data import facts
from collector.recall import remembered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collector.model import Hit

Label = dict[str, str]


def version() -> str:
    """Return the version of the rules."""
    return str(facts("mail_machines")["version"])


def label(hit: Hit, purpose: str) -> Label | None:
    """Return the kind, confidence and rule version of a machine's hit on a mail, None for a person's."""
    for rule in facts("mail_machines")["rules"]:
        if purpose in rule.get("purposes", (purpose,)) and _matches(rule, hit):
            return told(rule["kind"], rule["confidence"])
    text = hit.headers.get("User-Agent", "")[:LONGEST]
    if not text:
        return told("unknown", "medium")
    bot = bots.read(text, (agent.read(text).get("device") or {}).get("brand"))
    if bot is None:
        return None
    return told("preview" if bot["kind"] == "preview" else "bot", "high")


def told(kind: str, confidence: str, **more: str) -> Label:
    """Return a label as it stands in events."""
    return {"kind": kind, "confidence": confidence, **more, "version": version()}


def _matches(rule: dict[str, Any], hit: Hit) -> bool:
    if "method" in rule:
        return bool(hit.method == rule["method"])
    if "user_agent" in rule:
        return _is_in(rule["user_agent"], hit.headers.get("User-Agent", "")[:LONGEST])
    if "headers" in rule:
        begins = tuple(rule["begins"])
        return any(hit.headers.get(name, "").lower().startswith(begins) for name in rule["headers"])
    return _within(_host(hit.headers.get("Referer", "")), rule["referrers"])


@remembered(4096)
def _is_in(pattern: str, text: str) -> bool:
    return _pattern(pattern).search(text) is not None


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


@remembered(1024)
def _host(url: str) -> str:
    try:
        return (urlsplit(url[:LONGEST]).hostname or "").lower()
    except ValueError:
        return ""


def _within(host: str, names: Iterable[str]) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in names)
