"""Many sources: what has not changed is not read again, and not all have series of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.metrics import OTHERS, Told
from collector.sources import check_form
from collector.sources.form import dump, to_source
from collector.sources.held import Held
from tests.conftest import until

if TYPE_CHECKING:
    from collector.model import Source
    from tests.conftest import Running


def source(name: str, *, version: int = 1, bridge: str = "web") -> Source:
    form = check_form({"id": name, "name": f"Version {version}", "bridge": bridge})
    return to_source(form, created="2026-01-01", updated="2026-01-01", version=version)


async def renewed(held: Held, *sources: Source) -> Held:
    return await held.renewed((each.id, dump(each)) for each in sources)


async def test_a_source_that_is_stored_as_before_is_not_read_again() -> None:
    before = await renewed(Held(), source("same"), source("other"))

    after = await renewed(before, source("same"), source("other", version=2))

    assert after.get("same") is before.get("same")
    assert [each.version for each in after] == [1, 2]


async def test_a_source_that_is_no_longer_stored_is_forgotten_with_its_names() -> None:
    before = await renewed(Held(), source("stays"), source("goes"))

    after = await renewed(before, source("stays"))

    assert after.find("goes") is None
    assert (len(after), after.stored()) == (1, [dump(source("stays"))])


async def test_a_row_that_cannot_be_read_is_left_out_and_the_others_are_held() -> None:
    held = await Held().renewed([("broken", b"{"), ("good", dump(source("good")))])

    assert [each.id for each in held] == ["good"]


def test_sources_are_found_by_bridge_after_a_change_and_after_a_removal() -> None:
    held = Held()
    for each in (source("web-1"), source("rest-1", bridge="rest"), source("rest-2", bridge="rest")):
        held.put(each)

    held.put(source("rest-1"))
    held.forget("rest-2")

    assert [each.id for each in held.of_bridge("web")] == ["web-1", "rest-1"]
    assert held.of_bridge("rest") == []


async def test_the_last_of_many_changes_reaches_the_snapshot(running: Running) -> None:
    made = await running.add()
    snapshot = running.settings.data / "sources.snapshot"

    for number in range(30):
        await running.parts.catalogue.change(made.id, {"name": f"Name {number}"})

    async def saved() -> bool:
        return snapshot.exists() and '"name":"Name 29"' in snapshot.read_text()

    await until(saved)


def test_sources_beyond_the_most_share_their_series() -> None:
    told = Told(2)

    labels = [told.label(each) for each in ("one", "two", "three", "one")]

    assert labels == ["one", "two", OTHERS, "one"]
