"""A page view and an event through mixpanel. Arguments: host, project token."""

import sys

from mixpanel import BufferedConsumer, Mixpanel

host, token = sys.argv[1:]
consumer = BufferedConsumer(events_url=f"{host}/track", verify_cert=False)  # the certificate is a test's own
client = Mixpanel(token, consumer)
page = {"$current_url": "https://shop.example/docs", "current_page_title": "Home"}
client.track("u1", "$mp_web_page_view", page)
client.track("u1", "Call Ended", {"seconds": 312})
consumer.flush()
