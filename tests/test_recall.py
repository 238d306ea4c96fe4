"""What is remembered of people's addresses, pages and programs is forgotten every minute, all of it."""

from __future__ import annotations

import functools
import gc
from dataclasses import replace
from importlib import import_module
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Any

import collector
from collector import recall, tasks
from collector.lean import LeanDoor
from collector.limits import Limits
from tests.conftest import hit, run_collector, until

if TYPE_CHECKING:
    import pytest

    from collector.settings import Settings

# What is remembered for good: it tells of the program and of how sources are set, and of nobody.
OF_NOBODY = {
    "api.application._described",
    "archives.access_log._time",  # of a command that ends
    "bridges.email._text",
    "console.fields._of_model",
    "enrich.data.facts",
    "enrich.machines._pattern",
    "enrich.rules._pattern",
    "enrich.schemas._validator",
    "enrich.suppress._patterns",
    "links.token._derived",
    "metrics._labelled",
    "protocols.template.template",
    "records._known",
    "render.environment",
    "sources.features.build",
    "tracker.render._names",
    "tracker.render._render",
    "tracker.render.served",
    "tracker.staged._joined",
}
FORGOTTEN_BY_THEIR_OWNERS = {"lean.head.Heads._read", "enrich.place.Places._read"}
FROM_AN_ADDRESS = {"X_Forwarded_For": "192.0.2.77", "User_Agent": "Mozilla/5.0 of somebody"}


def living(kind: type) -> list[Any]:
    """Return all objects of a kind in this process."""
    return [each for each in gc.get_objects() if type(each) is kind]


def test_what_functions_remember_is_forgotten_or_tells_of_nobody() -> None:
    for module in walk_packages(collector.__path__, "collector."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    kept = [each for each in living(functools._lru_cache_wrapper) if each not in recall._MEMORIES]
    several = [each for each in kept if each.cache_parameters()["maxsize"] != 1]
    # What has no name wraps no function: it is another package's.
    names = {f"{each.__module__}.{each.__qualname__}" for each in several if hasattr(each, "__qualname__")}
    ours = {name.removeprefix("collector.") for name in names if name.startswith("collector.")}

    assert ours - FORGOTTEN_BY_THEIR_OWNERS <= OF_NOBODY


def test_the_buckets_of_who_has_been_quiet_are_forgotten(settings: Settings) -> None:
    now = 100.0
    limits = Limits(settings.model_copy(update={"address_rate": 2.0}), lambda: now)
    one = hit(address="192.0.2.77")
    for _ in range(20):
        limits.admit(one)
    now = 109
    limits.admit(replace(one, address="192.0.2.78"))
    limits.forget()
    names = [name for name in limits._full_at if len(name) > 1]
    now = 120
    limits.forget()

    assert names == [("web1", "192.0.2.77"), ("web1", "192.0.2.78")]
    assert not limits._full_at


async def test_a_running_collector_forgets_who_came(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_MINUTE_SECONDS", 0.01)
    async with run_collector(settings.model_copy(update={"trusted_hops": 1})) as running:
        (door,) = [each for each in living(LeanDoor) if each._routes is running.parts.lean]
        enricher, limits = running.parts.pipeline.enricher, running.parts.pipeline.limits
        visitors = enricher.judges[0].__self__
        limits._now = lambda: 0.0  # of the buckets, only those that are full again are forgotten
        await running.add(id="web1")
        answer = await running.post("web1", {"batch": [{"type": "page"}]}, **FROM_AN_ADDRESS)
        named = [name for name in limits._full_at if "192.0.2.77" in name]
        limits._now = lambda: 1000.0

        async def forgotten() -> bool:
            held = door.heads._recall.cache_info().currsize, enricher._memory._told, visitors._hit
            answers = [each.cache_info().currsize for each in recall._MEMORIES]
            return not any((*held, *answers, limits._full_at))

        assert answer.status == 204
        assert named
        await until(forgotten)
