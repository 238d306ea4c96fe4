"""The shapes of requests and answers, as the OpenAPI document shows them."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from collector.sources import SETTINGS, SourceForm


class Strict(BaseModel):
    """A shape without unknown fields."""

    model_config = ConfigDict(extra="forbid")


_SETTINGS: Any = reduce(or_, SETTINGS.values())
_TYPED: Any = (_SETTINGS, Field(default_factory=dict, description="Settings of the bridge."))
_FIELDS: dict[str, Any] = {name: (each.annotation, each) for name, each in SourceForm.model_fields.items()}
_CHANGES: dict[str, Any] = {
    name: (Annotated[each.annotation, Field(description=each.description), *each.metadata], None)
    for name, each in SourceForm.model_fields.items()
    if name not in {"id", "bridge"}
}
_LOOSE: Any = (dict[str, Any], Field(None, description="Settings of the bridge to change, by name."))

# What is written: the form of a source with the settings of each bridge spelled out. The form itself checks.
SourceNew: type[BaseModel] = create_model("SourceNew", __base__=Strict, **{**_FIELDS, "settings": _TYPED})
SourceChange: type[BaseModel] = create_model(
    "SourceChange", __base__=Strict, **{**_CHANGES, "settings": _LOOSE}
)


class SourceView(Strict):
    """A source. Secrets among its settings are masked; a mask that is sent back stands for its secret."""

    id: str
    name: str
    description: str
    channel: str
    bridge: str
    enabled: bool
    transitional: bool
    tags: list[str]
    stream: str
    retention_hours: int
    privacy: dict[str, Any]
    enrichment: dict[str, Any]
    settings: dict[str, Any] = Field(description="Those that differ from their defaults.")
    created: str = Field(description="When it was made: ISO 8601, UTC.")
    updated: str = Field(description="When it was last changed.")
    version: int = Field(description="Goes up by one with each change.")


class SourcePage(Strict):
    """Some of the sources; ``next`` is the cursor of those that follow, absent on the last page."""

    items: list[SourceView]
    next: str | None = None


class PageQuery(Strict):
    """Where a list begins and how long it is."""

    cursor: str = Field("", max_length=500, description="`next` of the page before.")
    limit: int = Field(50, ge=1, le=200, description="Most items.")


class SourceQuery(PageQuery):
    """Which sources."""

    bridge: str = Field("", max_length=50)
    channel: str = Field("", max_length=50)
    tag: str = Field("", max_length=50)
    q: str = Field("", max_length=200, description="Words in id, name, description and tags.")


class SnippetQuery(Strict):
    """Which variant of the tag."""

    integrity: bool = Field(default=False, description="Pin the bytes (Subresource Integrity).")
    proxy: str | None = Field(
        None, max_length=500, description="Path on your own site that you forward to the collector."
    )


class Snippet(Strict):
    """The tag to paste into a page's head."""

    html: str


class Statement(Strict):
    """A part of the plain privacy statement."""

    heading: str
    text: str


class Statements(Strict):
    """What a source collects and keeps, ready for a privacy page."""

    items: list[Statement]


class FieldChange(Strict):
    """A field that was changed, secrets masked; absent is one that had its default."""

    path: str
    before: Any = None
    after: Any = None


class ChangeView(Strict):
    """Who changed what, when. ``who`` is empty for the collector itself."""

    at: str
    who: str
    what: Literal["add", "change", "remove"]
    version: int
    fields: list[FieldChange]


class ChangePage(Strict):
    """Some of the changes, the latest first."""

    items: list[ChangeView]
    next: str | None = None


class Trial(Strict):
    """A hit to try: a body as the source's senders write it, with headers and address if they matter."""

    body: Any
    headers: dict[str, str] = Field(default={}, max_length=100)
    address: str | None = Field(None, max_length=100)


class TrialReport(Strict):
    """What would become of each item of the hit, and the part of each step, judge and rule in it."""

    items: list[dict[str, Any]]


class KeyNew(Strict):
    """A write key to make."""

    label: str = Field("", max_length=100, description="Who uses it.")
    origins: list[Annotated[str, Field(max_length=300)]] = Field(
        default=[], max_length=20, description="Origins that may use it: makes it a browser key."
    )


class KeyRotation(Strict):
    """How the old key ends."""

    overlap_hours: float = Field(24, ge=0, le=24 * 365, description="How long it still works.")


class KeyView(Strict):
    """A write key; the key itself is not kept."""

    id: str
    label: str
    origins: list[str]
    created: str
    expires: str = Field(description="When it ends; empty for never.")


class KeyList(Strict):
    """The write keys of a source."""

    items: list[KeyView]


class KeyMade(Strict):
    """A key, whole: the only time that it can be read."""

    key: str


class LinksNew(Strict):
    """The links of one mail to one recipient."""

    message: str = Field(min_length=1, max_length=200, description="Id of the message or campaign.")
    recipient: str = Field(
        min_length=1, max_length=200, description="Random id or keyed hash of the recipient, no address."
    )
    targets: list[Annotated[str, Field(max_length=2000)]] = Field(
        max_length=1000, description="Where the links lead."
    )
    parameters: dict[str, str] = Field(
        default={}, max_length=20, description="Added to each target where absent."
    )
    consented: bool = Field(default=False, description="Whether the recipient has agreed to be recorded.")


class LinksMade(Strict):
    """Signed addresses, in the order of the targets; null where a link must stay as it is."""

    links: list[str | None]
    pixel: str
    unsubscribe: str


class ShortLinkNew(Strict):
    """A short link for print, QR codes or SMS."""

    target: str = Field(max_length=2000)
    label: str = Field("", max_length=200, description="Where it is printed or sent.")


class ShortLinkView(Strict):
    """A short link with its address."""

    id: str
    url: str
    target: str
    label: str
    created: str


class ShortLinkList(Strict):
    """The short links of a source."""

    items: list[ShortLinkView]


class SigningKeyId(Strict):
    """The id of the key that signs from now on."""

    id: str


class Recipients(Strict):
    """Recipients of mails, by the ids that links name them by."""

    recipients: list[Annotated[str, Field(min_length=1, max_length=255)]] = Field(
        min_length=1, max_length=10_000
    )
    undo: bool = Field(default=False, description="They have consented anew: record them again.")


class Count(Strict):
    """How many."""

    count: int


class LastQuery(Strict):
    """How many."""

    limit: int = Field(50, ge=1, le=200, description="Most items.")


class EntryView(Strict):
    """An event as it stands in a stream."""

    stream: str
    id: str = Field(description="Id of the entry.")
    event: dict[str, Any]


class EntryList(Strict):
    """The last events, newest first."""

    items: list[EntryView]


class RefusalView(Strict):
    """A hit or an event that was not accepted."""

    id: str
    at: float = Field(description="Seconds since 1970.")
    source: str
    reason: str = Field(description="From the closed list: docs/reasons.md.")
    help: str
    detail: str
    where: str = Field(description="Which part of the hit.")


class RefusalList(Strict):
    """The last refusals, newest first."""

    items: list[RefusalView]


class FiguresQuery(Strict):
    """Which span."""

    report: Literal["hour", "day", "week"] = "day"


class FigurePoint(Strict):
    """The counts of one step."""

    at: int = Field(description="Seconds since 1970.")
    counts: dict[str, int] = Field(description="Events, views, bots, duplicates, refused, dropped.")


class TopValue(Strict):
    """A value and how often it came."""

    value: str
    count: int


class TopList(Strict):
    """The values that came most often; not exact when some had to give way."""

    values: list[TopValue]
    exact: bool


class Figures(Strict):
    """What a source took in a span of time."""

    begin: int = Field(description="Seconds since 1970.")
    step: int = Field(description="Seconds from one point to the next.")
    points: list[FigurePoint]
    visitors: int
    lists: dict[str, TopList]


class TestNew(Strict):
    """A test to send: its kind depends on the bridge."""

    kind: str = Field(
        max_length=50,
        description="web: page, click, form, track; rest: track, page, identify; webhook: delivery;"
        " email: open.",
    )
    event: str = Field("", max_length=200, description="Name of the event, where one can be chosen.")
    properties: dict[str, Any] = Field(default={}, max_length=100)


class TestResult(Strict):
    """What the public door answered, and where the event is stored; absent when it waits in the spool."""

    status: int
    reason: str = Field(description="Why it was refused; empty when it was not.")
    answer: str
    entry: EntryView | None = None


class MailRecipient(Strict):
    """Someone a mail is for, by a random id or keyed hash, no address."""

    recipient: str = Field(min_length=1, max_length=200)
    consented: bool = False


class MailsNew(Strict):
    """A mail for many recipients."""

    message: str = Field(min_length=1, max_length=200, description="Id of the message or campaign.")
    kind: Literal["html", "text", "mime"] = "html"
    mail: str = Field(max_length=2_000_000, description="The template: HTML, text or a whole message.")
    recipients: list[MailRecipient] = Field(min_length=1, max_length=10_000)
    parameters: dict[str, str] = Field(default={}, max_length=20, description="Added to links where absent.")
    unsubscribes: bool = Field(default=False, description="Track unsubscribe links too.")


class MailMade(Strict):
    """The mail of one recipient: a line of the answer."""

    recipient: str
    mail: str


class PersonQuery(Strict):
    """Who is meant: any of these fits. In the body, so that no log of addresses names people."""

    user: str = Field("", max_length=500, description="The user's id (userId).")
    visitor: str = Field("", max_length=500, description="The visitor's id (anonymousId).")
    email: str = Field("", max_length=500, description="E-mail address, or its SHA-256.")


class PersonPageQuery(PersonQuery):
    """Who is meant, and which part of the timeline."""

    cursor: str = Field("", max_length=500, description="`next` of the page before.")
    limit: int = Field(50, ge=1, le=200, description="Most events.")


class Forgetting(PersonQuery):
    """Who is to be forgotten."""

    block: bool = Field(default=False, description="Keep no event of the ids from now on, in any source.")


class HeldView(Strict):
    """An event of a person, and where it is."""

    stream: str
    entry: str
    event: dict[str, Any]


class Timeline(Strict):
    """Some of the events of a person, newest first."""

    items: list[HeldView]
    next: str | None = None


class ExportLine(Strict):
    """A line of an export: an event of a stream, one that waits in the spool, or a kept delivery."""

    stream: str = Field("", description="Name of the stream's key.")
    entry: str = ""
    spool: str = Field("", description="Stream that the event waits for.")
    event: dict[str, Any] = {}
    delivery: Any = None


class ForgottenView(Strict):
    """How much was removed."""

    events: int
    deliveries: int = Field(description="Kept deliveries.")


class Me(Strict):
    """Who asks, and what they may do."""

    name: str
    scopes: list[str]


class HealthView(Strict):
    """Whether hits can be made safe, and the figures of the stream."""

    version: str
    safe: bool
    stream: dict[str, Any]
    collectors: list[dict[str, Any]] = Field(description="The processes that run, and what they know.")
    sources_fresh: bool = Field(description="Whether the sources are as in Redis, not from the snapshot.")


class Check(Strict):
    """One thing that was looked at."""

    right: bool
    name: str
    text: str


class CheckList(Strict):
    """All that was looked at; right when each is."""

    right: bool
    items: list[Check]
