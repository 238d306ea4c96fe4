"""The words of the house as plain data: Source, Hit, Event, Refusal. The standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

BRIDGES = ("web", "rest", "webhook", "email", "queue")
BROWSER_BRIDGES = ("web", "email")
_SUCCESS = 200
CHANNELS = ("Web", "Mobile", "Email", "CRM", "Call Center", "Point of Sale", "Other")
# That of a source which names none, by its bridge.
CHANNEL_OF = {"web": "Web", "rest": "CRM", "webhook": "Other", "email": "Email", "queue": "Other"}


class PlainError(Exception):
    """Something cannot be as asked; the message tells a person at the command line why, in one sentence."""


@dataclass(frozen=True, slots=True)
class Privacy:
    """What a source may keep of a person; the same for every bridge."""

    preset: str = ""
    visitors: str = "cookieless"
    cookie: str = "script"
    consent: str = "none"
    before_consent: str = "nothing"
    address: str = "none"
    gpc: str = "anonymous"
    dnt: str = "ignore"
    parameters: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    values: dict[str, str] = field(default_factory=dict)
    scan: bool = False


# The steps of enrichment that a source can do without; privacy has its own settings.
OPTIONAL_STEPS = ("place", "agent", "bots", "language", "campaign", "referrer", "channels", "paid")


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done with the events that match every field that is set; texts with ``*`` are patterns."""

    name: str
    type: str = ""
    event: str = ""
    url: str = ""
    channel: str = ""
    bot: str = ""
    properties: dict[str, Any] = field(default_factory=dict)
    drop: bool = False
    sample: float = 1
    rename: str = ""
    set: dict[str, Any] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    stream: str = ""


@dataclass(frozen=True, slots=True)
class Enrichment:
    """What is told about the events of a source, and what is done with them."""

    off: tuple[str, ...] = ()
    bots: str = "label"
    bots_stream: str = "bots"
    own_hosts: tuple[str, ...] = ()
    schema_mode: str = "off"
    schemas: dict[str, Any] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    suppress_addresses: tuple[str, ...] = ()
    suppress_visitors: tuple[str, ...] = ()
    suppress_paths: tuple[str, ...] = ()
    suppress_referrers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A configured entry point for data. ``settings`` is the typed model of its bridge."""

    id: str
    name: str
    bridge: str
    settings: Any
    description: str = ""
    channel: str = "Web"
    enabled: bool = True
    transitional: bool = False
    tags: tuple[str, ...] = ()
    stream: str = "events"
    retention_hours: int = 168
    quota_day: int = 0
    quota_month: int = 0
    privacy: Privacy = field(default_factory=Privacy)
    enrichment: Enrichment = field(default_factory=Enrichment)
    created: str = ""
    updated: str = ""
    version: int = 1

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams that events of the source can go to."""
        bots = (self.enrichment.bots_stream,) if self.enrichment.bots == "separate" else ()
        return (self.stream, *bots, *(rule.stream for rule in self.enrichment.rules if rule.stream))


@dataclass(slots=True)  # not frozen: that would triple the cost of making one
class Hit:
    """One arriving request or message, before it is understood. Times are milliseconds since 1970.

    ``url`` is the address as the sender of a delivery called it; ``path`` is what follows the source in it.
    ``proxied`` says that a trusted proxy has sent it on; ``visitor`` is the id of the server's cookie.
    ``id`` is what a broker's message is known by: events that have no id of their own get theirs from it.
    ``key`` names the write key that it came with, and is no secret. ``flags`` are noted on its events.
    ``archived`` tells that it comes from an archive, at the time it came there, with the headers kept there.
    ``anonymous`` is the sender's wish to be nobody: rates count its address, and nothing else sees it.
    """

    source: Source
    received_at: int
    body: bytes = b""
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    address: str | None = None
    method: str = "POST"
    url: str = ""
    path: str = ""
    proxied: bool = False
    visitor: str = ""
    id: str = ""
    key: str = ""
    flags: tuple[str, ...] = ()
    archived: bool = False
    anonymous: bool = False

    def of_nobody(self) -> Hit:
        """Return the hit without its address, of a source that wants to know nobody."""
        privacy = replace(self.source.privacy, visitors="anonymous")
        return replace(self, source=replace(self.source, privacy=privacy), address=None)


class SharedContext(dict[str, Any]):
    """A context that events share and nobody writes in, with its JSON: one object, a key to look up."""

    __slots__ = ("json",)
    __hash__ = object.__hash__  # type: ignore[assignment]

    def __init__(self, context: Mapping[str, Any], json: bytes) -> None:
        super().__init__(context)
        self.json = json


@dataclass(slots=True)
class Event:
    """One thing that happened: ``message`` is the Segment-shaped JSON object that will be stored."""

    index: int
    id: str
    type: str
    visitor: str
    message: dict[str, Any]
    stream: str = ""  # the source's, unless enrichment names another
    flags: tuple[str, ...] = ()  # what had to be repaired in it, beside what its hit is flagged with


@dataclass(slots=True)  # not frozen: that would triple the cost of making one, and every event has one
class Outcome:
    """What became of one event: stored, spooled, accepted, duplicate, checked, refused or dropped.

    ``accepted`` is in memory only (ack=memory); ``checked`` is not kept (a transitional source). A dropped
    one was not kept because the source wants none of its kind; its sender did nothing wrong.
    """

    index: int
    verdict: str
    id: str | None = None
    entry: str | None = None
    refusal: Refusal | None = None


KEPT = frozenset({"stored", "spooled", "accepted"})  # the verdicts of events that were taken


class Reason(Enum):
    """Why a hit or an event is refused: the closed list, with the HTTP status and a sentence for people."""

    NOT_FOUND = ("not_found", 404, "Nothing is served at this path.")
    METHOD_NOT_ALLOWED = ("method_not_allowed", 405, "This path does not take this HTTP method.")
    BAD_REQUEST = ("bad_request", 400, "The HTTP request itself cannot be read.")
    UNKNOWN_SOURCE = ("unknown_source", 404, "No source has this id or alias.")
    SOURCE_DISABLED = ("source_disabled", 403, "The source is switched off.")
    UNKNOWN_KEY = ("unknown_key", 401, "The write key is missing, unknown, expired or revoked.")
    BAD_SIGNATURE = ("bad_signature", 401, "None of the source's secrets signed this delivery.")
    STALE_SIGNATURE = ("stale_signature", 401, "The signed time is too far from now.")
    BAD_LINK = ("bad_link", 404, "The link is not signed by the source, damaged, or older than its keys.")
    TRAPPED = ("trapped", 400, "A field that people do not see was filled in.")
    RATE_LIMITED = ("rate_limited", 429, "Too many hits in a short time; wait as long as Retry-After says.")
    OVERLOADED = ("overloaded", 503, "The collector sheds load; send it again as late as Retry-After says.")
    SAMPLED = ("sampled", 200, "The collector sheds load and did not draw this event.")
    QUOTA_EXCEEDED = ("quota_exceeded", 429, "The source has taken all the events of its day or month.")
    ORIGIN_FORBIDDEN = ("origin_forbidden", 403, "The source does not allow this origin.")
    BAD_TOKEN = ("bad_token", 403, "The hit carries no token of the source's tracker, or one that has ended.")
    CONSENT_MISSING = ("consent_missing", 403, "The source needs consent and the event carries none.")
    TOO_LARGE = ("too_large", 413, "The body is larger than the limit on the wire.")
    INFLATED_TOO_LARGE = ("inflated_too_large", 413, "The body is larger than the limit once inflated.")
    UNKNOWN_ENCODING = ("unknown_encoding", 415, "Content-Encoding may be gzip or deflate.")
    BAD_ENCODING = ("bad_encoding", 400, "The compressed body is broken.")
    BODY_TIMEOUT = ("body_timeout", 408, "The body did not arrive in time.")
    EMPTY_BODY = ("empty_body", 400, "The request has no body.")
    NOT_UTF8 = ("not_utf8", 400, "The body is not UTF-8.")
    NOT_JSON = ("not_json", 400, "The body is not JSON.")
    NOT_A_NUMBER = ("not_a_number", 400, "NaN and Infinity are not JSON numbers.")
    TOO_DEEP = ("too_deep", 400, "Objects or lists are nested too deeply.")
    TOO_MANY_PARTS = ("too_many_parts", 413, "The body has more objects, lists or values than the limit.")
    NOT_AN_OBJECT = ("not_an_object", 400, "An object belongs here.")
    NOT_A_LIST = ("not_a_list", 400, "A list belongs here.")
    TOO_MANY_EVENTS = ("too_many_events", 413, "The batch has more events than the limit.")
    EVENT_TOO_LARGE = ("event_too_large", 413, "The event is larger than the limit for one event.")
    UNKNOWN_TYPE = ("unknown_type", 400, "type must be one of the known event types.")
    MISSING_FIELD = ("missing_field", 400, "A field that this type of event needs is missing.")
    WRONG_TYPE = ("wrong_type", 400, "A field has a value of the wrong type.")
    FIELD_TOO_LONG = ("field_too_long", 400, "A field is longer than its limit.")
    OPTED_OUT = (
        "opted_out",
        200,
        "The visitor's privacy signal or the source's mode leaves nothing to keep.",
    )
    SCHEMA = ("schema", 400, "The payload does not fit the schema of its event.")
    SUPPRESSED = ("suppressed", 200, "The event stands on a list of what the source does not want.")
    RULE = ("rule", 200, "A rule of the source drops the event or did not draw it.")
    BOT = ("bot", 200, "The event is a bot's, and the source drops those.")
    TRACKER_UNAVAILABLE = (
        "tracker_unavailable",
        503,
        "The earlier tracker that a part of the visitors runs cannot be read.",
    )
    BAD_LINE = ("bad_line", 400, "A line of an archive is not in its format.")
    STREAM_UNAVAILABLE = ("stream_unavailable", 503, "The event could not be made safe; send it again later.")
    INTERNAL = ("internal", 500, "The collector failed; the fault is logged.")

    def __init__(self, code: str, status: int, help_text: str) -> None:
        self.code = code
        self.status = status
        self.help = help_text


class Refusal(Exception):  # noqa: N818 - the house's word for a hit or event that is not accepted
    """A hit or event that is not accepted: a reason from the closed list and, if useful, where and what.

    ``source`` is the id of the source that refuses it, when it was found before the hit was.
    """

    def __init__(
        self, reason: Reason, detail: str = "", *, retry_after: int | None = None, source: str = ""
    ) -> None:
        super().__init__(reason.code, detail)
        self.reason = reason
        self.detail = detail
        self.retry_after = retry_after
        self.source = source

    @property
    def dropped(self) -> bool:
        """Whether the source wants none of it: the sender did nothing wrong and need not know."""
        return self.reason.status == _SUCCESS

    @property
    def message(self) -> str:
        """One sentence for the sender; never anything secret."""
        return f"{self.reason.help} {self.detail}".rstrip()
