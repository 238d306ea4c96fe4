"""Where a client is: databases, a proxy's header, guesses, and files that change."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from collector.enrich.place import PlaceError, Places
from tests.conftest import hit, run_collector, web_source

if TYPE_CHECKING:
    from pathlib import Path

    from collector.settings import Settings

ZURICH = {
    "country": {"iso_code": "CH", "names": {"en": "Switzerland"}},
    "subdivisions": [{"iso_code": "ZH"}],
    "city": {"names": {"en": "Zurich", "de": "Zürich"}},
}


def _write(file: Path, record: Any) -> Path:
    writer = MMDBWriter(ip_version=4, database_type="Test")
    writer.insert_network(IPSet(["203.0.113.0/24"]), record)
    part = file.with_suffix(".part")
    writer.to_db_file(str(part))
    part.replace(file)
    return file


def _location(places: Places, address: Any = "203.0.113.9", context: Any = None, **fields: Any) -> Any:
    return places.step(context or {}, hit(address=address, **fields)).get("location")


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (ZURICH, {"country": "CH", "region": "ZH", "city": "Zurich"}),
        ({"country_code": "CH"}, {"country": "CH"}),
        (
            {"country_code": "CH", "state1": "Zurich", "city": "Zurich"},
            {"region": "Zurich", "city": "Zurich"},
        ),
        (
            {"autonomous_system_number": 64500, "autonomous_system_organization": "Example"},
            {"asn": 64500, "operator": "Example"},
        ),
    ],
)
def test_a_place_is_told_as_the_file_has_it(tmp_path: Path, record: Any, told: dict[str, Any]) -> None:
    location = _location(Places((_write(tmp_path / "a.mmdb", record),)))

    assert told == {key: location[key] for key in told}
    assert location["by"] == "address"


def test_several_files_add_up(tmp_path: Path) -> None:
    files = (
        _write(tmp_path / "a.mmdb", ZURICH),
        _write(tmp_path / "b.mmdb", {"autonomous_system_number": 1}),
    )

    location = _location(Places(files))

    assert (location["city"], location["asn"]) == ("Zurich", 1)


@pytest.mark.parametrize("address", ["198.51.100.1", "2001:db8::1", "x", "", None, 7])
def test_an_address_that_is_not_in_the_file_has_no_place(tmp_path: Path, address: Any) -> None:
    assert _location(Places((_write(tmp_path / "a.mmdb", ZURICH),)), address) is None


def test_a_file_that_changes_is_read_anew(tmp_path: Path) -> None:
    file = _write(tmp_path / "a.mmdb", ZURICH)
    places = Places((file,))
    assert _location(places)["country"] == "CH"
    _write(file, {"country_code": "AT"})

    places.refresh()

    assert _location(places)["country"] == "AT"


def test_a_broken_file_leaves_the_old_one_in_use(tmp_path: Path) -> None:
    file = _write(tmp_path / "a.mmdb", ZURICH)
    places = Places((file,))
    broken = tmp_path / "broken"
    broken.write_bytes(b"nothing")
    os.replace(broken, file)  # noqa: PTH105 - as deployments do

    places.refresh()

    assert _location(places)["country"] == "CH"


def test_a_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(PlaceError, match="cannot be opened"):
        Places((tmp_path / "none.mmdb",))


@pytest.mark.parametrize(
    ("value", "proxied", "told"),
    [
        ("CH", True, {"country": "CH", "by": "header"}),
        ("CH", False, None),
        ("XX", True, None),
        ("T1", True, None),
        ("<b>", True, None),
    ],
)
def test_a_header_counts_only_from_a_trusted_proxy(value: str, proxied: bool, told: Any) -> None:
    places = Places(header="CF-IPCountry")

    assert _location(places, headers={"CF-IPCountry": value}, proxied=proxied) == told


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"C": "CH", "R": "ZH", "T": "Z%C3%BCrich"}, {"country": "CH", "region": "ZH", "city": "Zürich"}),
        ({"C": "CH", "T": "x" * 999}, {"country": "CH", "city": "x" * 100}),
        ({"C": "CH"}, {"country": "CH"}),
    ],
)
def test_region_and_city_may_stand_in_headers_too(headers: dict[str, str], told: dict[str, str]) -> None:
    places = Places(header="C, R,T")

    assert _location(places, headers=headers, proxied=True) == {**told, "by": "header"}
    assert _location(places, headers={"R": "ZH", "T": "Bern"}, proxied=True) is None


@pytest.mark.parametrize(
    ("context", "told"),
    [
        ({"timezone": "Europe/Zurich", "locale": "en-US"}, {"country": "CH", "by": "timezone"}),
        ({"timezone": "UTC", "locale": "de-AT"}, {"country": "AT", "by": "language"}),
        ({"locale": "zh-Hant-TW"}, {"country": "TW", "by": "language"}),
        ({"locale": "de"}, None),
        ({"timezone": ["x"], "locale": {"a": 1}}, None),
    ],
)
def test_a_guess_is_marked_as_one(context: dict[str, Any], told: Any) -> None:
    assert _location(Places(), context=context) == told


def test_a_server_speaks_for_the_client_it_names(tmp_path: Path) -> None:
    places = Places((_write(tmp_path / "a.mmdb", ZURICH),))

    location = _location(places, "198.51.100.1", {"ip": "203.0.113.1"}, source=web_source(bridge="rest"))

    assert location["country"] == "CH"


async def test_the_place_stays_and_the_address_goes(settings: Settings, tmp_path: Path) -> None:
    file = _write(tmp_path / "a.mmdb", ZURICH)
    changed = {"place_databases": (file,), "trusted_hops": 1}
    async with run_collector(settings.model_copy(update=changed)) as running:
        source = await running.add()

        await running.post(source.id, {"batch": [{"type": "page"}]}, X_Forwarded_For="203.0.113.9")

        [event] = await running.events()
    assert event["context"]["location"] == {
        "country": "CH",
        "region": "ZH",
        "city": "Zurich",
        "by": "address",
    }
    assert "ip" not in event["context"]
    assert "203.0.113" not in str(event)
