"""A new tracker for a share of visitors: one file for all of them, which holds both versions."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from typing import TYPE_CHECKING

import orjson
import pytest
from click.testing import CliRunner

from collector.access import Role
from collector.cli import cli
from collector.sources import SourceError
from collector.tracker import render

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from tests.conftest import Running

PLAIN = {"Accept-Encoding": "identity"}
COOKIE = {"visitors": "cookie"}


async def staged(running: Running, share: int, **fields: object) -> tuple[str, bytes, bytes]:
    """Return a source whose new tracker a share of visitors runs, and both trackers."""
    source = await running.add(**fields)
    older = await (await running.public.get(f"/s/{source.id}.js", headers=PLAIN)).read()
    settings = {"features": ["context"], "rollout": share, "older": render(source).digest}
    changed = await running.parts.catalogue.change(source.id, {"settings": settings})
    return source.id, render(changed).body, older


def digests(running: Running, name: str) -> tuple[str, str]:
    """Return the digests of the newer and the older tracker."""
    source = running.parts.catalogue.get(name)
    return render(source).digest, source.settings.older


async def headwater(running: Running, *arguments: str) -> str:
    """Return what a command says to people."""
    names = ("redis_url", "namespace", "data")
    environment = {f"HEADWATER_{name.upper()}": str(getattr(running.settings, name)) for name in names}
    done = await asyncio.to_thread(CliRunner().invoke, cli, arguments, env=environment)
    return done.output + str(done.exception or "")


async def test_the_stable_path_holds_both_versions_for_everybody_and_caches_keep_it(running: Running) -> None:
    name, newer, older = await staged(running, 10)

    first = await running.public.get(f"/s/{name}.js", headers=PLAIN)
    other = await running.public.get(f"/s/{name}.js?x=1", headers={**PLAIN, "Cookie": "hw:share=3"})
    again = await running.public.get(f"/s/{name}.js", headers={"If-None-Match": first.headers["ETag"]})
    small = await running.public.get(f"/s/{name}.js", headers={"Accept-Encoding": "br"})

    body = await first.read()
    assert newer in body
    assert older in body
    assert body == await other.read()
    assert again.status == 304
    assert first.headers["Cache-Control"] == "public, max-age=300, stale-while-revalidate=86400"
    alone = await (await running.public.get(f"/s/{name}.{digests(running, name)[0]}.js")).read()
    assert len(await small.read()) < 1.5 * len(alone)


async def test_everybody_gets_the_new_version_at_100_and_an_empty_one_when_switched_off(
    running: Running,
) -> None:
    name, newer, _ = await staged(running, 0)

    await running.parts.catalogue.change(name, {"settings": {"rollout": 100}})
    assert newer == await (await running.public.get(f"/s/{name}.js", headers=PLAIN)).read()

    await running.parts.catalogue.change(name, {"enabled": False, "settings": {"rollout": 50}})
    off = await (await running.public.get(f"/s/{name}.js", headers=PLAIN)).read()
    assert off == b"/* This source is switched off. */\n"


NODE = """
const {runInNewContext} = require('node:vm');
const [newer, older, body] = JSON.parse(require('node:fs').readFileSync(0));
const file = body.replace(newer, 'ran.push(1)').replace(older, 'ran.push(0)');
const ran = [];
for (const [stored, dice] of JSON.parse(process.argv[1])) {
  const localStorage = stored === 'denied' ? undefined : stored === null ? {} : {'hw:share': stored};
  const sandbox = {
    ran, Math: {random: () => dice}, get localStorage() { if (!localStorage) throw 1; return localStorage; },
  };
  runInNewContext(file, sandbox);
  ran.push(localStorage?.['hw:share'] ?? null);
}
console.log(JSON.stringify(ran));
"""


def chosen(bodies: tuple[bytes, bytes, bytes], cases: list[tuple[str | None, float]]) -> list[object]:
    """Return for each case whether the newer version ran, and what is kept then."""
    node = shutil.which("node") or "node"
    told = orjson.dumps([body.decode() for body in bodies])
    done = subprocess.run(
        [node, "-e", NODE, orjson.dumps(cases)], input=told, capture_output=True, check=True
    )
    return list(orjson.loads(done.stdout))


async def test_the_browser_draws_for_each_page_and_keeps_nothing_without_the_mode_cookie(
    running: Running,
) -> None:
    name, newer, older = await staged(running, 10)
    body = await (await running.public.get(f"/s/{name}.js", headers=PLAIN)).read()

    assert chosen((newer, older, body), [(None, 0.05), (None, 0.1), ("3", 0.5)]) == [1, None, 0, None, 0, "3"]


async def test_in_the_mode_cookie_a_visitor_stays_with_what_was_drawn_once(running: Running) -> None:
    name, newer, older = await staged(running, 10, privacy=COOKIE)
    body = await (await running.public.get(f"/s/{name}.js", headers=PLAIN)).read()

    cases = [
        (None, 0.05),
        (None, 0.105),
        ("3", 0.5),
        ("10", 0.01),
        ("denied", 0.05),
        ("denied", 0.5),
        ("{}", 0.01),
    ]
    told = [1, 5, 0, 10, 1, "3", 0, "10", 1, None, 0, None, 0, "{}"]
    assert told == chosen((newer, older, body), cases)


@pytest.mark.parametrize("privacy", [{**COOKIE, "consent": "required"}, {"visitors": "anonymous"}])
async def test_nothing_is_kept_before_consent_or_for_nobody(
    running: Running, privacy: dict[str, str]
) -> None:
    name, _, _ = await staged(running, 10, privacy=privacy)

    body = await (await running.public.get(f"/s/{name}.js", headers=PLAIN)).text()

    assert "hw:share" not in body


async def test_a_digest_that_nobody_remembers_cannot_be_kept(running: Running) -> None:
    source = await running.add()

    with pytest.raises(SourceError, match="headwater tracker show"):
        await running.parts.catalogue.change(source.id, {"settings": {"rollout": 10, "older": "0" * 16}})
    with pytest.raises(SourceError, match="needs older"):
        await running.parts.catalogue.change(source.id, {"settings": {"rollout": 10}})


async def test_an_older_version_that_cannot_be_read_is_never_replaced_by_the_new_one(
    running: Running, redis: Redis
) -> None:
    name, _, _ = await staged(running, 10)
    await redis.delete(running.names.trackers(name))

    answer = await running.public.get(f"/s/{name}.js")
    off = await running.parts.catalogue.change(name, {"enabled": False})

    assert not off.enabled  # the kill switch works on whatever is missing
    assert (answer.status, answer.headers["X-Headwater-Reason"]) == (503, "tracker_unavailable")
    assert (answer.headers["Cache-Control"], answer.headers["Retry-After"]) == ("no-store", "10")


async def test_an_older_version_without_a_token_cannot_stand_where_hits_without_one_are_refused(
    running: Running,
) -> None:
    name, _, _ = await staged(running, 10)

    with pytest.raises(SourceError, match="sends no token"):
        await running.parts.catalogue.change(name, {"settings": {"token": "refuse"}})
    changed = await running.parts.catalogue.change(name, {"settings": {"token": "refuse", "rollout": 100}})

    assert changed.settings.asks_for_token


async def test_both_versions_carry_the_token(running: Running) -> None:
    name, _, _ = await staged(running, 10, settings={"token": "flag"})

    body = await (await running.public.get(f"/s/{name}.js", headers=PLAIN)).text()

    assert '"token":""' not in body
    assert body.count('"token":"') == 2


async def test_a_collector_that_holds_the_older_version_asks_for_it_no_more(
    running: Running, redis: Redis
) -> None:
    name, _, _ = await staged(running, 10)
    first = await running.public.get(f"/s/{name}.js", headers=PLAIN)
    await redis.delete(running.names.trackers(name))

    again = await running.public.get(f"/s/{name}.js", headers=PLAIN)

    assert await first.read() == await again.read()


async def test_the_command_says_who_runs_which_version(running: Running) -> None:
    name, _, _ = await staged(running, 10)
    await running.public.get(f"/s/{name}.js")
    newer, older = digests(running, name)

    told = await headwater(running, "tracker", "show", name)
    doctor = await headwater(running, "doctor")

    assert told.splitlines()[0].startswith(f"{newer}  10 % of the visitors, ")
    assert told.splitlines()[1:] == [f"{older}  the rest", "It asks for no token."]
    assert f"{name}: 10 % run the tracker as set, the rest {older}" in doctor


async def test_the_command_replaces_the_key_of_the_tokens(running: Running) -> None:
    plain, asking = await running.add(), await running.add(settings={"token": "refuse"})

    told = await headwater(running, "tracker", "rotate", asking.id)
    pinned = await headwater(running, "snippet", asking.id, "--integrity")
    refused = await headwater(running, "tracker", "rotate", plain.id)

    assert f"{asking.id} signs with the new key" in told
    assert "are refused as bad_token" in pinned
    assert "signs nothing" in refused


async def test_the_console_says_who_runs_which_version_and_what_pinning_costs(running: Running) -> None:
    name, _, _ = await staged(running, 10, settings={"token": "flag"})
    await running.sign_in(role=Role.VIEWER)

    page = await (await running.console.get(f"/sources/{name}/install")).text()

    assert "10 % of the visitors run the tracker as it is set" in page
    assert "get the flag no_token" in page
