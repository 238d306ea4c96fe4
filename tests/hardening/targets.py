"""What fuzzers and property tests throw bytes at: a target returns or raises what it may, else it failed.

A target of a protocol goes the whole way of a hit: read, understood, enriched, judged and written.
"""

from __future__ import annotations

import base64
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from multidict import CIMultiDict

from collector.addresses import client_address
from collector.archives import FORMATS
from collector.archives.units import CUTS
from collector.bridges.request import inflate
from collector.bridges.web import origin_matches
from collector.enrich import JUDGES, STEPS, Enricher, hints, redact
from collector.enrich.visitors import Visitors
from collector.lean.head import read_head
from collector.links import JOURNEY, LinkError, Mark, check_target
from collector.links.token import Signer
from collector.model import Hit, Privacy, Refusal, Source
from collector.protocols import native
from collector.protocols.decode import check_depth, parse_forgiving, to_json
from collector.protocols.dialect import Call
from collector.protocols.dialects import DIALECTS
from collector.protocols.message import message
from collector.protocols.payload import read_payload, read_query
from collector.protocols.presets import PRESETS
from collector.protocols.segment import segment, segment_lines
from collector.protocols.tracardi import Visit, collected, tracardi
from collector.protocols.webhook import Plan, webhook
from collector.records import encode, quarantined, rules_of_bridges
from collector.settings import Settings
from collector.sources import SETTINGS
from collector.store.salts import Salts
from tests.hardening.doors import recorded
from tests.hardening.hostile import BODIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.protocols import Protocol

    Target = Callable[[bytes], object]

CORPUS = Path(__file__).parent / "corpus"
_LIMIT = 64 * 1024
_NOW = 1767323045000
_STRICT = Privacy(consent="none", visitors="anonymous", scan=True, remove=("a.b",))
_SETTINGS = Settings(data=Path("/nowhere"))
_ENRICHER = Enricher(STEPS, (Visitors(Salts(None, None)).judge, *JUDGES))
_SIGNER = Signer("k1", "a secret of this test alone", "mail1")
_FORMS = ("batch", "event", "segment", "tracardi", "cloudevents", "mapping")


def _source(bridge: str, privacy: Privacy) -> Source:
    return Source(id="s1", name="S", bridge=bridge, settings=SETTINGS[bridge](), privacy=privacy)


_SOURCES = {
    (bridge, strict): _source(bridge, _STRICT if strict else Privacy(scan=True))
    for bridge in ("web", "rest", "webhook", "queue")
    for strict in (False, True)
}


def whole_way(protocol: Protocol, hit: Hit) -> None:
    """Take a hit as the spine does, up to the records; each must be JSON again."""
    rules = rules_of_bridges(_SETTINGS)[hit.source.bridge]
    batch = protocol(hit, rules.limits)
    _ENRICHER.enrich(batch.events, hit)
    _ENRICHER.judge(batch, hit)
    for record in encode(batch, hit, rules) + quarantined(batch, hit, rules):
        assert isinstance(orjson.loads(record.data), dict)


def _head(data: bytes) -> tuple[str, bytes]:
    """Return the first line as text, for what comes beside a body, and the rest as the body."""
    line, _, body = data.partition(b"\n")
    return line.decode(errors="replace"), body


def _hits(bridge: str, body: bytes, **fields: Any) -> list[Hit]:
    """Return a hit for a source that keeps much and one for a source that keeps little."""
    return [Hit(_SOURCES[bridge, strict], _NOW, body, **fields) for strict in (False, True)]


def _native(data: bytes) -> None:
    for hit in _hits("web", data):
        whole_way(native.beacon, hit)


def _pixel(data: bytes) -> None:
    query, agent = _head(data)
    headers = CIMultiDict({"User-Agent": agent.decode(errors="replace"), "Referer": query})
    for hit in _hits("web", b"", query=query, headers=headers):
        whole_way(native.pixel, hit)


def _segment(data: bytes) -> None:
    line, body = _head(data)
    kind, _, content_type = line.partition(" ")
    payload = read_payload(body, content_type)
    for hit in _hits("rest", body, headers=CIMultiDict(Origin="https://a.example")):
        whole_way(segment(payload, kind), hit)


def _lines(data: bytes) -> None:
    for hit in _hits("rest", data):
        whole_way(segment_lines(data.splitlines()), hit)


def _tracardi(data: bytes) -> None:
    query, body = _head(data)
    payload = read_payload(body, "")
    whole_way(tracardi(payload, Visit.of(payload.value)), _hits("rest", body)[0])
    value = collected(payload, read_query(query), "view", None)
    whole_way(tracardi(type(payload)("json", value, payload.flags), Visit.of(value)), _hits("rest", body)[1])


def _message(data: bytes) -> None:
    line, body = _head(data)
    form = _FORMS[len(line) % len(_FORMS)]
    for hit in _hits("queue", body, headers=CIMultiDict({"Content-Type": line, "ce-type": line})):
        whole_way(message(form, hit.source.settings.plan), hit)


def _archive(data: bytes) -> None:
    """Read an archive of a format that the first line chooses; it comes in small pieces."""
    line, body = _head(data)
    form = FORMATS[sorted(FORMATS)[len(line) % len(FORMATS)]]
    pieces = (body[at : at + 64] for at in range(0, len(body), 64))
    for unit in CUTS[form.cut](pieces, 1000):
        try:
            item = None if unit.refusal else form.read(unit.raw, "https://a.example")
        except Refusal:
            continue
        for source in (_SOURCES["web", False], _SOURCES["rest", True]) if item else ():
            with contextlib.suppress(Refusal):
                whole_way(item.protocol, item.hit(source, _NOW, "id1"))


def _webhook(data: bytes) -> None:
    line, body = _head(data)
    name, _, header = line.partition(" ")
    names = sorted(PRESETS)
    name = name if name in PRESETS else names[len(line) % len(names)]
    secrets = ("whsec_c2VjcmV0",) if len(header) % 2 else ()
    fields = ("X-Hub-Signature-256", "Stripe-Signature", "Webhook-Signature", "X-Slack-Signature", "Ce-Id")
    headers = CIMultiDict(dict.fromkeys(fields, header))
    for hit in _hits("webhook", body, headers=headers, query=header, url=f"https://a.example/h/s1?{header}"):
        whole_way(webhook(Plan(name, PRESETS[name], secrets)), hit)


def _dialect(name: str) -> Target:
    """Return the target of a dialect; the first line is method, path with query and what the headers say."""

    def target(data: bytes) -> None:
        line, body = _head(data)
        method, path, said = (*line.split(" ", 2), "", "")[:3]
        parts = path.partition("?")
        headers = CIMultiDict({"Content-Type": said, "Authorization": said, "User-Agent": said})
        sent = DIALECTS[name].read(Call(body, parts[2], headers, method, parts[0]))
        for hit in _hits("rest", body, query=parts[2], headers=headers, method=method):
            whole_way(sent.protocol, hit)

    return target


def _json(data: bytes) -> None:
    value, _ = parse_forgiving(data)
    check_depth(value, 100)
    assert to_json(parse_forgiving(to_json(value))[0]) == to_json(value)


def _payload(data: bytes) -> None:
    line, body = _head(data)
    read_payload(body, line)


def _inflate(data: bytes) -> None:
    for encoding in ("gzip", "deflate"):
        try:
            assert len(inflate(data, encoding, _LIMIT)) <= _LIMIT
        except Refusal:
            continue


def _redact(data: bytes) -> None:
    text = data.decode(errors="replace")
    for parameters in ((), ("*",)):
        cleaned = redact.clean(text, parameters)[0]
        query = redact.address("a://b?" + text, parameters)[0].partition("?")[2]
        assert not any(part.startswith(f"{JOURNEY}=") for part in query.split("&"))
        assert "user:secret@" not in redact.address(f"https://user:secret@{text}", parameters)[0]
        assert len(cleaned) <= 9 * len(text) + 40


def _token(data: bytes) -> None:
    text = data.decode(errors="replace")
    for purpose in ("click", "open", "unsubscribe", "journey"):
        assert _SIGNER.verify(purpose, text) is None  # nobody guesses one of these
    message_, _, target = text.partition("\n")
    mark = Mark(message_[:60], target[:60], len(text), target)
    assert _SIGNER.verify("click", _SIGNER.sign("click", mark)) == mark


def _link_target(data: bytes) -> None:
    check_target(data.decode(errors="surrogateescape"), ("*.shop.example",))


def _hints(data: bytes) -> None:
    line, rest = _head(data)
    hints.corrections(hints.from_headers(line, "?1", rest.decode(errors="replace")), {})
    value, _ = parse_forgiving(rest)
    if isinstance(value, dict):
        told = hints.from_tracker(value)
        hints.unfrozen("Mozilla/5.0 (Linux; Android 10; K)", told)
        hints.corrections(told, {})


def _request_head(data: bytes) -> None:
    head = read_head(data.replace(b"\n", b"\r\n") + b"\r\n\r\n")
    assert head is None or ("\n" not in head.target and head.length >= 0)


def _addresses(data: bytes) -> None:
    line, rest = _head(data)
    client_address(line, rest.decode(errors="replace").split(","), proxies=("10.0.0.0/8",))
    origin_matches(line, "https://*.shop.example")


TARGETS: dict[str, Target] = {
    "json": _json,
    "payload": _payload,
    "inflate": _inflate,
    "native": _native,
    "pixel": _pixel,
    "segment": _segment,
    "import": _lines,
    "archive": _archive,
    "tracardi": _tracardi,
    "message": _message,
    "webhook": _webhook,
    **{name: _dialect(name) for name in sorted(DIALECTS)},
    "redact": _redact,
    "token": _token,
    "link_target": _link_target,
    "hints": _hints,
    "request_head": _request_head,
    "addresses": _addresses,
}


def attempt(name: str, data: bytes) -> None:
    """Give a target some bytes. Raises what is a fault."""
    try:
        TARGETS[name](data)
    except (Refusal, LinkError):
        return


def seeds(name: str) -> list[bytes]:
    """Return what a target's corpus begins with: what was found before, recorded clients, hostile bodies."""
    file = CORPUS / f"{name}.json"
    kept = [base64.b64decode(each) for each in orjson.loads(file.read_bytes())] if file.exists() else []
    sent = [
        f"{request['method']} {request['path']} application/json\n".encode() + body
        for site, request, body in recorded()
        if site.partition(":")[0] == name
    ]
    return [*kept, *sent, *_EXAMPLES.get(name, ()), *(body[:2000] for body in BODIES)]


_EVENT = (
    b'{"type":"track","event":"E","userId":"u1","properties":{"a":[1,2.5,"x"]},'
    b'"timestamp":"2026-01-02T03:04:05Z"}'
)
_LOG = (
    b'203.0.113.7 - - [10/Oct/2025:13:55:36 +0200] "GET /a HTTP/1.1" 200 9'
    b' "https://a.example/" "Mozilla/5.0"\n'
)
_VISIT = (
    b'[{"idSite":1,"idVisit":7,"visitorId":"0123456789abcdef","lastActionTimestamp":1760097341,"actionDetails":'
    b'[{"type":"action","url":"https://a.example/"},{"type":"goal","goalId":3,"timestamp":1760097340}]}]'
)
_CADDY = (
    b'{"ts":1760097336.5,"status":200,"request":{"method":"GET","host":"a.example","uri":"/a","client_ip":'
    b'"203.0.113.7","headers":{"User-Agent":["Mozilla/5.0"]}}}'
)
_ARCHIVES = {
    "caddy": _CADDY,
    "goatcounter": b"2Path,Event,Session,Bot,Referrer,Date\n/a,false,s1,0,b.example,2025-10-10T11:55:36Z\n",
    "log": _LOG,
    "matomo-visits": _VISIT,
    "native": _EVENT,
    "segment": _EVENT,
    "snowplow-enriched": b"a\tweb\t\t2025-10-10 11:55:36\t\tpage_view\te1" + b"\t" * 124,
}
_EXAMPLES: dict[str, tuple[bytes, ...]] = {
    "archive": tuple(
        b"x" * sorted(FORMATS).index(kind) + b"\n" + content for kind, content in _ARCHIVES.items()
    ),
    "native": (
        b'{"batch":[' + _EVENT + b'],"sentAt":"2026-01-02T03:04:05Z",'
        b'"context":{"page":{"url":"https://a.b/c?d=e#f"}}}',
    ),
    "pixel": (b"event=E&p.a=1&url=https://a.example/?utm_source=x\nMozilla/5.0 (X11) Firefox/149.0",),
    "segment": (b"batch application/json\n" + b'{"batch":[' + _EVENT + b"]}", b"track\n" + _EVENT),
    "import": (_EVENT + b"\n" + _EVENT,),
    "tracardi": (
        b'\n{"source":{"id":"x"},"session":{"id":"s"},"profile":{"id":"p"},"events":[{"type":"view"}]}',
    ),
    "message": (b"\n" + _EVENT,),
    "webhook": (b"github sha256=00\n" + _EVENT, b"stripe t=1,v1=00\n" + _EVENT),
    "payload": (
        b"multipart/form-data; boundary=x\n--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--x--",
        b"\na[b][c]=1&a[b]=2",
    ),
    "redact": (
        b"https://a:b@c.example/d?e=f@g.example&utm_source=h",
        b"+41 44 668 18 00, 4111 1111 1111 1111, a@b.example",
    ),
    "token": (_SIGNER.sign("click", Mark("m", "r", 1, "https://a.example")).encode()[:-1],),
    "link_target": (
        b"https://www.shop.example/a?b=c",
        b"http://127.0.0.1/",
        b"https://[::1]/",
        b"https:\\evil",
    ),
    "hints": (
        b'"Chromium";v="146", "Not_A Brand"\n{"brands":[{"brand":"A","version":"1"}],"platform":"Windows"}',
    ),
    "request_head": (b"POST /e/web1 HTTP/1.1\nHost: a\nContent-Length: 2",),
    "addresses": (b"10.0.0.1\n203.0.113.7, 10.0.0.2",),
}
