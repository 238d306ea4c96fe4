"""The tracker as served: cacheable, pinned by digest, the same bytes for everybody."""

from __future__ import annotations

import gzip
import hashlib
from base64 import b64encode
from typing import TYPE_CHECKING

import brotli
import pytest

from collector.tracker import render, snippet
from tests.conftest import web_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Running


async def test_the_stable_path_is_short_lived_and_revalidates_with_304(running: Running) -> None:
    source = await running.add()

    first = await running.public.get(f"/s/{source.id}.js")
    again = await running.public.get(f"/s/{source.id}.js", headers={"If-None-Match": first.headers["ETag"]})

    assert first.status == 200
    assert first.headers["Cache-Control"] == "public, max-age=300, stale-while-revalidate=86400"
    assert first.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert (again.status, await again.read()) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


async def test_the_digest_path_is_immutable_and_has_the_same_bytes(running: Running) -> None:
    source = await running.add()
    digest = render(source).digest

    stable = await running.public.get(f"/s/{source.id}.js")
    pinned = await running.public.get(f"/s/{source.id}.{digest}.js")

    assert await stable.read() == await pinned.read()
    assert pinned.headers["Cache-Control"] == "public, max-age=31536000, immutable"


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
    disabled = await running.add(enabled=False)

    for name, reason in (("nobody", "unknown_source"), (disabled.id, "source_disabled")):
        answer = await running.public.get(f"/s/{name}.js")

        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Headwater-Reason"] == reason


HOSTILE = ["</script><script>alert(1)</script>", "\u2028\u2029", "{{ 7*7 }}", "${1}", "'\"`\\", "x" * 100_000]


@pytest.mark.parametrize("text", HOSTILE)
def test_options_enter_as_escaped_data(text: str) -> None:
    settings = web_source().settings.model_copy(update={"options": {"endpoint": text, "__proto__": text}})

    body = render(web_source(settings=settings)).body.decode()

    assert "</script" not in body
    assert "\u2028" not in body
    assert "\u2029" not in body


def test_the_same_settings_give_the_same_bytes() -> None:
    settings = web_source().settings
    one = settings.model_copy(update={"options": {"a": 1, "b": 2}})
    two = settings.model_copy(update={"options": {"b": 2, "a": 1}})

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
