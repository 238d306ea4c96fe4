"""The configuration for amp-analytics: what each of its triggers asks for, as the pixel understands it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from tests.conftest import Running

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "snippet" / "amp" / "analytics.json"
# What AMP puts in the place of its variables, encoded.
PAGE = {
    "sourceUrl": "https://shop.example/sale?utm_source=news&a=b",
    "title": "Sale & more",
    "documentReferrer": "",
    "eventName": "Signed up",
    "incrementalEngagedTime(headwater)": "37",
    "outboundLink": "https://other.example/?a=b&c=d",
    "verticalScrollBoundary": "50",
}


async def test_every_trigger_for_amp_is_an_event_of_the_page_with_its_campaign(running: Running) -> None:
    source = await running.add()
    told = json.loads(CONFIG.read_text(encoding="utf-8"))
    requests = told["requests"]

    def expand(text: str) -> str:
        return re.sub(
            r"\$\{(.*?)\}",
            lambda found: (
                expand(requests[found[1]]) if found[1] in requests else quote(PAGE[found[1]], safe="")
            ),
            text,
        )

    asked = [trigger["request"] for trigger in told["triggers"].values()]
    assert set(requests) == {*asked, "base", "event"}  # an event of the site's own brings its trigger
    for name in (*asked, "event"):
        url = expand(requests[name]).replace("https://collect.example.com/p/web1.gif", f"/p/{source.id}.gif")
        assert (await running.public.get(url)).headers.get("X-Headwater-Reason") is None

    events = await running.events()
    assert [(event.get("event", event["type"]), event.get("properties")) for event in events] == [
        ("page", None),
        ("Scrolled", {"scrollDepth": "50"}),
        ("Heartbeat", {"seconds": "37"}),
        ("Outbound Link", {"url": PAGE["outboundLink"]}),
        ("Signed up", None),
    ]
    for event in events:
        assert event["context"]["campaign"] == {"source": "news"}
        assert (event["context"]["page"]["path"], event["context"]["page"]["title"]) == (
            "/sale",
            PAGE["title"],
        )
        assert "referrer" not in event["context"]["page"]


def test_the_trigger_of_the_docs_names_a_request_and_fills_it() -> None:
    docs = (ROOT / "docs" / "tracker.md").read_text(encoding="utf-8")
    [shown] = re.findall(r'<script type="application/json">\n(.*?)\n</script></amp-analytics>', docs)
    [trigger] = json.loads(shown)["triggers"].values()
    request = json.loads(CONFIG.read_text(encoding="utf-8"))["requests"][trigger["request"]]
    assert set(re.findall(r"\$\{(.*?)\}", request)) == {"base", *trigger["vars"]}
