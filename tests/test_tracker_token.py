"""The token of a served tracker: what carries none is flagged or refused, through both ways in."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.links.token import Signer
from collector.settings import Settings
from collector.sources import WebSettings
from collector.sources.signing import rotated
from collector.sources.tracker_token import BAD, MISSING, OLD, TrackerTokens
from collector.tracker import render
from tests.conftest import run_collector, until, web_source

if TYPE_CHECKING:
    from collector.model import Source
    from tests.conftest import Running

BOTH_WAYS = True
PLAIN = {"Accept-Encoding": "identity"}
SHOP = "https://shop.example"
PAGE = {"batch": [{"type": "page"}]}

NOW = 1767323045.0  # 2026-01-02T03:04:05Z
HOUR, DAY = 3600, 24 * 3600
TOKENS = TrackerTokens.of(Settings())


def asking(**settings: object) -> Source:
    return web_source(settings=WebSettings(token="refuse", **settings))  # type: ignore[arg-type]  # noqa: S106


async def served_token(running: Running, name: str) -> str:
    """Return the token in the tracker that everybody gets."""
    body = await (await running.public.get(f"/s/{name}.js", headers=PLAIN)).text()
    found = re.search(r'"token":"([^"]+)"', body)
    assert found
    return found[1]


async def test_a_hit_with_the_token_of_the_served_tracker_is_taken_as_any_other(running: Running) -> None:
    source = await running.add(settings={"token": "refuse"})
    token = await served_token(running, source.id)

    beacon = await running.post(f"{source.id}?k={token}", PAGE)
    pixel = await running.public.get(f"/p/{source.id}.gif?event=Seen&k={token}")

    assert (beacon.status, "X-Headwater-Reason" in pixel.headers) == (204, False)
    assert [event["collector"].get("flags") for event in await running.events()] == [None, None]


@pytest.mark.parametrize("query", ["", "?k=", "?k=1.a", "?k=%00", "?k=9999999999.AAAAAAAAAAAAAAAAAAAAAA"])
async def test_a_hit_without_a_good_token_is_refused_or_flagged_as_the_source_asks(
    running: Running, query: str
) -> None:
    refuses = await running.add(settings={"token": "refuse"})
    flags = await running.add(settings={"token": "flag"})

    beacon = await running.post(refuses.id + query, PAGE)
    pixel = await running.public.get(f"/p/{refuses.id}.gif{query}")
    flagged = await running.post(flags.id + query, PAGE)

    assert (beacon.status, beacon.headers["X-Headwater-Reason"]) == (403, "bad_token")
    assert (pixel.status, pixel.headers["X-Headwater-Reason"]) == (200, "bad_token")
    assert flagged.status == 204
    wanted = [MISSING] if query in {"", "?k="} else [BAD]
    assert [event["collector"]["flags"] for event in await running.events()] == [wanted]
    metrics = await (await running.console.get("/metrics")).text()
    assert f'headwater_refusals_total{{reason="bad_token",source="{refuses.id}"}} 2.0' in metrics
    verdict = f'headwater_tracker_tokens_total{{source="{flags.id}",verdict="{wanted[0]}"}} 1.0'
    assert verdict in metrics


async def test_a_token_of_one_source_is_worth_nothing_at_another(running: Running) -> None:
    one = await running.add(settings={"token": "refuse"})
    other = await running.add(settings={"token": "refuse"})

    answer = await running.post(f"{other.id}?k={await served_token(running, one.id)}", PAGE)

    assert answer.status == 403


async def test_an_alias_and_the_collectors_own_test_carry_a_good_token(running: Running) -> None:
    source = await running.add(settings={"token": "refuse", "aliases": ["k7"], "origins": [SHOP]})
    await running.sign_in()

    answer = await running.post(f"k7?k={await served_token(running, 'k7')}", PAGE, Origin=SHOP)
    test = await running.submit(f"/sources/{source.id}/test", {"kind": "page", "do": "send"})

    assert answer.status == 204
    assert "bad_token" not in await test.text()
    assert len(await running.events()) == 2


async def test_tokens_are_good_on_every_collector_and_while_redis_is_away(
    settings: Settings, running: Running
) -> None:
    source = await running.add(settings={"token": "refuse"})
    token = await served_token(running, source.id)

    async def written() -> bool:
        return source.id.encode() in (settings.data / "sources.snapshot").read_bytes()

    await until(written)
    gone = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1"})  # what it knows is on its disk
    async with run_collector(gone) as away:
        assert (await away.post(f"{source.id}?k={token}", PAGE)).status == 204
        assert await served_token(away, source.id) == token


async def test_the_tracker_is_the_same_within_an_hour_and_the_digest_path_has_no_token(
    running: Running,
) -> None:
    source = await running.add(settings={"token": "refuse"})

    first = await running.public.get(f"/s/{source.id}.js", headers=PLAIN)
    second = await running.public.get(f"/s/{source.id}.js", headers=PLAIN)
    pinned = await running.public.get(f"/s/{source.id}.{render(source).digest}.js", headers=PLAIN)

    if int(time.time()) % HOUR > 60:  # no new hour has begun between the two
        assert first.headers["ETag"] == second.headers["ETag"]
    assert b'"token":""' in await pinned.read()
    assert pinned.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_a_token_lives_as_long_as_caches_may_hold_its_tracker_and_a_day_more() -> None:
    source = asking()
    token = TOKENS.sign(source, NOW)
    end = int(token.split(".")[0])

    assert 300 + DAY + DAY < end - NOW <= 300 + DAY + DAY + HOUR
    assert TOKENS.fault(source, token, "", end) == ""
    assert TOKENS.fault(source, token, "", end + 1) == OLD
    assert TOKENS.fault(source, token, "", end + 7 * DAY) == OLD
    assert TOKENS.fault(source, token, "", end + 7 * DAY + 1) == BAD


async def test_the_events_of_a_page_that_was_open_for_long_are_kept_with_a_flag(running: Running) -> None:
    source = await running.add(settings={"token": "refuse"})
    token = TrackerTokens(0).sign(source, time.time() - 3 * DAY)

    assert (await running.post(f"{source.id}?k={token}", PAGE)).status == 204
    assert [event["collector"]["flags"] for event in await running.events()] == [[OLD]]


def test_where_one_origin_alone_may_send_the_token_counts_from_there_only() -> None:
    fixed, free = asking(origins=(SHOP,)), asking(origins=(SHOP, "https://*.shop.example"))

    assert TOKENS.fault(fixed, TOKENS.sign(fixed, NOW), SHOP, NOW) == ""
    assert TOKENS.fault(fixed, TOKENS.sign(fixed, NOW), "", NOW) == BAD
    assert TOKENS.fault(free, TOKENS.sign(free, NOW), "https://www.shop.example", NOW) == ""


def test_a_second_origin_does_not_end_the_tokens_that_caches_hold() -> None:
    fixed = asking(origins=(SHOP,))
    more = replace(fixed, settings=fixed.settings.model_copy(update={"origins": (SHOP, "https://b.example")}))

    assert TOKENS.fault(more, TOKENS.sign(fixed, NOW), SHOP, NOW) == ""


def test_a_replaced_key_counts_for_what_it_has_signed_and_for_no_longer() -> None:
    source = asking()
    old = TOKENS.sign(source, NOW)
    keys = rotated(source.settings.keys, datetime.fromtimestamp(NOW, UTC))
    after = replace(source, settings=WebSettings(token="refuse", keys=keys))  # type: ignore[arg-type]  # noqa: S106
    leaked = TOKENS.sign(source, NOW + 30 * DAY)

    assert TOKENS.fault(after, TOKENS.sign(after, NOW), "", NOW) == ""
    assert TOKENS.fault(after, old, "", NOW) == ""
    assert TOKENS.fault(after, leaked, "", NOW + 30 * DAY) == BAD


def test_no_changed_character_of_a_token_counts() -> None:
    source = asking()
    token = TOKENS.sign(source, NOW)
    changed = [
        token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token) - 1)
    ]
    later = str(int(token.split(".")[0]) + HOUR) + token[10:]

    assert {TOKENS.fault(source, each, "", NOW) for each in [*changed, later, token + "A", token[:-1]]} == {
        BAD
    }


@given(st.text(), st.text(), st.integers(0, 10**12))
def test_whatever_strangers_send_is_no_token_and_no_fault(token: str, origin: str, end: int) -> None:
    source = asking()

    assert TOKENS.fault(source, token, origin, NOW) == (BAD if token else MISSING)
    assert TOKENS.fault(source, f"{end}.{'A' * 22}", origin, NOW) == BAD


def test_a_token_of_another_purpose_counts_for_nothing() -> None:
    source = asking()
    key = source.settings.keys[0]
    signer = Signer(key.id, key.secret.get_secret_value(), source.id)

    assert signer.verify("click", f"{key.id}.{TOKENS.sign(source, NOW)}") is None


async def test_the_key_is_made_with_the_setting_kept_by_changes_and_never_shown(running: Running) -> None:
    source = await running.add()
    assert source.settings.keys == ()

    asked = await running.parts.catalogue.change(source.id, {"settings": {"token": "flag"}})
    renamed = await running.parts.catalogue.change(source.id, {"name": "Other"})
    off = await running.parts.catalogue.change(source.id, {"settings": {"token": "off"}})

    secret = asked.settings.keys[0].secret.get_secret_value()
    assert len(secret) == 43
    assert renamed.settings.keys == asked.settings.keys == off.settings.keys
    await running.sign_in()
    page = await (await running.console.get(f"/sources/{source.id}/settings")).text()
    assert secret not in page
