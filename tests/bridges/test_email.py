"""Mails: the redirect is exact and always comes; the event says whose mail and which link."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from collector.exchange import GIF
from collector.links import Mark
from collector.sources.email import signer
from collector.sources.signing import rotated
from collector.stream.feed import REFUSED, Feed
from tests.conftest import holds, run_collector, until
from tests.links.test_target import BAD

if TYPE_CHECKING:
    from pathlib import Path

    from redis.asyncio import Redis

    from collector.links import Purpose
    from collector.model import Source
    from collector.settings import Settings
    from tests.conftest import Running

BOTH_WAYS = True

SHOP = "https://shop.example/?u=https%3A%2F%2Fy%2F%3Fz%3D1&e=%zz&~=%7E"


async def mail_source(running: Running, **settings: Any) -> Source:
    return await running.add(bridge="email", channel="Email", settings=settings)


def token(source: Source, purpose: Purpose = "click", target: str = SHOP) -> str:
    mark = Mark("spring", "r1", 3, target) if purpose == "click" else Mark("spring", "r1")
    return signer(source).sign(purpose, mark)


async def follow(running: Running, signed: str, **options: Any) -> Any:
    return await running.public.get(f"/l/{signed}", allow_redirects=False, **options)


async def test_a_click_is_recorded_and_redirected(running: Running) -> None:
    source = await mail_source(running)

    answer = await follow(running, token(source))
    event = (await running.events())[0]

    assert (answer.status, answer.headers["Location"]) == (302, SHOP)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert event["event"] == "Email Link Clicked"
    assert event["anonymousId"] == "r1"
    assert event["properties"] == {"email_id": "spring", "link_id": 3, "link_url": SHOP}
    assert event["source"] == {"id": source.id, "bridge": "email", "channel": "Email"}


PIECES = (
    *(
        "%2F",
        "%7E",
        "%zz",
        "%C3%BC",
        "%00",
        "%0d%0a",
        "%2e%2e",
        "..",
        "ü",
        "é",
        "日本",
        "~",
        "'",
        '"',
        "(",
        ")",
    ),
    *(
        "*",
        "!",
        ",",
        ";",
        ":",
        "@",
        "$",
        "&",
        "+",
        "=",
        "[",
        "]",
        "{",
        "}",
        "|",
        "^",
        "`",
        "<",
        ">",
        "/",
        "//",
    ),
    *(
        "?",
        "#",
        "a",
        "Z",
        "9",
        "-",
        "_",
        ".",
        "X-Amz-Signature=0a%2B1",
        "https%3A%2F%2Fy%2F%3Fz%3D1",
        "&amp;",
    ),
)


def thousand_addresses() -> list[str]:
    chance = random.Random(6)  # noqa: S311 - the same addresses every time
    hosts = ("shop.example", "SHOP.example:8443", "münchen.example", "xn--mnchen-3ya.example", "8.8.8.8")
    return [
        f"https://{chance.choice(hosts)}/{''.join(chance.choices(PIECES, k=chance.randint(0, 40)))}"
        for _ in range(1000)
    ]


async def test_location_is_what_was_signed_byte_for_byte(running: Running) -> None:
    source = await mail_source(running)

    for address in thousand_addresses():
        answer = await follow(running, token(source, target=address))

        sent = next(value for name, value in answer.raw_headers if name == b"Location")
        assert (answer.status, sent) == (302, address.encode())


@pytest.mark.parametrize("broken", ["changed", "cut", "other purpose", "unknown key", "nothing"])
async def test_a_bad_link_is_a_page_without_a_link(running: Running, broken: str) -> None:
    source = await mail_source(running)
    good = token(source)
    signed = {
        "changed": good.replace(".", ".A", 1),
        "cut": good[:-1],
        "other purpose": token(source, "unsubscribe"),
        "unknown key": f"zzzzzzzz{good[8:]}",
        "nothing": "x",
    }[broken]

    answer = await follow(running, signed)
    page = await answer.text()

    assert (answer.status, answer.headers["X-Headwater-Reason"]) == (404, "bad_link")
    assert "Location" not in answer.headers
    assert answer.content_type == "text/html"
    assert re.search(r"href|src=|http|<script|<form", page) is None
    assert await running.events() == []


async def test_bad_links_are_counted(running: Running) -> None:
    await follow(running, "x")

    metrics = await (await running.console.get("/metrics")).text()

    assert 'headwater_refusals_total{reason="bad_link",source=""}' in metrics


@pytest.mark.parametrize("path", ["/l/", "/u/"])
async def test_a_changed_link_is_counted_and_shown_with_the_source_whose_key_it_names(
    running: Running, redis: Redis, path: str
) -> None:
    source = await mail_source(running)
    good = token(source, "click" if path == "/l/" else "unsubscribe")
    for signed in (good[:-1], f"zzzzzzzz{good[8:]}"):
        assert (await running.public.get(path + signed)).status == 404
    await running.parts.pipeline.refused.flush()

    metrics = await (await running.console.get("/metrics")).text()
    shown = await Feed(redis, running.names, 1).last(None, [REFUSED], 10)

    for name in (source.id, ""):
        assert f'headwater_refusals_total{{reason="bad_link",source="{name}"}}' in metrics
    assert {entry.body["source"] for entry in shown} == {source.id, ""}
    assert good[:-1] not in str(shown)


async def test_a_target_that_is_no_longer_allowed_is_not_followed(running: Running) -> None:
    source = await mail_source(running)
    await running.parts.catalogue.change(source.id, {"settings": {"hosts": ["other.example"]}})

    answer = await follow(running, token(source))

    assert answer.status == 404
    assert "Location" not in answer.headers


@pytest.mark.parametrize("target", [each for each in BAD if each.isascii() or "\ud800" not in each])
async def test_even_a_signed_bad_target_is_not_followed(running: Running, target: str) -> None:
    source = await mail_source(running)

    answer = await follow(running, token(source, target=target))

    assert answer.status == 404


async def test_a_changed_token_never_redirects(running: Running) -> None:
    source = await mail_source(running)
    chance = random.Random(6)  # noqa: S311 - the same bytes every time
    alphabet = "ABCxyz019-_.~@!$&'()*+,;=:"
    for number in range(300):
        good = token(source, target=f"https://shop.example/{number}")
        at = chance.randrange(len(good))
        new = chance.choice(alphabet.replace(good[at], ""))

        answer = await follow(running, good[:at] + new + good[at + 1 :])

        assert (answer.status, answer.headers.get("Location")) == (404, None)


@pytest.mark.parametrize(
    "path",
    [
        *("/l//evil.example", "/l/https://evil.example", "/l/%2f%2fevil.example", "/l/%5c%5cevil.example"),
        *("/l/https:evil.example", "/l/javascript%3aalert(1)", "/l/java%09script:alert(1)", "/l/%2e%2e/x"),
        *("/l/x?u=https://evil.example", "/l/%0d%0aLocation:%20https://evil.example", "/l/\u0455hop.example"),
    ],
)
async def test_an_address_is_no_token(running: Running, path: str) -> None:
    await mail_source(running)

    answer = await running.public.get(URL(path, encoded=path.isascii()), allow_redirects=False)

    assert answer.status == 404
    assert "Location" not in answer.headers


async def test_a_head_request_is_no_click(running: Running) -> None:
    source = await mail_source(running)

    answer = await running.public.head(f"/l/{token(source)}", allow_redirects=False)

    assert (answer.status, answer.headers["Location"]) == (302, SHOP)
    assert await running.events() == []


async def test_a_link_is_not_posted_to(running: Running) -> None:
    source = await mail_source(running)

    answer = await running.public.post(f"/l/{token(source)}")

    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert await running.events() == []


async def test_a_link_of_a_disabled_source_redirects_unrecorded(running: Running) -> None:
    source = await mail_source(running)
    await running.parts.catalogue.change(source.id, {"enabled": False})

    answer = await follow(running, token(source))

    assert (answer.status, answer.headers["Location"]) == (302, SHOP)
    assert await running.events() == []


async def test_a_link_redirects_while_redis_is_away(settings: Settings, tmp_path: Path) -> None:
    async with run_collector(settings) as running:
        source = await mail_source(running)
        await until(lambda: holds(tmp_path / "sources.snapshot", source.id))
    away = settings.model_copy(update={"redis_url": f"unix://{tmp_path}/nothing.sock"})
    async with run_collector(away) as running:
        answer = await follow(running, token(source))

        assert (answer.status, answer.headers["Location"]) == (302, SHOP)


async def test_a_link_redirects_whatever_fails_inside(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = await mail_source(running)
    monkeypatch.setattr("collector.bridges.email_recorder.email", None)

    answer = await follow(running, token(source))
    pixel = await running.public.get(f"/p/{source.id}.gif?t={token(source, 'open')}")

    assert (answer.status, answer.headers["Location"]) == (302, SHOP)
    assert (await pixel.read(), pixel.headers["X-Headwater-Reason"]) == (GIF, "internal")


async def test_links_of_a_retired_key_work_on(running: Running) -> None:
    source = await mail_source(running)
    old = token(source)
    now = datetime.now(UTC)
    keys = rotated(source.settings.keys, now)
    changed = await running.parts.catalogue.change(source.id, {"settings": {"keys": keys}})
    assert token(changed)[:8] != old[:8]
    assert (await follow(running, old)).status == 302
    assert (await follow(running, token(changed))).status == 302

    keys[1]["retired"] = (now - timedelta(days=401)).isoformat()
    await running.parts.catalogue.change(source.id, {"settings": {"keys": keys}})
    assert (await follow(running, old)).status == 404


async def test_another_change_keeps_the_keys(running: Running) -> None:
    source = await mail_source(running)
    changed = await running.parts.catalogue.change(source.id, {"name": "Other"})

    assert source.settings.keys == changed.settings.keys


async def test_an_open_is_recorded_and_is_a_gif(running: Running) -> None:
    source = await mail_source(running)

    answer = await running.public.get(f"/p/{source.id}.gif?t={token(source, 'open')}")
    event = (await running.events())[0]

    assert (answer.status, answer.content_type, await answer.read()) == (200, "image/gif", GIF)
    assert answer.headers["Cache-Control"] == "no-store, private, max-age=0"
    assert (event["event"], event["anonymousId"]) == ("Email Opened", "r1")
    assert event["properties"] == {"email_id": "spring"}


@pytest.mark.parametrize("query", ["", "?t=x", "?t={click}", "?event=Email+Opened"])
async def test_a_pixel_without_its_token_is_a_gif_and_no_event(running: Running, query: str) -> None:
    source = await mail_source(running)

    answer = await running.public.get(f"/p/{source.id}.gif{query.format(click=token(source))}")

    assert (answer.status, await answer.read()) == (200, GIF)
    assert answer.headers["X-Headwater-Reason"] == "bad_link"
    assert await running.events() == []


async def test_looking_at_an_unsubscribe_changes_nothing(running: Running) -> None:
    source = await mail_source(running)

    answer = await running.public.get(f"/u/{token(source, 'unsubscribe')}")

    assert answer.status == 200
    assert '<form method="post">' in await answer.text()
    assert await running.events() == []


async def test_one_click_unsubscribes(running: Running) -> None:
    source = await mail_source(running)

    answer = await running.public.post(
        f"/u/{token(source, 'unsubscribe')}", data={"List-Unsubscribe": "One-Click"}
    )
    event = (await running.events())[0]

    assert answer.status == 200
    assert (event["event"], event["anonymousId"]) == ("Unsubscribed", "r1")
    assert event["properties"] == {"email_id": "spring"}


async def test_an_unsubscribe_is_kept_whatever_the_privacy_rules_are(running: Running) -> None:
    source = await mail_source(running)
    rules = {"gpc": "drop", "consent": "required", "visitors": "anonymous"}
    await running.parts.catalogue.change(source.id, {"privacy": rules})

    await running.public.post(
        f"/u/{token(source, 'unsubscribe')}", data={"List-Unsubscribe": "One-Click"}, headers={"Sec-GPC": "1"}
    )
    event = (await running.events())[0]

    assert (event["event"], event["anonymousId"]) == ("Unsubscribed", "r1")
    assert "userAgent" not in event["context"]


@pytest.mark.parametrize("form", [{}, {"List-Unsubscribe": "no"}, {"a": "b"}])
async def test_a_post_that_is_not_one_click_changes_nothing(running: Running, form: dict[str, str]) -> None:
    source = await mail_source(running)

    answer = await running.public.post(f"/u/{token(source, 'unsubscribe')}", data=form)

    assert (answer.status, answer.headers["X-Headwater-Reason"]) == (400, "missing_field")
    assert await running.events() == []


async def test_parameters_are_not_passed_on_unless_the_source_says_so(running: Running) -> None:
    source = await mail_source(running)

    answer = await follow(running, f"{token(source)}?gclid=x")

    assert answer.headers["Location"] == SHOP


async def test_a_source_can_pass_parameters_and_the_clicks_id_on(running: Running) -> None:
    source = await mail_source(running, pass_on=["utm_*", "gclid"], click_parameter="hw_click")

    answer = await follow(running, f"{token(source)}?gclid=a%26b&e=1&utm_source=x&evil=%0d%0a")
    event = (await running.events())[0]

    assert answer.headers["Location"] == f"{SHOP}&hw_click={event['messageId']}&gclid=a%26b&utm_source=x"


async def test_a_target_that_would_become_too_long_stays_as_signed(running: Running) -> None:
    long = "https://shop.example/" + "a" * 4000
    source = await mail_source(running, pass_on=["a*"])

    answer = await follow(running, f"{token(source, target=long)}?a={'b' * 200}")

    assert answer.headers["Location"] == long


async def test_a_head_request_is_counted_as_a_machines(running: Running) -> None:
    source = await mail_source(running)
    await running.public.head(f"/l/{token(source)}", allow_redirects=False)
    await running.public.head(f"/p/{source.id}.gif?t={token(source, 'open')}")

    metrics = await (await running.console.get("/metrics")).text()

    assert f'headwater_mail_machines_total{{kind="head",source="{source.id}"}} 2.0' in metrics


async def test_a_pixel_with_a_thousand_parameters_is_a_gif(running: Running) -> None:
    source = await mail_source(running)

    answer = await running.public.get(f"/p/{source.id}.gif?{'a=1&' * 1000}")

    assert (answer.status, await answer.read()) == (200, GIF)
