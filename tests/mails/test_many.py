"""One template for many recipients: each mail is as if it had been made alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.links import LinkError
from collector.mails import instrument_html, instrument_many, instrument_message, read_recipients
from tests.mails.test_instrument import OURS, PIECES, PIXEL, SIGNER, targets, tracking

HTML = '<p>Hi <a href="https://s.example/a?b=1&amp;c=2">x</a> <a href="https://s.example/d">y</a></body>'


def test_each_mail_is_as_if_made_alone() -> None:
    made = list(instrument_many(HTML.encode(), "html", tracking(), [("r1", False), ("r2", True)]))

    assert made == [
        (name, instrument_html(HTML, tracking().of(name, consented=consented)).encode())
        for name, consented in (("r1", False), ("r2", True))
    ]


def test_each_mail_names_its_recipient_and_consent() -> None:
    for name, mail in instrument_many(HTML.encode(), "html", tracking(), [("r1", False), ("r2", True)]):
        marks = [SIGNER.verify("click", token) for token in OURS.findall(mail.decode())]

        assert [(mark.recipient, mark.consented, mark.index) for mark in marks if mark] == [
            (name, name == "r2", 1),
            (name, name == "r2", 2),
        ]


def test_messages_are_made_for_many_too() -> None:
    message = b"Content-Type: text/html; charset=utf-8\r\n\r\n" + HTML.encode()
    made = list(instrument_many(message, "mime", tracking(), [("r1", False)]))

    assert made == [("r1", instrument_message(message, tracking()))]


def test_mails_are_made_when_they_are_asked_for() -> None:
    """A million recipients are no million mails in memory."""
    endless = (("r", False) for _ in iter(int, 1))

    assert next(instrument_many(b"x", "text", tracking(), endless)) == ("r", b"x")


@pytest.mark.parametrize(
    ("text", "recipients"),
    [
        ('{"recipient":"r1"}\n{"recipient":"r2","consented":true}\n', [("r1", False), ("r2", True)]),
        ("recipient,consented\nr1,\nr2,true\n", [("r1", False), ("r2", True)]),
        ("name,recipient\nAnn,r1\n", [("r1", False)]),
        ("", []),
    ],
)
def test_recipients_are_read(text: str, recipients: list[tuple[str, bool]]) -> None:
    assert list(read_recipients(text.splitlines(keepends=True))) == recipients


@pytest.mark.parametrize(
    "text", ['{"recipient":""}', '{"recipient":1}', "{", "r1\nr2\n", "recipient,consented\nr1,perhaps\n"]
)
def test_recipients_that_cannot_be_read_are_an_error(text: str) -> None:
    with pytest.raises(LinkError, match="Recipient 1 cannot be read"):
        list(read_recipients(text.splitlines(keepends=True)))


def test_a_honeypot_leads_where_the_first_link_leads_and_nobody_sees_it() -> None:
    answer = instrument_html(HTML, tracking(honeypot=True))
    mark = SIGNER.verify("click", OURS.findall(answer)[-1])

    assert mark is not None
    assert (mark.index, mark.target) == (0, "https://s.example/a?b=1&c=2")
    assert 'style="display:none;mso-hide:all" aria-hidden="true" tabindex="-1"></a><img' in answer


def test_without_a_link_there_is_no_honeypot() -> None:
    assert targets(instrument_html("<p>Hi</body>", tracking(honeypot=True))) == []


@given(st.lists(st.sampled_from([*PIECES, "</body>", "<a href='</body>'>"])).map("".join))
def test_the_pixel_is_in_no_link(text: str) -> None:
    """Without links and pixel every byte is where it was, whatever stands in which order."""
    answer = instrument_html(text, tracking())

    assert len(PIXEL.findall(answer)) == 1
    assert OURS.sub("https://s.example/", PIXEL.sub("", answer)) == text
