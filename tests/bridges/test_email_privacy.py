"""Mails and privacy: who has withdrawn, or has not consented where that is needed, is not named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.links import LinkError, Mark
from collector.sources.email import signer
from tests.bridges.test_email import SHOP, follow, mail_source, token
from tests.conftest import run_collector, until
from tests.test_email_commands import headwater

if TYPE_CHECKING:
    from pathlib import Path

    from collector.settings import Settings
    from tests.conftest import Running

AGENT = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.4.0"}


async def opened(running: Running, source: Any, signed: str = "", **headers: str) -> dict[str, Any]:
    signed = signed or token(source, "open")
    await running.public.get(f"/p/{source.id}.gif?t={signed}", headers={**AGENT, **headers})
    return (await running.events())[-1]


async def test_a_withdrawn_recipient_is_only_counted(running: Running) -> None:
    """In mails sent before, too: no recipient, no address, no user agent; the redirect works."""
    source = await mail_source(running)
    await running.parts.catalogue.change(source.id, {"privacy": {"address": "network"}})
    before = await opened(running, source)
    await running.parts.withdrawals.withdraw(source, ["r1", "r2"])

    after = await opened(running, source)
    answer = await follow(running, token(source), headers=AGENT)
    click = (await running.events())[-1]

    assert (before["anonymousId"], before["context"]["ip"]) == ("r1", "127.0.0.0")
    assert (answer.status, answer.headers["Location"]) == (302, SHOP)
    assert after["properties"] == {"email_id": "spring"}
    assert click["properties"]["link_id"] == 3
    for event in (after, click):
        assert "anonymousId" not in event
        assert event["context"] == {}


async def test_who_consents_again_is_recorded_again(running: Running) -> None:
    source = await mail_source(running)
    await running.parts.withdrawals.withdraw(source, ["r1"])

    assert await running.parts.withdrawals.restore(source, ["r1", "r2"]) == 1
    assert (await opened(running, source))["anonymousId"] == "r1"


async def test_a_withdrawal_holds_for_its_source_alone(running: Running) -> None:
    source, other = await mail_source(running), await mail_source(running)
    await running.parts.withdrawals.withdraw(other, ["r1"])

    assert (await opened(running, source))["anonymousId"] == "r1"


@pytest.mark.parametrize("privacy", [{"preset": "cnil"}, {"consent": "required"}])
@pytest.mark.parametrize("consented", [True, False])
async def test_where_consent_is_needed_only_who_consented_is_named(
    running: Running, privacy: dict[str, str], *, consented: bool
) -> None:
    source = await mail_source(running)
    changed = await running.parts.catalogue.change(source.id, {"privacy": privacy})
    signed = signer(changed).sign("open", Mark("spring", "r1", consented=consented))

    event = await opened(running, source, signed)

    assert event.get("anonymousId") == ("r1" if consented else None)
    assert event["context"].get("consent") == ({"email": True} if consented else None)
    assert ("userAgent" in event["context"]) == consented


async def test_what_is_only_counted_keeps_a_machines_label(running: Running) -> None:
    source = await mail_source(running)
    await running.parts.withdrawals.withdraw(source, ["r1"])
    event = await opened(running, source, **{"User-Agent": "Mozilla/5.0"})

    assert event["collector"]["machine"]["kind"] == "apple_mpp"


async def test_a_persons_event_has_no_label(running: Running) -> None:
    source = await mail_source(running)

    assert "machine" not in (await opened(running, source))["collector"]


async def test_a_withdrawal_outlives_redis(settings: Settings, tmp_path: Path) -> None:
    async with run_collector(settings) as running:
        source = await mail_source(running)
        await running.parts.withdrawals.withdraw(source, ["r1"])
        snapshot = tmp_path / "withdrawals.snapshot"
        await until(lambda: _is_written(snapshot))
    away = settings.model_copy(update={"redis_url": f"unix://{tmp_path}/nothing.sock"})
    async with run_collector(away) as running:
        covers = running.parts.withdrawals.covers

        assert (covers(source.id, "r1"), covers(source.id, "r2")) == (True, False)
        assert "r1" not in snapshot.read_text()

    snapshot.unlink()
    async with run_collector(away) as running:
        assert running.parts.withdrawals.covers(source.id, "r2"), "nobody is named while nothing is known"


async def _is_written(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


@pytest.mark.parametrize("bad", ["", "r" * 256])
async def test_a_recipient_that_can_be_none_is_an_error(running: Running, bad: str) -> None:
    with pytest.raises(LinkError, match="no recipient"):
        await running.parts.withdrawals.withdraw(await mail_source(running), ["r1", bad])


def test_withdrawals_by_command(settings: Settings) -> None:
    headwater(settings, "source", "add", "--bridge", "email", "--name", "News", "--id", "news")
    many = "\n".join(f"r{number}" for number in range(2500))

    answer = headwater(settings, "email", "withdraw", "--source", "news", "--file", "-", input=many)
    undone = headwater(settings, "email", "withdraw", "--source", "news", "r7", "x", "--undo")

    assert answer.output == "Named no more: 2500.\n"
    assert undone.output == "Recorded again: 1.\n"
    assert headwater(settings, "email", "withdraw", "--source", "news").exit_code == 2
    assert (
        "only of recipients who have consented" not in headwater(settings, "source", "privacy", "news").output
    )
    headwater(settings, "source", "set", "news", "privacy.preset=cnil")
    assert "only of recipients who have consented" in headwater(settings, "source", "privacy", "news").output
