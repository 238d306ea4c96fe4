"""Whatever stands in an archive is read or refused, in every format."""

from __future__ import annotations

import contextlib
from typing import Any

import hypothesis
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.archives import FORMATS
from collector.model import Refusal
from collector.protocols import Limits
from tests.conftest import web_source

NOW = 1767323045000
WORDS = [
    "type",
    "event",
    "events",
    "properties",
    "context",
    "page",
    "timestamp",
    "receivedAt",
    "time",
    "batch",
    "data",
    "e",
    "payload",
    "actionDetails",
    "idSite",
    "rec",
    "cdt",
    "request",
    "ts",
    "status",
    "uri",
    "headers",
    "name",
    "ue_pr",
    "url",
    "goalId",
    "event_time",
]
COLUMNS = ["2Path", "Date", "Event", "Bot", "Referrer", "Session"]
PLAIN = (
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**63), 2**63)
    | st.text(max_size=20)
)
ANYTHING = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=20,
)
ROWS = st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=20))


@pytest.mark.parametrize("kind", FORMATS)
@given(data=st.data())
@hypothesis.settings(max_examples=40)
def test_whatever_an_archive_holds_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    lines = st.binary(max_size=200) | ANYTHING.map(orjson.dumps)
    raw: Any = data.draw(ROWS if FORMATS[kind].cut == "rows" else lines)
    with contextlib.suppress(Refusal):
        item = FORMATS[kind].read(raw, "")
        if item:
            item.protocol(item.hit(web_source(), NOW, "id1"), Limits())
