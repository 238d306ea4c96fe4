"""What is told of a context is remembered for a minute, and only for hits that are the same in everything."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from multidict import CIMultiDict

from collector.enrich.memory import Memory
from collector.exchange import SharedHeaders
from tests.conftest import hit, web_source

if TYPE_CHECKING:
    from collector.model import Hit

HEAD = SharedHeaders(CIMultiDict({"User-Agent": "Firefox"}))
PAGE = {"page": {"url": "https://shop.example/"}}


class Steps:
    """Count how often the steps are asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, context: dict[str, Any], _hit: Hit) -> dict[str, Any]:
        self.asked += 1
        return {**context, "n": self.asked}


def asked(*hits: Hit, context: dict[str, Any] = PAGE) -> int:
    """Return how often the steps were asked for hits with the same context."""
    memory, steps = Memory(), Steps()
    for each in hits:
        assert memory.recall(dict(context), each, steps)["page"] == context["page"]
    return steps.asked


def test_the_same_head_and_context_are_enriched_once() -> None:
    one = hit(headers=HEAD)

    assert asked(one, replace(one, body=b"other")) == 1


def test_what_differs_is_enriched_anew() -> None:
    one = hit(headers=HEAD)
    others = [
        replace(one, headers=SharedHeaders(CIMultiDict({"User-Agent": "Firefox"}))),
        replace(one, address="192.0.2.99"),
        replace(one, proxied=True),
        replace(one, source=web_source(id="other")),
        replace(one, source=replace(one.source)),  # changed: the catalogue makes a new one
        replace(one, received_at=one.received_at + 60_000),
    ]

    assert [asked(one, other) for other in others] == [2] * len(others)


def test_headers_that_nobody_compared_are_not_remembered() -> None:
    one = hit(headers=CIMultiDict({"User-Agent": "Firefox"}))

    assert asked(one, one) == 2


def test_a_page_whose_address_has_a_token_is_enriched_every_time() -> None:
    one = hit(headers=HEAD)

    assert asked(one, one, context={"page": {"url": "https://shop.example/?hw_visitor=x"}}) == 2


def test_an_integer_that_json_writers_cannot_write_is_no_fault() -> None:
    one = hit(headers=HEAD)

    assert asked(one, one, context={**PAGE, "screen": {"width": 10**30}}) == 2


def test_the_memory_is_bounded() -> None:
    memory, steps = Memory(), Steps()
    for number in range(10_000):
        memory.recall({"page": {"url": f"/{number}"}}, hit(headers=HEAD), steps)

    assert len(memory._told) <= 4096
