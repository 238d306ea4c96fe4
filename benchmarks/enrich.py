"""The cost of enrichment, step by step, for a typical web hit: warm, and with nothing remembered."""

from __future__ import annotations

import gc
import statistics
import time
from typing import TYPE_CHECKING, Any

from multidict import CIMultiDict

from collector import enrich
from collector.enrich import agent, bots, campaign, channels, client, redact, referrer
from collector.enrich.place import Places
from collector.enrich.visitors import Visitors
from collector.model import Event, Hit, Source
from collector.sources import WebSettings
from collector.store import Names, Redis
from collector.store.salts import Salts

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUNDS = 5
_WARM = 20_000
_COLD = 200
_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
    " Safari/537.36"
)
_HEADERS = {
    "Host": "in.shop.example",
    "User-Agent": _AGENT,
    "Accept": "*/*",
    "Accept-Language": "de-CH,de;q=0.9",
    "Content-Type": "text/plain;charset=UTF-8",
    "Origin": "https://shop.example",
    "Referer": "https://shop.example/",
    "Sec-CH-UA": '"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"',
    "Sec-CH-UA-Mobile": "?0",
    "Sec-CH-UA-Platform": '"Windows"',
    "Sec-Fetch-Mode": "cors",
}
_CONTEXT: dict[str, Any] = {
    "page": {
        "url": "https://shop.example/shoes/red?utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=x",
        "title": "Red shoes",
        "referrer": "https://www.google.com/",
    },
    "locale": "de-CH",
    "timezone": "Europe/Zurich",
    "screen": {"width": 1440, "height": 900, "density": 2},
    "library": {"name": "headwater", "version": "1"},
}
_MEMORIES = (agent, bots, campaign, channels, client, redact, referrer)


def main() -> None:
    """Print the table."""
    hit = Hit(
        source=Source(id="web1", name="Shop", bridge="web", settings=WebSettings()),
        received_at=time.time_ns() // 1_000_000,
        headers=CIMultiDict(_HEADERS),
        address="203.0.113.9",
    )
    print(f"{'step':<12} {'warm µs':>8} {'cold µs':>8}")
    enrich.warm_up()
    salts = Salts(Redis(), Names())  # never asked: its first salt is its own
    steps = (("place", Places().step), *enrich.STEPS)
    enricher = enrich.Enricher(steps, (Visitors(salts).judge, *enrich.JUDGES))
    context = dict(_CONTEXT)
    for name, step in steps:
        _row(name, lambda step=step, context=dict(context): step(context, hit))  # type: ignore[misc]
        context.update(step(context, hit))
    _row("judges", lambda: enricher.judge(_event(context), hit))
    _row("all", lambda: _through(enricher, hit))


def _event(context: dict[str, Any]) -> Event:
    return Event(0, "m1", "page", "", {"type": "page", "context": context})


def _through(enricher: enrich.Enricher, hit: Hit) -> None:
    event = _event(_CONTEXT)
    enricher.enrich([event], hit)
    enricher.judge(event, hit)


def _row(name: str, call: Callable[[], Any]) -> None:
    print(f"{name:<12} {_micros(call, _WARM):>8.2f} {_micros(call, _COLD, before=_forget):>8.2f}")


def _micros(call: Callable[[], Any], times: int, before: Callable[[], None] | None = None) -> float:
    """Return the median over rounds of the microseconds that one call takes."""
    rounds = []
    for _ in range(_ROUNDS):
        gc.collect()
        spent = 0
        for _ in range(times):
            if before:
                before()
            start = time.perf_counter_ns()
            call()
            spent += time.perf_counter_ns() - start
        rounds.append(spent / times / 1000)
    return statistics.median(rounds)


def _forget() -> None:
    """Empty what steps remember of earlier hits; the engines and lists stay loaded."""
    for module in _MEMORIES:
        for thing in vars(module).values():
            info = getattr(thing, "cache_info", None)
            if info and info().maxsize not in {1, None}:
                thing.cache_clear()


if __name__ == "__main__":
    main()
