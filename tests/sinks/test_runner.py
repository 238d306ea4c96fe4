"""The runner: waits for a target that is away, sets aside what it never takes, asks for consent."""

from __future__ import annotations

import dbm
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from collector.cli import cli
from collector.sinks import Away, Delivery, Limits, Rejected, SinkError
from collector.sinks.registry import open_sink
from collector.sinks.runner import Done, Runner, _pieces
from collector.store import Names
from collector.stream.consumer import Consumer
from collector.stream.groups import list_groups
from tests.sinks.conftest import delivery, event, example_of, fill

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from redis.asyncio import Redis

    from collector.settings import Settings


class Target:
    """A sink in memory that is away so many times, and never takes an event called Poison."""

    limits = Limits(100, 1_000_000, 0.05)

    def __init__(self, away: int = 0) -> None:
        self.away = away
        self.kept: list[bytes] = []

    async def write(self, batch: Sequence[Delivery]) -> None:
        if any(b"Poison" in each.event for each in batch):
            raise Rejected("It has no column for this.")
        self.kept += [each.event for each in batch]

    async def healthy(self) -> None:
        self.away -= 1
        if self.away >= 0:
            raise Away("Nobody answers.")


async def bring(
    redis: Redis, settings: Settings, sink: Target, number: int, *, consent: tuple[str, ...] = ()
) -> Done:
    """Bring so many events into a sink, then stop."""
    consumer = Consumer(redis, Names(settings.namespace), "g", most=10, gather=sink.limits)
    runner = Runner(consumer, sink, consent=consent)

    async def told(done: Done) -> None:
        if done.events >= number:
            consumer.stop()

    await runner.run(told)
    return runner.done


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.sinks.runner._FIRST_WAIT_SECONDS", 0.01)


async def test_a_poisonous_event_goes_to_the_dead_letters_and_all_others_are_written(
    redis: Redis, settings: Settings
) -> None:
    events = [event(number, event="Poison" if number in {3, 40} else "Seen") for number in range(60)]
    await fill(redis, settings, *events)
    sink = Target()

    done = await bring(redis, settings, sink, 60)

    names = Names(settings.namespace)
    dead = [fields for _, fields in await redis.xrange(names.stream(0, "dead"))]
    assert sink.kept == [each for each in events if b"Poison" not in each]
    assert [each[b"event"] for each in dead] == [events[3], events[40]]
    assert {each[b"why"] for each in dead} == {b"It has no column for this."}
    assert (done.written, done.dead) == (58, 2)
    assert [group.lag for group in await list_groups(redis, names, "events", 0)] == [0]


async def test_a_target_that_is_away_is_waited_for_and_nothing_is_dead(
    redis: Redis, settings: Settings
) -> None:
    events = [event(number) for number in range(20)]
    await fill(redis, settings, *events)
    sink = Target(away=8)

    await bring(redis, settings, sink, 20)

    assert sink.kept == events
    assert not await redis.exists(Names(settings.namespace).stream(0, "dead"))


async def test_a_batch_that_waits_for_its_target_when_we_stop_is_left_for_the_next(
    redis: Redis, settings: Settings
) -> None:
    await fill(redis, settings, event(1))
    sink = Target(away=1_000_000)
    consumer = Consumer(redis, Names(settings.namespace), "g", gather=sink.limits)
    sink.healthy = lambda: _stop_and_refuse(consumer)  # type: ignore[method-assign]

    await Runner(consumer, sink).run(_nobody)

    assert sink.kept == []
    names = Names(settings.namespace)
    assert [group.lag for group in await list_groups(redis, names, "events", 0)] == [1]


async def test_only_events_with_the_consent_that_a_sink_requires_are_written(
    redis: Redis, settings: Settings
) -> None:
    """Tombstones pass: what was kept must still be removed."""
    consents = [{"ads": True}, {"ads": "granted"}, {"ads": False}, {"analytics": True}, {"ads": []}, None]
    events = [event(number, context={"consent": each}) for number, each in enumerate(consents)]
    forget = event(9, type="forget")
    await fill(redis, settings, *events, forget)
    sink = Target()

    done = await bring(redis, settings, sink, 7, consent=("ads",))

    assert sink.kept == [*events[:2], forget]
    assert done.withheld == 4


def test_no_piece_exceeds_the_limits_but_for_one_event_that_does() -> None:
    batch = [delivery(number, pad="x" * (5000 if number == 2 else 10)) for number in range(7)]
    pieces = list(_pieces(batch, Limits(events=2, size=1000)))

    assert [each for piece in pieces for each in piece] == batch
    assert [len(piece) for piece in pieces] == [2, 1, 2, 2]


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("nowhere", {}, "No sink is called 'nowhere'; there are "),
        ("ndjson", {"compress": "rar"}, "The sink ndjson, compress: This must be 'gzip'"),
        ("ndjson", {"color": "red"}, "The sink ndjson, color: There is no such option."),
        ("segment", {"key": "k"}, "The target must begin with https:// or http://."),
        ("segment", {}, "The sink segment needs key: --set key=…."),
        ("kafka", {"sasl": "none"}, "The sink kafka, sasl: This must be 'PLAIN'"),
        ("ndjson", {"events": "many"}, "The sink ndjson, events: This must be a whole number."),
    ],
)
def test_a_sink_that_cannot_be_made_is_one_sentence(
    name: str, options: dict[str, str], told: str, tmp_path: Path
) -> None:
    with pytest.raises(SinkError) as raised:
        open_sink(name, str(tmp_path), options)

    assert str(raised.value).startswith(told)


async def _stop_and_refuse(consumer: Consumer) -> None:
    consumer.stop()
    raise Away("Nobody answers.")


async def _nobody(_done: Done) -> None:
    return


async def test_the_example_of_an_own_sink_works(tmp_path: Path) -> None:
    scope: dict[str, Any] = {}
    exec(example_of("Your own", "python"), scope)  # noqa: S102 - our own page
    sink = scope["shelf"](str(tmp_path / "shelf"))
    for _ in range(2):
        await sink.healthy()
        await sink.write([delivery(1), delivery(2)])

    with dbm.open(str(tmp_path / "shelf")) as kept:
        assert sorted(kept[key] for key in kept.keys()) == [event(1), event(2)]  # noqa: SIM118 - not a dict


async def test_a_sink_that_is_not_let_in_ends_the_run_unless_it_has_written(
    redis: Redis, settings: Settings
) -> None:
    """A password that is changed meanwhile is waited for; whoever it was closes its connection."""
    await fill(redis, settings, *map(event, range(20)))
    shut, closing = Target(), Closing()
    shut.healthy = _refuse  # type: ignore[method-assign]

    with pytest.raises(SinkError, match="password"):
        await bring(redis, settings, shut, 20)
    await bring(redis, settings, closing, 20)

    assert shut.kept == []
    assert closing.kept == [event(number) for number in range(20)]
    assert closing.closed


class Closing(Target):
    """A sink with a connection, which is shut out for a moment after its first batch."""

    limits = Limits(10, 1_000_000, 0.05)
    closed = shut = False

    async def write(self, batch: Sequence[Delivery]) -> None:
        if self.kept and not self.shut:
            self.shut = True
            await _refuse()
        await super().write(batch)

    async def close(self) -> None:
        self.closed = True


async def _refuse() -> None:
    raise SinkError("The password is wrong.")


def test_a_secret_is_not_taken_from_the_command_line(tmp_path: Path) -> None:
    runner, to = CliRunner(), "http://127.0.0.1:9/in"
    file = tmp_path / "secret"
    file.write_text("whsec_!\n")

    told = {
        given: str(
            runner.invoke(
                cli, ["sink", "webhook", to, "--set", f"secret={given}"], env={"HOOK_SECRET": "whsec_!"}
            ).exception
        )
        for given in ("whsec_!", f"@{file}", "env:HOOK_SECRET")
    }

    assert "other users see what a command line says" in told.pop("whsec_!")
    assert all("public address" in each for each in told.values()), told
    assert not any("whsec_!" in each for each in told.values())


@pytest.mark.parametrize(
    ("name", "to", "told"),
    [
        ("postgres", "postgresql://ada:secret@db/x", "Leave the password out of the target"),
        ("clickhouse", "http://ada@db/", "Leave the login out of the target"),
        ("clickhouse", "http:///", "The target names no host."),
        ("nats", "nats://ada:secret@q/x", "Leave the password out of the target"),
        ("kafka", "kafka://a:9092,b:9092", "The target names no topic"),
        ("kafka", "http://a/x", "The target must begin with kafka:// or kafka+ssl://."),
        ("postgres", "postgresql://[", "The target is no address"),
    ],
)
def test_a_target_that_cannot_be_is_one_sentence_without_its_secret(name: str, to: str, told: str) -> None:
    with pytest.raises(SinkError) as raised:
        open_sink(name, to, {})

    assert str(raised.value).startswith(told)
    assert "secret" not in str(raised.value)
