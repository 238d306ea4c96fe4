"""Instrument HTML by splicing: only the bytes of ``href`` in ``a`` and ``area`` change, and a pixel is added.

Tags are found, nothing is parsed and written anew: doctypes, comments (MSO's conditions are in them), VML and
template placeholders stay as they are. In doubt a link stays too.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from html.entities import html5
from typing import TYPE_CHECKING

from collector.links import LinkError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.mails.tracking import Tracking

LONGEST = 10 * 1024 * 1024

_COMMENT_OR_TAG = re.compile(
    r"<!--.*?(?:-->|\Z)|<(/?[a-z][^\s/>]*)((?:[^\"'<>]|\"[^\"]*\"|'[^']*')*+)>", re.IGNORECASE | re.DOTALL
)
_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'=<>`]+)))?")
_RAW = ("script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes")
_BODY_END = re.compile(r"</body\b", re.IGNORECASE)
_REFERENCE = re.compile(r"&(#[0-9]+;?|#x[0-9a-f]+;?|[a-z0-9]+;?)(?=(.?))", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class HtmlTemplate:
    """A mail that has been read once and is filled for each recipient: where its links are, and its end."""

    text: str
    links: tuple[tuple[int, int, str], ...]
    end: int

    def fill(self, tracking: Tracking) -> str:
        """Return the mail with tracked links and a pixel."""
        pieces: list[str] = []
        done = 0
        for start, end, target in self.links:
            tracked = tracking.link(target) if start < self.end else None
            if tracked:
                pieces += (self.text[done:start], tracked)
                done = end
        pieces += (self.text[done : self.end], *_unseen(tracking), self.text[self.end :])
        return "".join(pieces)


def read_html(text: str) -> HtmlTemplate:
    """Read a mail. Raises LinkError when it is too large."""
    if len(text) > LONGEST:
        raise LinkError(f"A mail may have {LONGEST} characters.")
    spans = [(start, end, _decoded(text[start:end].strip(" \t\r\n\f"))) for start, end in _links(text)]
    links = tuple((start, end, target) for start, end, target in spans if target)
    return HtmlTemplate(text, links, _end_of_body(text, links))


def instrument_html(text: str, tracking: Tracking) -> str:
    """Return the mail with tracked links and a pixel. Raises LinkError when it is too large."""
    return read_html(text).fill(tracking)


def _links(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the address of each link that may be tracked begins and ends."""
    place = 0
    while match := _COMMENT_OR_TAG.search(text, place):
        place = match.end()
        name = (match[1] or "").lower()
        if name in _RAW:
            close = re.compile(f"</{name}", re.IGNORECASE).search(text, place)
            place = close.start() if close else len(text)
        elif name in {"a", "area"}:
            yield from _address(text, match.start(2), match.end(2))


def _address(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    found = list(_ATTRIBUTE.finditer(text, start, end))
    names = [match[1].lower() for match in found]
    if "href" not in names or "data-no-track" in names:
        return
    match = found[names.index("href")]
    group = match.lastindex or 1
    if group > 1:
        yield match.span(group)


def _decoded(value: str) -> str | None:
    """Return an attribute's text as browsers decode it, None in doubt."""
    doubt = False

    def decode(match: re.Match[str]) -> str:
        nonlocal doubt
        name = match[1]
        if name.startswith("#") or name in html5:
            if name.endswith(";"):
                return html.unescape(match[0])
            doubt = doubt or name.startswith("#") or match[2] != "="
        return match[0]

    text = _REFERENCE.sub(decode, value)
    return None if doubt else text


def _end_of_body(text: str, links: tuple[tuple[int, int, str], ...]) -> int:
    """Return the place of the last end of the body, the end of the text without one."""
    ends = [match.start() for match in _BODY_END.finditer(text)]
    last = max((end for _, end, _ in links), default=0)
    return ends[-1] if ends and ends[-1] >= last else len(text)


def _unseen(tracking: Tracking) -> tuple[str, ...]:
    """Return the pixel, after the link that people do not see if it is wanted and leads somewhere."""
    image = f'<img src="{tracking.pixel}" width="1" height="1" alt="">'
    if not tracking.honeypot or not tracking.first_target:
        return (image,)
    hidden = 'style="display:none;mso-hide:all" aria-hidden="true" tabindex="-1"'
    return (f'<a href="{tracking.trap}" {hidden}></a>', image)
