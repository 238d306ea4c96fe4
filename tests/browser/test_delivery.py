"""Whatever happens to a page, a line or a server: every event is in the stream, and once."""

from __future__ import annotations

import asyncio

import pytest

from collector.settings import Settings
from tests.browser.matrix import PLAYED, play_all, table
from tests.browser.stage import Row


@pytest.fixture(scope="module")
def rows(
    redis_url: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> dict[tuple[str, str], Row | BaseException]:
    """All scenarios that were asked for, played side by side, in one browser after the other."""
    mine = [item.callspec.params for item in request.session.items if item.parent is request.node]
    found: dict[tuple[str, str], Row | BaseException] = {}
    for browser in dict.fromkeys(params["browser"] for params in mine):
        data = tmp_path_factory.mktemp("matrix")
        settings = Settings(
            redis_url=redis_url, namespace=f"matrix-{browser}", data=data, port=0, console_port=0
        )
        chosen = [params["scenario"] for params in mine if params["browser"] == browser]
        played = asyncio.run(play_all(settings, browser, chosen))
        print(table({name: row for name, row in played.items() if isinstance(row, Row)}))  # noqa: T201
        found |= {(browser, name): row for name, row in played.items()}
    return found


@pytest.mark.parametrize(
    ("browser", "scenario"), [(browser, name) for browser, names in PLAYED.items() for name in names]
)
def test_nothing_is_lost_and_nothing_doubled(
    rows: dict[tuple[str, str], Row | BaseException], browser: str, scenario: str
) -> None:
    row = rows[browser, scenario]

    if isinstance(row, BaseException):
        raise row
    assert (row.lost, row.doubled) == ([], [])
