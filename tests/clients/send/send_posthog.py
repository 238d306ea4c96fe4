"""A page view and an event through posthog. Arguments: host, project token, v0 or v1."""

import sys

from posthog import Posthog

host, token, mode = sys.argv[1:]
client = Posthog(token, host=host, max_retries=10, capture_mode=mode, gzip=mode == "v0")
page = {"$current_url": "https://shop.example/docs", "title": "Home"}
client.capture("$pageview", distinct_id="u1", properties=page)
client.capture("Call Ended", distinct_id="u1", properties={"seconds": 312})
client.shutdown()
