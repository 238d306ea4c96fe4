"""Who an event may be about: consent, the signals of privacy, and the visitor's id in the source's mode."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from collector.enrich.client import network
from collector.model import Reason, Refusal
from collector.protocols.dialect import IDS, OWN_PARTS
from collector.recall import remembered
from collector.store.salts import SESSION_MS

if TYPE_CHECKING:
    from collections import OrderedDict

    from collector.model import Event, Hit, Privacy
from collector.store.salts import Salts

# What names a person or follows one; an anonymous event has none of it.
_NAMES = ("anonymousId", "userId", "sessionId", "traits", "groupId", "previousId")
_IN_CONTEXT = ("ip", "traits", "userAgentData", "journey")
_ABOUT_PEOPLE = ("identify", "group", "alias")
_MOST_LATE = 200_000
_DAY_LETTERS = len("2026-01-31")


class Visitors:
    """The judge of who an event is about. Cookieless ids come from the salts of today and yesterday."""

    def __init__(self, salts: Salts) -> None:
        self._salts = salts
        self._hit: Hit | None = None  # the latest, and what holds for all its events
        self._wish = ""
        self._latest: tuple[Hit, Any, str] | None = None

    def forget(self) -> None:
        """Forget the latest hit."""
        self._hit = self._latest = None

    def judge(self, event: Event, hit: Hit) -> Refusal | None:
        """Give the event the visitor that the source's privacy allows, or say why it is not kept."""
        privacy = hit.source.privacy
        if hit is not self._hit:
            self._hit, self._wish = hit, objection(hit, privacy)
        wish = self._wish
        if wish == "drop":
            return Refusal(Reason.OPTED_OUT)
        anonymous = privacy.visitors == "anonymous" or wish == "anonymous"
        if privacy.consent == "required" and not consented(event.message["context"]):
            if privacy.before_consent == "nothing" or event.type != "page":
                return Refusal(Reason.CONSENT_MISSING)
            anonymous = True
        if anonymous:
            return _make_anonymous(event)
        if hit.visitor:
            event.visitor = event.message["anonymousId"] = hit.visitor
        if privacy.visitors == "cookieless" and hit.source.bridge == "web":
            event.visitor = event.message["anonymousId"] = self.cookieless(event, hit)
            _forget_lasting_ids(event)
        return None

    def cookieless(self, event: Event, hit: Hit) -> str:
        """Return the visitor's id of the day; yesterday's while a session goes on over midnight."""
        page = event.message["context"].get("page")
        if hit.archived:
            return self._of_archive(event, page, hit)
        if self._latest is None or self._latest[0] is not hit or self._latest[1] is not page:
            self._latest = hit, page, self._of_the_day(page, hit)  # the events of a hit are of one visitor
        return self._latest[2]

    def _of_archive(self, event: Event, page: Any, hit: Hit) -> str:
        """Return the visitor's id of a day that is over: its salt is gone, today's goes with the next ones.

        The archive's own id tells visitors apart where it has one.
        """
        own = event.message.get("anonymousId") or event.message.get("userId")
        who = (own,) if own else (network(hit.address), hit.headers.get("User-Agent", "")[:512])
        parts = (hit.source.id, _site(page, hit), *who, event.message["timestamp"][:_DAY_LETTERS])
        return _hash(parts, self._salts.current)

    def _of_the_day(self, page: Any, hit: Hit) -> str:
        agent = hit.headers.get("User-Agent", "")[:512]
        told = (hit.source.id, _site(page, hit), network(hit.address), agent)
        late = self._salts.late
        if self._salts.previous and late:
            yesterdays = _hash(told, self._salts.previous)
            if hit.received_at - late.get(yesterdays, 0) < SESSION_MS:
                _remember(late, yesterdays, hit.received_at)
                return yesterdays
        todays = _hash(told, self._salts.current)
        if self._salts.near_midnight(hit.received_at):
            _remember(late, todays, hit.received_at)
        return todays


def objection(hit: Hit, privacy: Privacy) -> str:
    """Return what the source does about the visitor's signal: record, anonymous or drop; empty without one.

    Global Privacy Control is ``Sec-GPC: 1`` and nothing else: https://www.w3.org/TR/gpc/
    """
    if hit.headers.get("Sec-GPC") == "1":
        return privacy.gpc
    if privacy.dnt != "ignore" and hit.headers.get("DNT") == "1":
        return privacy.dnt
    return ""


def consented(context: dict[str, Any]) -> bool:
    """Tell whether a context carries a category that was granted."""
    consent = context.get("consent")
    values = consent.values() if isinstance(consent, dict) else ()
    return any(value is True or value == "granted" for value in values)


def _make_anonymous(event: Event) -> Refusal | None:
    if event.type in _ABOUT_PEOPLE:
        return Refusal(Reason.OPTED_OUT, f"Of {event.type} nothing would be left.")
    for key in _NAMES:
        event.message.pop(key, None)
    context = event.message["context"]
    event.message["context"] = {  # what is kept of other dialects as it came may name anybody
        key: value for key, value in context.items() if key not in _IN_CONTEXT and key not in OWN_PARTS
    }
    event.visitor = ""
    return None


def _forget_lasting_ids(event: Event) -> None:
    """Take the ids out that a dialect's client keeps in the browser and that no place was found for."""
    context = event.message["context"]
    if OWN_PARTS.isdisjoint(context):  # nearly always
        return
    for name in OWN_PARTS & context.keys():
        held = context[name]
        if isinstance(held, dict) and IDS in held:  # the context is shared by events: it is not written in
            rest = {key: value for key, value in held.items() if key != IDS}
            event.message["context"] = context = {**context, name: rest}


def _site(page: Any, hit: Hit) -> str:
    url = page.get("url") if isinstance(page, dict) else None
    address = url if isinstance(url, str) else hit.headers.get("Origin", "")
    return address.partition("://")[2].partition("/")[0]


@remembered(4096)
def _hash(told: tuple[str, ...], salt: bytes) -> str:
    return blake2b("\0".join(told).encode(), key=salt, digest_size=16).hexdigest()


def _remember(late: OrderedDict[str, int], visitor: str, now: int) -> None:
    late[visitor] = now
    late.move_to_end(visitor)
    while len(late) > _MOST_LATE:
        late.popitem(last=False)
