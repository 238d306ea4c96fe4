"""The command line: what it prints, and that every failure is one clear line."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import orjson
import pytest
from redis import Redis as SyncRedis
from redis.asyncio import Redis

from collector import doors
from collector.cli import serving
from collector.doors import DoorError
from collector.settings import Settings, SettingsError, load
from collector.store import Names
from collector.store.embedded import embedded_server
from collector.wording import InWords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Start = Callable[..., "Served"]


def headwater(data: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "collector", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], "HEADWATER_DATA": str(data), **environment},
    )


class Served:
    """A collector as a user starts it: in a process of its own, on free ports, with an embedded server."""

    def __init__(self, data: Path, *arguments: str) -> None:
        ports = ("--port", "0", "--console-port", "0")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "collector", "serve", "--demo", *ports, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={"PATH": os.environ["PATH"], "HEADWATER_DATA": str(data)},
        )
        assert self.process.stdout
        self.banner = ""
        for line in self.process.stdout:
            self.banner += line
            if line.startswith("Stop"):
                break
        self.address = re.findall(r"Collecting at +(\S+)", self.banner)[0]
        self.source = re.findall(r"/demo/(\w+)", self.banner)[0]

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        status = self.process.wait(30)
        assert self.process.stdout
        self.process.stdout.close()
        return status


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Start]:
    """Start collectors on this test's data folder; none outlives the test."""
    started: list[Served] = []

    def start(*arguments: str) -> Served:
        started.append(Served(tmp_path, *arguments))
        return started[-1]

    yield start
    for served in started:
        if served.process.returncode is None:
            served.stop()


def test_what_serve_takes_is_still_there_after_ctrl_c_and_a_second_start(
    tmp_path: Path, serve: Start
) -> None:
    served = serve()
    assert served.source in served.banner
    assert f"tail --data {tmp_path}" in served.banner
    sent = headwater(tmp_path, "send", served.source, "--public-url", served.address, "--event", "First")
    assert (sent.returncode, sent.stdout) == (0, "204 No Content\n"), sent.stderr
    assert served.stop(signal.SIGINT) == 0

    again = serve()
    tail = headwater(tmp_path, "tail", again.source, "--json", "--last", "1", "--count", "1")
    assert again.stop() == 0

    assert again.source == served.source
    assert orjson.loads(tail.stdout)["event"] == "First"


def test_an_acknowledged_event_outlives_kill_9(tmp_path: Path, serve: Start) -> None:
    served = serve()
    sent = headwater(tmp_path, "send", served.source, "--public-url", served.address, "--event", "Kept")
    assert sent.returncode == 0
    served.stop(signal.SIGKILL)

    tail = headwater(tmp_path, "tail", "--json", "--last", "1", "--count", "1")

    assert orjson.loads(tail.stdout)["event"] == "Kept"


def test_a_process_that_serves_alone_keeps_less_than_80_mib_for_itself(tmp_path: Path, serve: Start) -> None:
    served = serve()
    sent = headwater(tmp_path, "send", served.source, "--public-url", served.address)
    assert sent.returncode == 0

    memory = _memory(served.process.pid)

    assert memory["Private_Clean"] + memory["Private_Dirty"] < 80 * 1024


def test_workers_share_the_port_and_one_that_dies_is_started_again(tmp_path: Path, serve: Start) -> None:
    served = serve("--workers", "2", "--port", str(_free_port()))
    workers = _children(served.process.pid)
    memory = _memory(workers[-1])
    assert memory["Private_Dirty"] < memory["Rss"] / 2, "what was loaded is shared"
    os.kill(workers[-1], signal.SIGKILL)
    end = time.monotonic() + 30
    while len(set(_children(served.process.pid)) - {workers[-1]}) < len(workers):
        assert time.monotonic() < end
        time.sleep(0.1)

    sent = [headwater(tmp_path, "send", served.source, "--public-url", served.address) for _ in range(3)]
    metrics_url = re.findall(r"Metrics +(\S+)", served.banner)[0]

    assert [each.returncode for each in sent] == [0, 0, 0]
    with urlopen(metrics_url) as answer:  # noqa: S310 - our own console
        assert b"headwater_events_total" in answer.read()
    assert served.stop() == 0


def test_doctor_finds_the_embedded_server_in_order(tmp_path: Path) -> None:
    found = headwater(tmp_path, "doctor")

    assert found.returncode == 0, found.stdout
    assert "noeviction" in found.stdout
    assert "BAD" not in found.stdout


def test_doctor_says_so_and_fails_when_redis_is_away(tmp_path: Path) -> None:
    found = headwater(tmp_path, "doctor", HEADWATER_REDIS_URL=f"unix://{tmp_path}/none.sock")

    assert found.returncode == 1
    assert re.search(r"BAD +redis +Redis does not answer", found.stdout)


FAILURES = [
    (("source", "show", "nobody"), {}, "No source is called 'nobody'"),
    (("source", "add", "--name", "x", "--id", "NOT OK"), {}, "id: This must be 2 to 32 of a to z, 0 to 9"),
    (("source", "add", "--name", "x", "--set", "colour=red"), {}, "colour: There is no such setting"),
    (("source", "list"), {"HEADWATER_PORT": "many"}, "port (HEADWATER_PORT) has the value 'many'"),
    (("source", "list"), {"HEADWATER_COLOUR": "red"}, "Unknown option colour (HEADWATER_COLOUR)"),
    (("source", "list"), {"HEADWATER_PROT": "1"}, "Did you mean port?"),
    (("source", "list"), {"HEADWATER_PUBLIC_URL": "shop"}, "This must begin with https:// or http://"),
    (("source", "list"), {"HEADWATER_CONFIG": "/no/such.toml"}, "/no/such.toml cannot be read"),
    (("send", "x", "--public-url", "http://127.0.0.1:1"), {}, "Nothing answers at http://127.0.0.1:1"),
    (("source", "list", "--redis-url", "unix:///none.sock"), {}, "Redis does not answer"),
    (("consume", "--group", "g", "--ndjson"), {"HEADWATER_STREAM": "kafka://host"}, "Kafka keeps the events"),
]


async def test_serve_warns_of_a_redis_that_is_not_as_it_must_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with embedded_server(tmp_path) as url:
        async with Redis.from_url(url) as client:
            await client.config_set("maxmemory-policy", "allkeys-lru")
        await serving._warn(Settings(redis_url=url))
    set_wrong = capsys.readouterr().err
    await serving._warn(Settings(redis_url=url))
    away = capsys.readouterr().err

    assert "must be: maxmemory-policy is allkeys-lru: set it to noeviction.\n" in set_wrong
    assert away.startswith("Warning: Redis does not answer: ")
    assert away.endswith("Until then events go to the spool.\n")


async def test_a_door_that_cannot_be_opened_says_what_to_do() -> None:
    for host, todo in (
        ("192.0.2.1", "Name an address of this machine."),
        ("127.0.0.1", "Choose another port."),
    ):
        with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(DoorError, match=todo):
            await doors._listen(asyncio.Protocol, (host, taken.getsockname()[1]), shared=False)


def test_tail_shows_what_other_programs_append_and_tells_where_no_source_is(
    tmp_path: Path, redis_url: str
) -> None:
    key = Names(tmp_path.name).stream(0)
    with SyncRedis.from_url(redis_url) as client:
        client.xadd(key, {"other": "thing"})
        client.xadd(key, {"event": "[1]\x1b"})

    told = headwater(
        tmp_path,
        *("tail", "--last", "2", "--count", "2"),
        HEADWATER_REDIS_URL=redis_url,
        HEADWATER_NAMESPACE=tmp_path.name,
    )
    few = headwater(tmp_path, "tail", "--last", "-1")

    assert (told.returncode, told.stderr.count("There is no source yet")) == (0, 1)
    assert [line.split("  ")[0] for line in told.stdout.splitlines()] == [
        "other=thing",
        "[1]\N{REPLACEMENT CHARACTER}",
    ]
    assert "-1 is not in the range x>=0" in few.stderr


@pytest.mark.parametrize(("arguments", "environment", "text"), FAILURES)
def test_a_failure_is_one_line_that_says_what_is_wrong(
    tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str], text: str
) -> None:
    failed = headwater(tmp_path, *arguments, **environment)

    assert failed.returncode == 1
    assert failed.stderr.startswith("Error: ")
    assert text in failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 1


def test_a_source_can_be_made_changed_shown_and_removed(tmp_path: Path) -> None:
    assert headwater(tmp_path, "source", "add", "--name", "Shop", "--id", "shop").stdout == "shop\n"
    change = headwater(
        tmp_path, "source", "set", "shop", 'settings.origins=["https://shop.example"]', "enabled=false"
    )
    assert change.returncode == 0, change.stderr

    shown = orjson.loads(headwater(tmp_path, "source", "show", "shop").stdout)
    assert shown["settings"] == {"origins": ["https://shop.example"]}
    assert shown["enabled"] is False

    assert "shop" in headwater(tmp_path, "source", "list").stdout
    assert headwater(tmp_path, "source", "remove", "shop", "--yes").returncode == 0
    assert headwater(tmp_path, "source", "show", "shop").returncode == 1
    assert "such as /in" in headwater(tmp_path, "snippet", "shop", "--proxy", "in").stderr
    assert "no source yet" in headwater(tmp_path, "source", "list").stderr


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "headwater.toml"
    file.write_text('port = 1\nworkers = 2\nhost = "::1"\n')

    settings = load({"config": file, "port": "3"}, {"HEADWATER_PORT": "2", "HEADWATER_WORKERS": "4"})

    assert (settings.port, settings.workers, settings.host) == (3, 4, "::1")


@pytest.mark.parametrize(
    "address",
    ["kafka-1.example:9092", "kafka://", "kafka://host:many", "kafka://a:9092,,b:9092", "redis://h"],
)
def test_a_value_that_is_not_written_as_it_must_be_is_told_of_by_an_example(address: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({}, {"HEADWATER_STREAM": address})

    assert "such as kafka://kafka-1.example:9092,kafka-2.example:9092." in str(caught.value)
    assert "^" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    ["", "kafka://a", "kafka://a:9092,b:9092/", "kafka+ssl://jo:p@ss:1@a.example:9093?sasl=PLAIN&ca=/x@y"],
)
def test_an_address_of_kafka_is_taken(address: str) -> None:
    assert load({"stream": address}, {}).stream == address


def test_every_setting_that_must_be_written_in_some_way_has_an_example_of_it() -> None:
    for name, field in Settings.model_fields.items():
        if any(getattr(rule, "pattern", None) for rule in field.metadata):
            (words,) = (each for each in field.metadata if isinstance(each, InWords))
            example = words.rule.rpartition(" such as ")[2]
            assert load({name: example}, {}).model_dump()[name] == example


def test_a_secret_is_not_repeated_in_an_error() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"redis_url": "postgres://user:secret@host"}, {})

    assert "secret" not in str(caught.value)


def test_lists_are_comma_separated_in_the_environment() -> None:
    settings = load({}, {"HEADWATER_TRUSTED_PROXIES": "10.0.0.0/8, 192.168.0.0/16"})

    assert settings.trusted_proxies == ("10.0.0.0/8", "192.168.0.0/16")
    assert Settings().trusted_proxies == ()


def _memory(pid: int) -> dict[str, int]:
    """Return the kinds of memory of a process in KiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    return {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)}


def _children(pid: int) -> list[int]:
    """Return the worker processes, not the embedded server."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:  # noqa: PTH123
        pids = [int(number) for number in file.read().split()]
    return [number for number in pids if b"collector" in _command_line(number)]


def _command_line(pid: int) -> bytes:
    with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123
        return file.read()


def _free_port() -> int:
    import socket  # noqa: PLC0415

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
