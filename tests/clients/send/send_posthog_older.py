"""A page view and an event through posthog of 2024, which gives no ids. Arguments: folder, host, token."""

import sys

folder, host, token = sys.argv[1:]
sys.path.insert(0, folder)

from posthog import Posthog  # noqa: E402

client = Posthog(token, host=host)
page = {"$current_url": "https://shop.example/docs", "title": "Home"}
client.capture("u1", "$pageview", page)
client.capture("u1", "Call Ended", {"seconds": 312})
client.shutdown()
