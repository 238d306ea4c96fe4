"""Whatever happens to a page, a line or a server: every event is in the stream, and once."""

from __future__ import annotations

import asyncio

import pytest

from collector.settings import Settings
from tests.browser.matrix import play_all, table
from tests.browser.scenarios import SCENARIOS
from tests.browser.stage import Row


@pytest.fixture(scope="module")
def rows(
    redis_url: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> dict[str, Row | BaseException]:
    """All scenarios that were asked for, played side by side in one browser."""
    chosen = [item.callspec.params["name"] for item in request.session.items if item.parent is request.node]
    data = tmp_path_factory.mktemp("matrix")
    settings = Settings(redis_url=redis_url, namespace="matrix", data=data, port=0, console_port=0)
    found = asyncio.run(play_all(settings, chosen))
    print(table({name: row for name, row in found.items() if isinstance(row, Row)}))  # noqa: T201
    return found


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_and_nothing_doubled(rows: dict[str, Row | BaseException], name: str) -> None:
    row = rows[name]

    if isinstance(row, BaseException):
        raise row
    assert (row.lost, row.doubled) == ([], [])
