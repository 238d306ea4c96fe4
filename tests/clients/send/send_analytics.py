"""One event of each type through analytics-python of 2021. Arguments: its folder, host, write key."""

import sys

folder, host, write_key = sys.argv[1:]
sys.path.insert(0, folder)

import analytics  # noqa: E402

analytics.host, analytics.write_key = host, write_key
analytics.identify("u1", {"plan": "pro"})
analytics.track("u1", "Call Ended", {"seconds": 312, "reason": "billing"})
analytics.page("u1", "Docs", "Home", {"url": "https://shop.example/docs", "title": "Home"})
analytics.screen("u1", "App", "Start")
analytics.group("u1", "g1", {"name": "ACME"})
analytics.alias("old", "u1")
analytics.shutdown()
