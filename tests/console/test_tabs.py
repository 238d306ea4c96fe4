"""The tabs of a source: what to install, what a test became, keys shown once, deliveries, history."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from redis.asyncio import Redis

from collector import __version__
from collector.access import Role
from collector.console.advice import advice
from collector.console.show import _ADDED_CONTEXT
from collector.enrich import STEPS
from collector.model import Reason
from collector.sources import SETTINGS
from collector.stream.groups import drop_stream
from tests.conftest import hit, run_collector, until

if TYPE_CHECKING:
    from collector.settings import Settings
    from tests.conftest import Running

SECRET = "whsec_0123456789abcdefghijklmnop"  # noqa: S105 - of a test
TABS = ("overview", "live", "install", "test", "settings", "privacy", "history")


async def text_of(running: Running, path: str) -> str:
    answer = await running.console.get(path)
    assert answer.status == 200, path
    return await answer.text()


async def sent(running: Running, path: str, **fields: str) -> str:
    answer = await running.submit(path, fields)
    assert answer.status == 200, await answer.text()
    return unescape(await answer.text())


@pytest.mark.parametrize("bridge", SETTINGS)
async def test_every_tab_of_every_bridge_is_a_page(running: Running, bridge: str) -> None:
    await running.add(id="one", bridge=bridge)
    first = await text_of(running, "/sources/one")
    tabs = re.findall(
        r'href="/sources/one/([a-z]+)"', first[first.index('class="tabs"') :].partition("</nav>")[0]
    )

    assert set(TABS) <= set(tabs)
    for tab in tabs:
        await text_of(running, f"/sources/one/{tab}")


async def test_a_source_that_is_not_there_says_so(running: Running) -> None:
    for path in ("/sources/none", "/sources/none/live", "/sources/none/live/feed", "/sources/none/settings"):
        assert ((await running.console.get(path)).status, path) == (404, path)


async def test_install_shows_the_public_address_and_every_snippet_leads_there(settings: Settings) -> None:
    public = settings.model_copy(update={"public_url": "https://collect.example"})
    async with run_collector(public) as running:
        await running.sign_in()
        await running.add(id="web1")
        await running.add(id="rest1", bridge="rest")
        await running.add(id="hook1", bridge="webhook")
        await running.add(id="mail1", bridge="email")
        web, rest, hook, mail = [
            unescape(await text_of(running, f"/sources/{name}1/install"))
            for name in ("web", "rest", "hook", "mail")
        ]

    assert 'src="https://collect.example/s/web1.js"' in web
    assert re.search(r'src="https://collect.example/s/web1\.[0-9a-f]{16}\.js" integrity="sha384-', web)
    assert f"proxy_pass http://127.0.0.1:{running.parts.ports.public}/;" in web
    assert '"destination": "https://collect.example/:path*"' in web
    assert "endpoint: 'https://collect.example/e/web1'" in web
    assert f"headwater-tracker-{__version__}.tgz" in web
    assert "https://collect.example/v1/track" in rest
    assert "https://collect.example/h/hook1" in hook
    assert "https://collect.example/p/mail1.gif" in mail
    for text in (rest, hook, mail):
        assert "127.0.0.1" not in text
    for text in (web, rest, hook, mail):
        assert "Only this machine" not in text


KINDS = [
    ("web", "page", {}),
    ("web", "click", {}),
    ("web", "form", {}),
    ("web", "track", {}),
    ("rest", "track", {}),
    ("rest", "page", {}),
    ("rest", "identify", {}),
    ("webhook", "delivery", {"preset": "stripe", "secrets": [SECRET]}),
    ("webhook", "delivery", {"preset": "form"}),
    ("email", "open", {}),
]


@pytest.mark.parametrize(("bridge", "kind", "settings_"), KINDS)
async def test_a_test_goes_through_the_door_and_shows_where_it_is_stored(
    running: Running, bridge: str, kind: str, settings_: dict[str, Any]
) -> None:
    await running.add(id="one", bridge=bridge, settings=settings_)
    text = await sent(running, "/sources/one/test", kind=kind, event="Tried", properties='{"plan": "pro"}')
    events = await running.events()

    assert len(events) == 1
    assert re.search(r'id="stream-id">\d+-\d+<', text)
    assert [
        title for title in ("Received: 20", "Understood and enriched", "Stored") if title not in text
    ] == []
    if bridge in {"web", "rest"} and kind != "identify":
        assert events[0]["properties"]["plan"] == "pro"


@pytest.mark.parametrize(("bridge", "kind", "settings_"), KINDS)
async def test_a_dry_run_shows_what_would_be_stored_and_stores_nothing(
    running: Running, bridge: str, kind: str, settings_: dict[str, Any]
) -> None:
    await running.add(id="one", bridge=bridge, settings=settings_)
    text = await sent(running, "/sources/one/test", kind=kind, dry="yes")

    assert "would be stored" in text
    assert await running.events() == []


async def test_a_test_that_is_refused_says_why_and_what_to_do(running: Running) -> None:
    await running.add(id="one", enabled=False)
    text = await sent(running, "/sources/one/test", kind="page")

    assert "source_disabled" in text
    assert "Switch the source on." in text


async def test_every_tab_says_why_nothing_is_stored(running: Running) -> None:
    await running.add(id="off", enabled=False)
    await running.add(id="dry", transitional=True)

    for tab in ("live", "install", "test"):
        assert "switched off and refuses everything" in await text_of(running, f"/sources/off/{tab}")
        assert "checked but not stored" in await text_of(running, f"/sources/dry/{tab}")


async def test_install_shows_the_last_refusal_until_there_is_an_event(running: Running) -> None:
    await running.add(id="one")
    await running.post("one", b"broken")
    await running.parts.pipeline.refused.flush()
    before = await text_of(running, "/sources/one/install")
    await running.post("one", {"batch": [{"type": "page"}]})
    after = await text_of(running, "/sources/one/install")

    assert "Something came and was refused" in before
    assert "not_json" in before
    assert "Events arrive" in after
    assert "not_json" not in after


async def test_a_test_of_a_server_leaves_no_key_behind(running: Running) -> None:
    await running.add(id="one", bridge="rest")
    await sent(running, "/sources/one/test", kind="track")

    assert running.parts.catalogue.get("one").settings.keys == ()


@pytest.mark.parametrize(
    "fields", [{"kind": "flood"}, {"kind": "page", "properties": "[1]"}, {"kind": "page", "properties": "{"}]
)
async def test_a_test_that_cannot_be_made_is_said_to_be_wrong(
    running: Running, fields: dict[str, str]
) -> None:
    await running.add(id="one")

    assert (await running.submit("/sources/one/test", fields)).status == 422


def key_in(text: str) -> str:
    return re.search(r"<pre>(wk_[^<]+)</pre>", text)[1]  # type: ignore[index]


async def call(running: Running, key: str) -> int:
    answer = await running.public.post(
        "/v1/track", json={"event": "x", "userId": "u"}, headers={"Authorization": f"Bearer {key}"}
    )
    return answer.status


async def test_a_key_is_shown_once_and_only_its_digest_is_kept(running: Running) -> None:
    await running.add(id="one", bridge="rest")
    key = key_in(await sent(running, "/sources/one/keys", label="CRM"))

    assert await call(running, key) == 200
    text = await text_of(running, "/sources/one/keys")
    assert "CRM" in text
    assert key not in text


async def test_a_rotated_key_works_for_its_overlap_and_a_revoked_one_no_more(running: Running) -> None:
    await running.add(id="one", bridge="rest")
    old = key_in(await sent(running, "/sources/one/keys", label="CRM"))
    name = running.parts.catalogue.get("one").settings.keys[0].id
    new = key_in(await sent(running, f"/sources/one/keys/{name}/rotate", hours="24"))
    assert (await call(running, old), await call(running, new)) == (200, 200)

    ends = datetime.fromisoformat(running.parts.catalogue.get("one").settings.keys[0].expires)
    assert timedelta(hours=23) < ends - datetime.now(UTC) <= timedelta(hours=24)
    await running.submit(f"/sources/one/keys/{name}/revoke")
    assert (await call(running, old), await call(running, new)) == (401, 200)


async def test_a_rotation_without_overlap_ends_the_old_key_at_once(running: Running) -> None:
    await running.add(id="one", bridge="rest")
    old = key_in(await sent(running, "/sources/one/keys"))
    name = running.parts.catalogue.get("one").settings.keys[0].id
    await sent(running, f"/sources/one/keys/{name}/rotate", hours="0")

    assert await call(running, old) == 401


async def test_mails_are_signed_with_a_new_key_and_the_old_one_stays_good(running: Running) -> None:
    source = await running.add(id="one", bridge="email")
    await running.submit("/sources/one/signing-keys")
    keys = running.parts.catalogue.get("one").settings.keys

    assert [key.id for key in keys][1] == source.settings.keys[0].id
    assert "signs" in await text_of(running, "/sources/one/keys")


async def test_the_trackers_tokens_are_signed_with_a_new_key_and_the_old_ones_count(running: Running) -> None:
    await running.add(id="one", settings={"token": "refuse"})

    async def token() -> str:
        answer = await running.public.get("/s/one.js", headers={"Accept-Encoding": "identity"})
        [found] = re.findall(r'"token":"([^"]+)"', await answer.text())
        return str(found)

    old = await token()
    await running.submit("/sources/one/signing-keys")

    assert "signs" in await text_of(running, "/sources/one/keys")
    assert old != await token()
    body = '{"batch": [{"type": "page"}]}'
    assert (await running.public.post(f"/e/one?k={old}", data=body)).status == 204


async def test_a_website_that_asks_for_no_token_has_no_keys(running: Running) -> None:
    await running.add(id="one")
    pages = [running.console.get("/sources/one/keys"), running.submit("/sources/one/signing-keys")]

    assert [(await page).status for page in pages] == [404, 404]
    assert "/sources/one/keys" not in await text_of(running, "/sources/one/overview")


async def test_install_says_of_a_quiet_source_when_its_last_event_came(running: Running) -> None:
    source = await running.add(id="one")
    assert "Waiting for the first event" in await text_of(running, "/sources/one/install")
    await running.post("one", {"batch": [{"type": "page"}]})
    await running.parts.pipeline.counters.flush()
    async with Redis.from_url(running.settings.redis_url) as redis:
        await drop_stream(redis, running.names, source.stream, running.settings.partitions)

    quiet = await text_of(running, "/sources/one/install")
    assert "None lately" in quiet
    assert "The last event came <time " in quiet
    assert "first event" not in quiet


async def test_a_viewer_sends_and_makes_nothing(running: Running) -> None:
    await running.add(id="one", bridge="rest")
    await running.sign_in(Role.VIEWER, "vera")
    for path in (
        "/sources/one/test",
        "/sources/one/keys",
        "/sources/one/keys/x/rotate",
        "/sources/one/keys/x/revoke",
    ):
        assert ((await running.submit(path, {"kind": "track"})).status, path) == (403, path)


async def test_deliveries_show_verdict_reason_and_what_came_without_its_secret(running: Running) -> None:
    await running.add(
        id="one", bridge="webhook", settings={"preset": "json", "secrets": [SECRET], "keep": "all"}
    )
    assert "Waiting for the first delivery" in await text_of(running, "/sources/one/deliveries")
    await running.public.post("/h/one", json={"event": "a<b>"}, headers={"Authorization": f"Bearer {SECRET}"})
    await running.public.post(f"/h/one?secret={SECRET}x", json={})

    async def both() -> str:
        await running.parts.deliveries.flush()
        text = await text_of(running, "/sources/one/deliveries")
        return text if "bad_signature" in text and "stored" in text else ""

    text = await until(both)
    assert SECRET not in text
    assert "a&lt;b&gt;" in text
    assert "Copy the provider" in text


async def test_a_kept_delivery_is_taken_once_more(running: Running) -> None:
    await running.add(id="one", bridge="webhook", settings={"preset": "json", "secrets": [SECRET]})
    await running.public.post("/h/one", json={"event": "late"})
    await running.parts.deliveries.flush()
    entry = re.search(r'name="entry" value="([^"]+)"', await text_of(running, "/sources/one/deliveries"))[1]  # type: ignore[index]
    assert "Refused again" in await sent(running, "/sources/one/deliveries", entry=entry)

    await running.parts.catalogue.change("one", {"settings": {"secrets": []}})
    assert "stored" in await sent(running, "/sources/one/deliveries", entry=entry)
    assert [event["event"] for event in await running.events()] == ["late"]
    assert (await running.submit("/sources/one/deliveries", {"entry": "x"})).status == 404


async def test_what_servers_sent_is_shown_without_their_keys(running: Running) -> None:
    await running.add(id="one", bridge="rest")
    key = key_in(await sent(running, "/sources/one/keys"))
    for body in ({"writeKey": key, "event": 7}, {"writeKey": key, "batch": [{"type": "no"}]}):
        kind = "batch" if "batch" in body else "track"
        await running.public.post(f"/v1/{kind}?writeKey={key}", json=body, headers={"X-Write-Key": key})
    await running.parts.deliveries.flush()
    text = await text_of(running, "/sources/one/deliveries")

    assert "As it came" in text
    assert key not in unescape(text)


async def test_messages_show_what_became_of_each(running: Running) -> None:
    await running.add(id="one", bridge="email")
    assert "No mail was opened" in await text_of(running, "/sources/one/messages")
    await sent(running, "/sources/one/test", kind="open")
    assert "?message=console-test" in await text_of(running, "/sources/one/messages")

    text = await text_of(running, "/sources/one/messages?message=console-test")
    assert re.search(r'Opens</th><td class="number">1<', text)


async def test_what_comes_between_the_page_and_its_feed_is_not_lost(running: Running) -> None:
    await running.add(id="one")
    await running.post("one", {"batch": [{"type": "track", "event": "Before"}]})
    text = unescape(await text_of(running, "/sources/one/live"))
    await running.post("one", {"batch": [{"type": "track", "event": "Between"}]})
    address = re.search(r'data-feed="([^"]+)"', text)[1]  # type: ignore[index]
    async with running.console.get(address) as feed:
        rows = ""
        while "Between" not in rows:
            rows += (await feed.content.readline()).decode()

    assert "Before" in text
    assert "Before" not in rows


@pytest.mark.parametrize("since", ["", "x", "1-1", "1-1,2", "0-0,0-0,0-0"])
async def test_a_feed_from_nowhere_begins_now(running: Running, since: str) -> None:
    await running.add(id="one")
    async with running.console.get(f"/sources/one/live/feed?since={since}") as feed:
        assert await feed.content.readline() == b"event: ready\n"


async def test_history_says_who_changed_what(running: Running) -> None:
    await running.add(id="one")
    await running.submit("/sources/one/enabled", {"enabled": "no"})
    text = await text_of(running, "/sources/one/history")

    assert re.search(r"Changed</strong> by ada", text)
    assert re.search(r"<code>enabled</code> <del>.*true</del> → <ins>.*false</ins>", text)


def test_every_reason_has_advice() -> None:
    assert [reason.code for reason in Reason if not advice(reason.code)[1]] == []


def test_what_the_steps_add_is_told_apart_from_what_was_sent() -> None:
    sent_ = {
        "page": {"url": "https://shop.example/?utm_source=a", "referrer": "https://www.google.com/"},
        "userAgent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "locale": "de-CH",
    }
    told: dict[str, Any] = {}
    for _, step in STEPS:
        told |= step({**sent_, **told}, hit())

    assert {name for name, value in told.items() if value} - _ADDED_CONTEXT - sent_.keys() == set()
