"""Access logs of web servers through the pixel's eyes: a page that was served is a page view.

Static files, what was not found or moved, and other methods than GET are nobody's view.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from multidict import CIMultiDict

from collector.archives.item import Format, Item, moment
from collector.model import Reason, Refusal
from collector.protocols import native
from collector.protocols.clock import to_ms
from collector.protocols.decode import parse_forgiving

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINE = re.compile(
    r"(?:(?P<host>[^\s:]+):\d+ )?(?P<address>\S+) [^\[]*\[(?P<time>[^\]]+)\] "
    r'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) \S+'
    r'(?: "(?P<referrer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)")?'
)
_TIME = re.compile(r"(\d{2})/(\w{3})/(\d{4}):(\d{2}:\d{2}:\d{2}) ([+-]\d{2})(\d{2})")
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_ESCAPED = re.compile(r"\\(x[0-9A-Fa-f]{2}|.)")
_ENDING = re.compile(r"\.([A-Za-z0-9]{1,8})$")
_PAGES = {"html", "htm", "xhtml", "shtml", "php", "asp", "aspx", "jsp", "do", "cgi"}
_SERVED = "200"
_NOTHING = {"-", ""}


def _combined(raw: bytes, site: str) -> Item | None:
    found = _LINE.match(raw.decode(errors="replace"))
    at = _time(found["time"]) if found else None
    if not found or at is None:
        raise Refusal(Reason.BAD_LINE, "It is the combined format of access logs.")
    method, _, rest = found["request"].partition(" ")
    path = rest.rpartition(" ")[0] or rest
    if method != "GET" or found["status"] != _SERVED or not is_page(path):
        return None
    host = f"https://{found['host']}" if found["host"] else ""
    headers = {"User-Agent": _plain(found["agent"]), "Referer": _plain(found["referrer"])}
    return _view((site or host) + path, headers, found["address"], at)


def _caddy(raw: bytes, site: str) -> Item | None:
    line, _ = parse_forgiving(raw)
    request = line.get("request") if isinstance(line, dict) else None
    at = moment(line.get("ts")) if isinstance(line, dict) else None
    if not isinstance(request, dict) or at is None:
        raise Refusal(Reason.BAD_LINE, "It is Caddy's access log in JSON.")
    path, host = request.get("uri"), request.get("host")
    seen = request.get("method") == "GET" and str(line.get("status")) == _SERVED
    if not seen or not isinstance(path, str) or not is_page(path):
        return None
    held = request.get("headers")
    headers = {
        name: str(texts[0])
        for name, texts in (held.items() if isinstance(held, dict) else ())
        if isinstance(texts, list) and texts
    }
    address = request.get("client_ip") or request.get("remote_ip")
    return _view(f"{site or f'https://{host}'}{path}", headers, str(address), at)


def is_page(path: str) -> bool:
    """Tell whether a path is a page's, by its ending."""
    if not path.startswith("/") or path.startswith("/.well-known/"):
        return False
    ending = _ENDING.search(path.partition("?")[0])
    return ending is None or ending[1].lower() in _PAGES


def _view(url: str, headers: Mapping[str, str], address: str, at: int) -> Item:
    kept = CIMultiDict({name: value for name, value in headers.items() if value})
    page = {"url": url}
    if referrer := kept.get("Referer"):
        page["referrer"] = referrer
    context: dict[str, Any] = {"page": page, "ip": address}
    if agent := kept.get("User-Agent"):
        context["userAgent"] = agent
    item = {"type": "page", "timestamp": at, "context": context}
    return Item(native.archived(item, "log"), at, kept, address)


def _plain(text: str | None) -> str:
    """Return a field without what servers escape in it, empty when it was none."""
    if text is None or text in _NOTHING:
        return ""
    return _ESCAPED.sub(_unescaped, text) if "\\" in text else text


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1][1:], 16)) if len(found[1]) > 1 else found[1]


@lru_cache(4096)  # many lines of one second
def _time(text: str) -> int | None:
    found = _TIME.fullmatch(text)
    month = _MONTHS.find(found[2]) if found else -1
    if not found or month % 3:
        return None
    return to_ms(f"{found[3]}-{month // 3 + 1:02}-{found[1]}T{found[4]}{found[5]}:{found[6]}")


FORMATS = {
    "log": Format("Access logs of nginx and Apache in the combined format", "lines", _combined),
    "caddy": Format("Access logs of Caddy in JSON", "lines", _caddy),
}
