"""Mails as bad as they come: made right, or a clear error; never broken, never endless."""

from __future__ import annotations

import contextlib
from email import message_from_bytes
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collector.links import LinkError
from collector.mails import instrument_html, instrument_message, instrument_text, read_mail
from tests.mails.test_instrument import OURS, PIXEL, targets, tracking

LARGEST = 10 * 1024 * 1024


def test_a_mail_of_ten_megabytes_is_made_right() -> None:
    link = '<p>text</p>\n<a href="https://shop.example/last">x</a></body>'
    text = ("<td class='x'>words & more words</td>\n" * (LARGEST // 40)).ljust(LARGEST - len(link)) + link

    answer = instrument_html(text, tracking())

    assert len(text) == LARGEST
    assert targets(answer) == ["https://shop.example/last"]
    assert OURS.sub("https://shop.example/last", PIXEL.sub("", answer)) == text


def test_a_message_of_five_thousand_links_is_made_right() -> None:
    html = "".join(f'<a href="https://shop.example/{n}">{n}</a>\r\n' for n in range(5000))
    message = b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html.encode()

    body: Any = message_from_bytes(instrument_message(message, tracking())).get_payload(decode=True)

    assert targets(body.decode()) == [f"https://shop.example/{n}" for n in range(5000)]


def test_more_links_than_a_token_can_number_are_an_error() -> None:
    with pytest.raises(LinkError, match="65535 links"):
        instrument_html("<a href=https://s.example>" * 65_536, tracking())


def test_a_message_of_more_than_ten_megabytes_is_an_error() -> None:
    with pytest.raises(LinkError, match="may have"):
        instrument_message(b"x" * (LARGEST + 1), tracking())


@pytest.mark.parametrize("kind", ["html", "text"])
def test_a_mail_in_shift_jis_must_be_a_message(kind: Any) -> None:
    with pytest.raises(LinkError, match="not UTF-8"):
        read_mail("<p>日本</p>".encode("shift_jis"), kind)


@pytest.mark.parametrize(
    "charset", ["shift_jis", "klingon", "utf-16", "hex", "undefined", "idna", "\x00", '"']
)
def test_a_part_that_is_not_in_its_charset_is_an_error(charset: str) -> None:
    message = f"Content-Type: text/html; charset={charset}\r\n\r\n".encode() + b"\xff\xff\xff"

    with pytest.raises(LinkError, match="that it says"):
        instrument_message(message, tracking())


@pytest.mark.parametrize("head", [b"", b"\r\n", b"\x00", b": :", b"Content-Type: multipart/mixed\r\n\r\nx"])
def test_what_is_hardly_a_message_is_made_one_or_an_error(head: bytes) -> None:
    assert b"List-Unsubscribe: <https://t.example/u/" in instrument_message(head, tracking())


PIECES = b"Content-Type: |text/html|multipart/mixed; boundary=x|; charset=|utf-8|utf-7|idna|punycode|rot13"
PIECES += b"|\r\n|\n|\r\n\r\n|--x|--x--|Content-Transfer-Encoding: |base64|quoted-printable|x-uuencode"
PIECES += b"|Subject: |\xff|\x00|="


@given(st.lists(st.sampled_from(PIECES.split(b"|"))).map(b"".join) | st.binary(max_size=400))
@example(b"Content-Type: multipart/mixed; boundary=x\r\n\r\n\xff")
@example(b"Content-Type: text/html; charset=klingon\r\n\r\n")
def test_any_bytes_are_a_message_or_an_error(data: bytes) -> None:
    with contextlib.suppress(LinkError):
        assert b"List-Unsubscribe" in instrument_message(data, tracking())


@given(st.text(alphabet="<a href=\"'>-!{}&;#x/?https:.e \n\t日", max_size=400))
def test_broken_html_is_left_as_it_is_but_for_links(text: str) -> None:
    answer = PIXEL.sub("", instrument_html(text, tracking()))
    pieces = OURS.split(answer)[::2]

    assert all(piece in text for piece in pieces)
    assert len(targets(answer)) == len(pieces) - 1


@given(st.text(max_size=300))
def test_of_any_text_only_addresses_change(text: str) -> None:
    written = f"{text} https://s.example/a. {text}"
    answer = instrument_text(written, tracking())

    assert "https://s.example/a" in targets(answer)
    assert all(piece in written for piece in OURS.split(answer)[::2])
