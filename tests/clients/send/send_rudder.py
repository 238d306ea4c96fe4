"""One event of each type through rudder-sdk-python, gzipped as it does by default. Arguments: host, key."""

import sys

import rudderstack.analytics as rudder_analytics

rudder_analytics.dataPlaneUrl, rudder_analytics.write_key = sys.argv[1:]
rudder_analytics.identify("u1", {"plan": "pro"})
rudder_analytics.track("u1", "Call Ended", {"seconds": 312, "reason": "billing"})
rudder_analytics.page("u1", "Docs", "Home", {"url": "https://shop.example/docs", "title": "Home"})
rudder_analytics.screen("u1", "App", "Start")
rudder_analytics.group("u1", "g1", {"name": "ACME"})
rudder_analytics.alias("old", "u1")
rudder_analytics.shutdown()
