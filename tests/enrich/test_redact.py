"""What must not be told is taken out of addresses, texts and properties, and is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import REGISTRY

from collector.enrich import page, properties, redact
from collector.model import Event, Privacy
from collector.sources.statement import statement
from collector.store.people import email_hash
from tests.conftest import hit, web_source

if TYPE_CHECKING:
    from tests.conftest import Running

SHOP = "https://shop.example"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (f"{SHOP}/a", f"{SHOP}/a"),
        ("https://user:secret@shop.example/a#token=1", f"{SHOP}/a"),
        (f"{SHOP}/a?utm_source=x&session=1&gclid=Cj0KCQiA", f"{SHOP}/a?utm_source=x&gclid=Cj0KCQiA"),
        (f"{SHOP}/a?q=shoes&page=2", f"{SHOP}/a?q=shoes"),
        (f"{SHOP}/a?q=jane%40mail.example", f"{SHOP}/a?q=[email]"),
        (f"{SHOP}/a?q=jane@mail.example&utm_term=a+b", f"{SHOP}/a?q=[email]&utm_term=a+b"),
        (f"{SHOP}/u/jane.doe@mail.example/orders", f"{SHOP}/u/[email]/orders"),
        (f"{SHOP}/u/jane.doe%40mail.example/orders", f"{SHOP}/u/[email]/orders"),
        (f"{SHOP}/reset/{JWT}", f"{SHOP}/reset/[token]"),
        (f"{SHOP}/reset/0123456789abcdef0123456789abcdef", f"{SHOP}/reset/[token]"),
        (f"{SHOP}/call/+41791234567", f"{SHOP}/call/[phone]"),
        (f"{SHOP}/a?q=%2B41+79+123+45+67", f"{SHOP}/a?q=[phone]"),
        (f"{SHOP}/a?q=4111+1111+1111+1111", f"{SHOP}/a?q=[card]"),
        (f"{SHOP}/a?q=4111111111111112", f"{SHOP}/a?q=4111111111111112"),
        (f"{SHOP}/order/1767323045000", f"{SHOP}/order/1767323045000"),
        (f"{SHOP}/p/a-very-long-name-of-a-product-in-the-shop-2026", None),
        (f"{SHOP}/p/0193e2a4-7c11-7abc-8def-0123456789ab", None),
        (f"{SHOP}/a?utm_source=%zz", f"{SHOP}/a?utm_source=%zz"),
        ("http://[::1", "http://[::1"),
        ("https://a:b@c@shop.example/", f"{SHOP}/"),
        ("x://jane@mail.example", "x://mail.example"),
        ("android-app://com.example.app/", "android-app://com.example.app/"),
        (f"{SHOP}/?" + "q=1&" * 5000, None),
    ],
)
def test_an_address_keeps_what_may_be_told(url: str, kept: str | None) -> None:
    told, _ = redact.address(url, ("q",))

    assert told == (url if kept is None else kept)[: len(told)]
    assert kept is None or told == kept


def test_a_star_keeps_every_parameter() -> None:
    assert redact.address(f"{SHOP}/?a=1&b=x@y.example", ("*",)) == (f"{SHOP}/?a=1&b=[email]", ("email",))


def test_the_page_is_cleaned_in_every_field() -> None:
    told = page.step(
        {
            "page": {
                "url": f"{SHOP}/u/x@y.example?utm_source=a&sid=1#f",
                "path": "/forged/x@y.example",
                "search": "?sid=forged",
                "referrer": "https://mail.example/?to=x@y.example",
                "title": "Orders of x@y.example",
                "initial_referrer": "https://mail.example/?sid=1",
                "number": 7,
            }
        },
        hit(),
    )

    assert told["page"] == {
        "url": f"{SHOP}/u/[email]?utm_source=a",
        "path": "/u/[email]",
        "search": "?utm_source=a",
        "referrer": "https://mail.example/",
        "title": "Orders of [email]",
        "initial_referrer": "https://mail.example/",
        "number": 7,
    }
    assert told["redacted"] == {"email": 3, "parameter": 1}


def test_a_search_without_an_address_is_not_kept() -> None:
    assert page.step({"page": {"path": "/a", "search": "?mail=x"}}, hit())["page"] == {"path": "/a"}


@pytest.mark.parametrize("bad", [7, "x", [], {"url": 7}, {"url": {"a": 1}}, {"url": "x" * 70_000}])
def test_nonsense_in_place_of_a_page_is_no_fault(bad: Any) -> None:
    page.step({"page": bad}, hit(source=web_source(privacy=Privacy(parameters=("q",)))))


async def test_a_leak_is_redacted_and_counted_for_the_owner(running: Running) -> None:
    source = await running.add(privacy={"remove": ["password"], "scan": True})
    event = {
        "type": "track",
        "event": "Signed up",
        "properties": {
            "password": "x",
            "note": "I am jane@mail.example",
            "list": [{"a": "+41791234567"}],
            "n": 1,
        },
        "context": {"page": {"url": f"{SHOP}/u/jane@mail.example"}},
    }

    await running.post(source.id, {"batch": [event]})

    [stored] = await running.events()
    assert stored["properties"] == {"note": "I am [email]", "list": [{"a": "[phone]"}], "n": 1}
    assert stored["context"]["redacted"] == {"email": 1}
    counted = {"source": source.id, "kind": "email"}
    assert REGISTRY.get_sample_value("headwater_redactions_total", counted) == 2


async def test_properties_are_kept_as_they_are_by_default(running: Running) -> None:
    source = await running.add()
    properties = {"password": "x", "note": "I am jane@mail.example"}

    await running.post(source.id, {"batch": [{"type": "track", "event": "E", "properties": properties}]})

    [stored] = await running.events()
    assert properties == stored["properties"]


def _judged(message: dict[str, Any], **privacy: Any) -> dict[str, Any]:
    event = Event(0, "m1", "track", "", {"context": {}, **message})
    properties.judge(event, hit(source=web_source(privacy=Privacy(**privacy))))
    return event.message


@pytest.mark.parametrize(
    ("how", "value", "kept"),
    [
        ("hash", " Jane@Shop.example ", email_hash("jane@shop.example")),
        ("hash", 7, email_hash("7")),
        ("mask", "DE89370400440532013000", "***3000"),
        ("mask", "secret", "***"),
        ("mask", "", "***"),
        ("shorten", "1990-05-17", "1990"),
        ("shorten", 8001, "8001"),
        ("shorten", None, None),
        ("mask", True, True),
        ("shorten", ["12345", {"a": "abcdef"}], ["1234", {"a": "abcd"}]),
    ],
)
def test_values_are_rewritten_by_name(how: str, value: Any, kept: Any) -> None:
    assert _judged({"properties": {"x": value, "y": value}}, values={"x": how}) == {
        "context": {},
        "properties": {"x": kept, "y": value},
    }


def test_a_name_counts_wherever_it_is_nested_and_in_the_contexts_traits() -> None:
    deep = {"customer": [{"email": "jane@shop.example", "pin": "1234", "city": "Bern"}]}
    context = {"traits": deep}

    told = _judged(
        {"properties": deep, "traits": deep, "context": context}, remove=("pin",), values={"email": "mask"}
    )

    kept = {"customer": [{"email": "***mple", "city": "Bern"}]}
    assert (told["properties"], told["traits"], told["context"]["traits"]) == (kept, kept, kept)
    assert context == {"traits": deep}  # other events share it


def test_parameters_that_were_left_out_are_counted_of_the_page_alone() -> None:
    told = page.step(
        {"page": {"url": f"{SHOP}/a?product=7&utm_source=x&b=2", "referrer": f"{SHOP}/b?c=1"}}, hit()
    )

    assert told["page"]["url"] == f"{SHOP}/a?utm_source=x"
    assert told["redacted"] == {"parameter": 2}


def test_the_statement_says_what_becomes_of_details_and_of_parameters() -> None:
    privacy = Privacy(
        parameters=("product",), remove=("pin",), values={"email": "hash", "phone": "mask"}, scan=True
    )

    told = dict(statement(web_source(privacy=privacy)))

    assert told["Addresses of pages"].startswith(
        "Addresses of pages are stored with campaign parameters, product and without the rest."
    )
    assert told["Details of events"] == (
        "Stored only as a hash: email. Stored masked but for the end: phone. Never stored: pin."
        " E-mail addresses, phone and card numbers and tokens are removed."
    )
    assert "Details of events" not in dict(statement(web_source()))
