"""A page view and an event through snowplow-tracker. Arguments: host, app id, post or get."""

import sys
import time
from urllib.parse import urlsplit

from snowplow_tracker import Emitter, PageView, SelfDescribing, SelfDescribingJson, Tracker

host, app, method = sys.argv[1:]
left = {"call", "view"}


def sent(payloads: list[dict[str, str]]) -> None:
    """Note what has arrived."""
    for payload in payloads:
        left.discard("view" if payload["e"] == "pv" else "call")


settings = {"protocol": "http", "method": method, "batch_size": 2, "max_retry_delay_seconds": 1}
emitter = Emitter(urlsplit(host).netloc, on_success=sent, **settings)
tracker = Tracker("py", emitter, app_id=app, encode_base64=method == "get")
tracker.track(PageView(page_url="https://shop.example/docs", page_title="Home"))
data = SelfDescribingJson("iglu:com.acme/call_ended/jsonschema/1-0-0", {"seconds": 312})
tracker.track(SelfDescribing(data))
tracker.flush()
while left:
    time.sleep(0.05)
sys.exit(0)
