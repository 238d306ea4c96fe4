"""One event of each type through segment-analytics-python. Arguments: host, write key, gzip or plain."""

import sys

from segment import analytics

analytics.host, analytics.write_key, packing = sys.argv[1:]
analytics.gzip = packing == "gzip"
analytics.identify("u1", {"plan": "pro"})
analytics.track("u1", "Call Ended", {"seconds": 312, "reason": "billing"})
analytics.page("u1", "Docs", "Home", {"url": "https://shop.example/docs", "title": "Home"})
analytics.screen("u1", "App", "Start")
analytics.group("u1", "g1", {"name": "ACME"})
analytics.alias("old", "u1")
analytics.shutdown()
