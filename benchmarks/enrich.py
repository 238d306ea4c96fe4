"""The cost of enrichment, step by step, for a typical web hit: warm, and with nothing remembered."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, Any

from multidict import CIMultiDict

from collector import enrich
from collector.enrich import agent, bots, campaign, channels, client, page, referrer
from collector.enrich.place import Places
from collector.enrich.visitors import Visitors
from collector.model import Event, Hit, Source
from collector.protocols import Batch
from collector.sources import WebSettings
from collector.store import Names, Redis
from collector.store.salts import Salts

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.enrich import Step

    Steps = tuple[tuple[str, Step], ...]

_WARM = 20_000
_COLD = 1000
_ROUNDS = 5  # the one that cost least is shown: whatever else runs on the machine only adds
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
_MEMORIES = (agent, bots, campaign, channels, client, page, referrer)


def main() -> None:
    """Print the table."""
    enrich.warm_up()
    gc.freeze()  # as the collector does when it is warm
    salts = Salts(Redis(), Names())  # never asked: its first salt is its own
    steps = (("place", Places().step), *enrich.STEPS)
    enricher = enrich.Enricher(steps, (Visitors(salts).judge, *enrich.JUDGES))
    print(f"{'step':<12} {'warm µs':>8} {'cold µs':>8}")
    for name, step in steps:
        _row(name, steps, lambda hit, context, step=step: step(context, hit), upto=name)  # type: ignore[misc]
    _row("judges", steps, lambda hit, context: enricher.judge(_batch(context), hit))
    _row("all", steps, lambda hit, context: _through(enricher, context, hit), upto=steps[0][0])


def _row(name: str, steps: Steps, call: Callable[[Hit, dict[str, Any]], Any], upto: str = "") -> None:
    """Print a row: warm is the same hit again and again, cold is hits of which none was seen before."""
    same = [_seen(0, steps, upto)] * _WARM
    cold = []
    for start in range(0, _COLD * _ROUNDS, _COLD):
        others = [_seen(number, steps, upto) for number in range(start, start + _COLD)]
        _forget()
        cold.append(_micros(call, others))
    warm = [_micros(call, same) for _ in range(_ROUNDS)]
    print(f"{name:<12} {min(warm):>8.2f} {min(cold):>8.2f}")


def _micros(call: Callable[[Hit, dict[str, Any]], Any], hits: list[tuple[Hit, dict[str, Any]]]) -> float:
    gc.collect()
    start = time.perf_counter_ns()
    for hit, context in hits:
        call(hit, context)
    return (time.perf_counter_ns() - start) / len(hits) / 1000


def _seen(number: int, steps: Steps, upto: str) -> tuple[Hit, dict[str, Any]]:
    """Return a hit with its context as the step named finds it; after all steps when none is."""
    hit = _hit(number)
    context = dict(_CONTEXT, page={**_CONTEXT["page"], "url": f"{_CONTEXT['page']['url']}{number}"})
    for name, step in steps:
        if name == upto:
            break
        context |= {key: value for key, value in step(context, hit).items() if value is not None}
    return hit, context


def _hit(number: int) -> Hit:
    headers = {**_HEADERS, "User-Agent": _HEADERS["User-Agent"].replace("0.0.0", f"0.{number}.0")}
    return Hit(
        source=Source(id="web1", name="Shop", bridge="web", settings=WebSettings()),
        received_at=time.time_ns() // 1_000_000,
        headers=CIMultiDict(headers),
        address=f"203.{number // 256}.{number % 256}.9",
    )


def _batch(context: dict[str, Any]) -> Batch:
    return Batch("native", [Event(0, "m1", "page", "", {"type": "page", "context": context})])


def _through(enricher: enrich.Enricher, context: dict[str, Any], hit: Hit) -> None:
    batch = _batch(context)
    enricher.enrich(batch.events, hit)
    enricher.judge(batch, hit)


def _forget() -> None:
    """Empty what steps remember of earlier hits; the engines and lists stay loaded."""
    for module in _MEMORIES:
        for thing in vars(module).values():
            info = getattr(thing, "cache_info", None)
            if info and info().maxsize not in {1, None}:
                thing.cache_clear()


if __name__ == "__main__":
    main()
