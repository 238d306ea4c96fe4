"""Instrumented mails: links are tracked, everything else stays byte for byte, in doubt links stay too."""

from __future__ import annotations

import re
from email import message_from_bytes
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.links import LinkError, Signer
from collector.mails import Tracking, instrument_html, instrument_message, instrument_text

SIGNER = Signer("k2345678", "s" * 43, "news")
BASE = "https://t.example"
OURS = re.compile(r"https://t\.example/l/(k2345678\.[\w-]+\.[\w-]{22})")
PIXEL = re.compile(r'<img src="https://t\.example/p/news\.gif\?t=[\w.-]+" width="1" height="1" alt="">')


def tracking(**fields: Any) -> Tracking:
    return Tracking(SIGNER, BASE, "spring", "r1", **fields)


def targets(text: str) -> list[str]:
    marks = [SIGNER.verify("click", token) for token in OURS.findall(text)]
    return [mark.target if mark else "?" for mark in marks]


@pytest.mark.parametrize(
    ("tag", "target"),
    [
        ('<a href="https://shop.example/">', "https://shop.example/"),
        ("<A class=x HREF = 'https://shop.example/?a=1&amp;b=2'>", "https://shop.example/?a=1&b=2"),
        ("<area href=https://shop.example/a>", "https://shop.example/a"),
        ('<a\n title="a > b" href=" https://shop.example/\n">', "https://shop.example/"),
        ('<a href="https://shop.example/?a=1&copy=2">', "https://shop.example/?a=1&copy=2"),
        ('<a href="https://shop.example/&#x2f;">', "https://shop.example//"),
    ],
)
def test_a_link_is_tracked(tag: str, target: str) -> None:
    assert targets(instrument_html(f"<p>{tag}x</a>", tracking())) == [target]


@pytest.mark.parametrize(
    "kept",
    [
        '<a href="mailto:a@b.example">',
        '<a href="tel:123">',
        '<a href="#top">',
        '<a href="{{ link }}">',
        '<a href="https://shop.example/{{ id }}">',
        '<a href="https://shop.example/*|ID|*">',
        '<a href="https://shop.example/unsubscribe?x">',
        '<a data-no-track href="https://shop.example/">',
        '<a href="javascript:alert(1)">',
        '<a href="https://127.0.0.1/">',
        '<a href="https://shop.example/?a&copy">',
        "<a name=x>",
        "<a href>",
        '<link href="https://shop.example/a.css">',
        '<!--[if mso]><a href="https://shop.example/"><![endif]-->',
        '<style>a:after { content: "<a href=https://shop.example/>" }</style>',
        '<img alt="<a href=https://shop.example/>">',
        '<v:roundrect href="https://shop.example/">',
        '<a href="https://t.example/l/x">',
        '<a href="https://shop.example/',
    ],
)
def test_a_link_stays(kept: str) -> None:
    assert instrument_html(f"{kept}</body>", tracking()).startswith(kept)
    assert targets(instrument_html(kept, tracking())) == []


def test_the_pixel_stands_before_the_last_end_of_the_body() -> None:
    answer = instrument_html("<p></body>x</BODY></html>", tracking())

    assert PIXEL.sub("|", answer) == "<p></body>x|</BODY></html>"


PIECES = ["<a href='https://s.example/'>", "<a ", "'", '"', ">", "<!--", "-->", "<style>", "</style>", "</a>"]
PIECES += ["text", "é", "\r\n", "{{x}}", "<td\tb=c>"]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_everything_outside_the_links_is_unchanged(text: str) -> None:
    answer = PIXEL.sub("", instrument_html(text, tracking()))

    assert OURS.sub("https://s.example/", answer) == text


def test_five_thousand_links_each_have_their_place() -> None:
    text = "".join(f'<a href="https://shop.example/{n}">{n}</a>\n' for n in range(5000))

    assert targets(instrument_html(text, tracking()))[4999] == "https://shop.example/4999"


def test_a_million_broken_tags_are_no_work() -> None:
    """A tag ends where the next begins: looking for its end from each would take minutes."""
    text = "<a " * 1_000_000

    assert PIXEL.sub("", instrument_html(text, tracking())) == text


def test_a_mail_that_is_too_large_is_an_error() -> None:
    with pytest.raises(LinkError, match="may have"):
        instrument_html("x" * (10 * 1024 * 1024 + 1), tracking())


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://s.example", "https://s.example?utm_source=news"),
        ("https://s.example/?a=%7E#f", "https://s.example/?a=%7E&utm_source=news#f"),
        ("https://s.example/?utm_source=x", "https://s.example/?utm_source=x"),
        ("https://s.example/?", "https://s.example/?utm_source=news"),
    ],
)
def test_parameters_are_added_where_absent(url: str, target: str) -> None:
    answer = instrument_html(f'<a href="{url}">', tracking(parameters={"utm_source": "news"}))

    assert targets(answer) == [target]


def test_of_a_text_only_the_addresses_change() -> None:
    text = "See https://s.example/a. (Or https://s.example/b_(c)); <https://s.example/d>, http://\n"

    answer = instrument_text(text, tracking())

    assert targets(answer) == ["https://s.example/a", "https://s.example/b_(c)", "https://s.example/d"]
    assert OURS.sub("|", answer) == "See |. (Or |); <|>, http://\n"


@pytest.mark.parametrize("charset", ["utf-8", "shift_jis", "iso-8859-1"])
def test_a_message_keeps_its_charset_and_gets_unsubscribe_headers(charset: str) -> None:
    word = "日本" if charset == "shift_jis" else "Grüße"
    html = f'<a href="https://s.example/">{word}</a></body>'
    head = (
        f"Subject: x\r\nContent-Type: text/html; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )

    answer = message_from_bytes(instrument_message(head.encode() + html.encode(charset), tracking()))
    body: Any = answer.get_payload(decode=True)

    assert targets(body.decode(charset)) == ["https://s.example/"]
    assert word in body.decode(charset)
    assert answer["List-Unsubscribe"].startswith("<https://t.example/u/k2345678.")
    assert answer["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_signed_message_is_refused() -> None:
    with pytest.raises(LinkError, match="signed or encrypted"):
        instrument_message(b"Content-Type: multipart/signed; boundary=x\n\n--x--\n", tracking())
