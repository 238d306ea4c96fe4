"""The tracker as served: cacheable, pinned by digest, the same bytes for everybody."""

from __future__ import annotations

import gzip
import hashlib
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import brotli
import orjson
import pytest

from collector.model import Privacy
from collector.sources.features import build
from collector.sources.settings import WebSettings
from collector.sources.tracker_token import TrackerTokens
from collector.store.trackers import TrackerArchive
from collector.tracker import TrackerViews, render, snippet, views
from collector.tracker.render import chosen_features, tracker_config
from tests.conftest import web_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from tests.conftest import Running

SNIPPET = Path(__file__).parents[1] / "snippet"


async def test_the_stable_path_is_short_lived_and_revalidates_with_304(running: Running) -> None:
    source = await running.add()

    first = await running.public.get(f"/s/{source.id}.js")
    again = await running.public.get(f"/s/{source.id}.js", headers={"If-None-Match": first.headers["ETag"]})

    assert first.status == 200
    assert first.headers["Cache-Control"] == "public, max-age=300, stale-while-revalidate=86400"
    assert first.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert (again.status, await again.read()) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


@pytest.mark.parametrize("preset", ["lite", "core", "typical", "everything"])
async def test_the_file_as_it_is_served_weighs_no_more_than_its_limit(running: Running, preset: str) -> None:
    limits = orjson.loads((SNIPPET / "package.json").read_bytes())["sizes"]
    source = await running.add(settings={"preset": preset})

    served = await running.public.get(f"/s/{source.id}.js", headers={"Accept-Encoding": "br"})

    assert served.headers["Content-Encoding"] == "br"
    assert int(served.headers["Content-Length"]) <= limits[preset]


async def test_the_digest_path_is_immutable_and_has_the_same_bytes(running: Running) -> None:
    source = await running.add()
    digest = render(source).digest

    stable = await running.public.get(f"/s/{source.id}.js")
    pinned = await running.public.get(f"/s/{source.id}.{digest}.js")

    assert await stable.read() == await pinned.read()
    assert pinned.headers["Cache-Control"] == "public, max-age=31536000, immutable"


async def test_what_a_worker_remembers_of_trackers_is_bounded(
    running: Running, limited_redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "_MOST_REMEMBERED", 2)
    monkeypatch.setattr(views, "_MOST_RECALLED", 2)
    archive = TrackerArchive(limited_redis, running.names)
    held = TrackerViews(running.parts.pipeline, archive, TrackerTokens.of(running.settings))
    sources = [await running.add(id=f"web{number}") for number in range(4)]
    sources = [
        replace(each, settings=each.settings.model_copy(update={"older": render(each).digest}))
        for each in sources
    ]
    for source in sources:
        await held._remember(source, render(source))
        older = await held._older(source)

        assert older == await archive.recall(source.id, source.settings.older)

    assert [name for name, _ in held.remembered] == ["web2", "web3"]
    assert [name for name, _ in held.recalled] == ["web2", "web3"]


async def test_a_digest_of_the_past_keeps_its_bytes_and_an_unknown_one_leads_to_the_stable_path(
    running: Running,
) -> None:
    source = await running.add()
    old = await (await running.public.get(f"/s/{source.id}.js")).read()
    digest = render(source).digest
    await running.parts.catalogue.change(source.id, {"settings": {"preset": "typical"}})

    past = await running.public.get(f"/s/{source.id}.{digest}.js")
    unknown = await running.public.get(f"/s/{source.id}.{'0' * 16}.js", allow_redirects=False)

    assert old == await past.read()
    assert (302, f"{source.id}.js") == (unknown.status, unknown.headers["Location"])
    assert unknown.headers["Cache-Control"] == "no-store"


ENCODINGS = [
    ("br, gzip", "br", brotli.decompress),
    ("gzip", "gzip", gzip.decompress),
    ("gzip, br;q=0", "gzip", gzip.decompress),
    ("identity", None, bytes),
]


@pytest.mark.parametrize(("accept", "encoding", "decode"), ENCODINGS)
async def test_each_encoding_is_served_precompressed_with_its_own_tag(
    running: Running, accept: str, encoding: str | None, decode: Callable[[bytes], bytes]
) -> None:
    source = await running.add()
    rendered = render(source)

    answer = await running.public.get(f"/s/{source.id}.js", headers={"Accept-Encoding": accept})

    assert answer.headers.get("Content-Encoding") == encoding
    assert answer.headers["Vary"] == "Accept-Encoding"
    expected = rendered.digest + (f"-{encoding}" if encoding else "")
    assert answer.headers["ETag"] == f'"{expected}"'
    assert rendered.body == decode(await answer.read())


async def test_head_has_the_headers_and_no_body(running: Running) -> None:
    source = await running.add()

    got = await running.public.get(f"/s/{source.id}.js")
    head = await running.public.head(f"/s/{source.id}.js")

    assert got.headers["ETag"] == head.headers["ETag"]
    assert await head.read() == b""


PLAIN = {"Accept-Encoding": "identity"}
STRANGE = [
    {"Host": "evil.example"},
    {"X-Forwarded-Host": "evil.example"},
    {"X-Forwarded-Proto": "javascript"},
    {"Cookie": "a=b"},
    {"User-Agent": "</script>"},
    {"Accept-Language": "xx"},
]


@pytest.mark.parametrize("headers", STRANGE)
async def test_no_header_or_query_changes_the_bytes(running: Running, headers: dict[str, str]) -> None:
    source = await running.add()

    answer = await running.public.get(f"/s/{source.id}.js?x=</script>", headers={**PLAIN, **headers})

    assert render(source).body == await answer.read()


async def test_errors_are_not_kept_by_caches(running: Running) -> None:
    source = await running.add()
    digest = render(source).digest
    await running.parts.catalogue.change(source.id, {"enabled": False})

    for name, reason in (("nobody", "unknown_source"), (f"{source.id}.{digest}", "source_disabled")):
        answer = await running.public.get(f"/s/{name}.js")

        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Headwater-Reason"] == reason


async def test_a_source_that_is_switched_off_serves_a_tracker_that_does_nothing(running: Running) -> None:
    """The kill switch: a 200 with another ETag, which replaces what caches hold; an error would not."""
    source = await running.add()
    before = await running.public.get(f"/s/{source.id}.js", headers=PLAIN)
    await running.parts.catalogue.change(source.id, {"enabled": False})

    condition = {"If-None-Match": before.headers["ETag"], **PLAIN}
    after = await running.public.get(f"/s/{source.id}.js", headers=condition)

    assert (after.status, await after.read()) == (200, b"/* This source is switched off. */\n")
    assert after.headers["Cache-Control"] == before.headers["Cache-Control"]
    assert (await running.post(source.id, {"batch": [{"type": "page"}]})).status == 403

    await running.parts.catalogue.change(source.id, {"enabled": True})
    again = await running.public.get(f"/s/{source.id}.js", headers=PLAIN)
    assert again.headers["ETag"] == before.headers["ETag"]


async def test_tracker_beacon_and_pixel_work_on_an_alias_until_it_is_removed(running: Running) -> None:
    source = await running.add(settings={"aliases": ["k7"]})

    async def statuses(name: str) -> list[int]:
        tracker = await running.public.get(f"/s/{name}.js", headers=PLAIN)
        pinned = await running.public.get(f"/s/{name}.{render(source).digest}.js", headers=PLAIN)
        beacon = await running.post(name, {"batch": [{"type": "page"}]})
        pixel = await running.public.get(f"/p/{name}.gif")
        reasons = [pixel.headers.get("X-Headwater-Reason")]
        return [tracker.status, pinned.status, beacon.status, 404 if "unknown_source" in reasons else 200]

    assert await statuses("k7") == [200, 200, 204, 200]
    assert {event["source"]["id"] for event in await running.events()} == {source.id}

    await running.parts.catalogue.change(source.id, {"settings": {"aliases": ["m2"]}})
    assert await statuses("k7") == [404, 404, 404, 404]
    assert await statuses("m2") == [200, 200, 204, 200]


HOSTILE = ["</script><script>alert(1)</script>", "\u2028\u2029", "{{ 7*7 }}", "${1}", "'\"`\\", "x" * 100_000]


@pytest.mark.parametrize("text", HOSTILE)
def test_options_enter_as_escaped_data(text: str) -> None:
    settings = web_source().settings.model_copy(update={"options": {"endpoint": text, "search": text}})

    body = render(web_source(settings=settings)).body.decode()

    assert "</script" not in body
    assert "\u2028" not in body
    assert "\u2029" not in body


def test_the_same_settings_give_the_same_bytes() -> None:
    settings = web_source().settings
    one = settings.model_copy(update={"options": {"heartbeat": 10, "search": "find"}})
    two = settings.model_copy(update={"options": {"search": "find", "heartbeat": 10, "sample": 1}})

    assert render(web_source(settings=one)).digest == render(web_source(id="other", settings=two)).digest


def test_the_tag_with_integrity_names_the_digest_path_and_the_sha384_of_the_bytes() -> None:
    rendered = render(web_source())

    tag = snippet(web_source(), "https://in.example/", integrity=True)

    sha384 = b64encode(hashlib.sha384(rendered.body).digest()).decode()
    assert f'src="https://in.example/s/web1.{rendered.digest}.js"' in tag
    assert f'integrity="sha384-{sha384}"' in tag
    assert "crossorigin" in tag


def test_the_tag_to_paste_is_at_most_350_bytes() -> None:
    tag = snippet(web_source(id="k3j9x2mq"), "https://in.shop.example")

    assert len(tag.encode()) <= 350


PRIVACIES: list[tuple[dict[str, str], set[str], dict[str, str]]] = [
    ({}, set(), {}),
    ({"visitors": "anonymous"}, set(), {"privacy": "anonymous"}),
    ({"visitors": "cookie"}, {"visitor", "session"}, {"privacy": "cookie"}),
    (
        {"visitors": "cookie", "cookie": "server"},
        {"session"},
        {"privacy": "cookie", "credentials": "same-origin"},
    ),
    ({"consent": "required"}, {"consent"}, {"consent": "required"}),
    ({"consent": "required", "before_consent": "views"}, {"consent"}, {}),
]


@pytest.mark.parametrize(("privacy", "features", "config"), PRIVACIES)
def test_the_privacy_of_a_source_brings_the_features_and_options_that_it_needs(
    privacy: dict[str, str], features: set[str], config: dict[str, str]
) -> None:
    source = web_source(privacy=Privacy(**privacy))

    assert features == set(chosen_features(source))
    assert config == tracker_config(source)


def test_lite_gives_way_to_its_parts_when_a_feature_joins_it() -> None:
    assert [fragment.name for fragment in build().choose("lite", ())] == ["lite"]

    joined = {fragment.name for fragment in build().choose("lite", ("tagged",))}

    assert {"spa", "direct", "tagged", "base"} <= joined
    assert "lite" not in joined


@pytest.mark.parametrize(
    ("privacy", "asks", "config"),
    [
        ({}, False, {}),
        ({"gpc": "record"}, False, {}),
        ({"gpc": "drop"}, True, {}),
        ({"dnt": "drop"}, True, {"dnt": True, "ignoreGpc": True}),
        ({"gpc": "drop", "dnt": "drop"}, True, {"dnt": True}),
    ],
)
def test_the_tracker_looks_for_objections_only_where_they_are_to_be_dropped(
    privacy: dict[str, str], asks: bool, config: dict[str, bool]
) -> None:
    source = web_source(settings=WebSettings(preset="typical"), privacy=Privacy(**privacy))

    assert (b"globalPrivacyControl" in render(source).body) is asks
    assert tracker_config(source) == config
