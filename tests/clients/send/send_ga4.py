"""A page view and an event through ga4mp. Arguments: host, measurement id."""

import sys

from ga4mp import GtagMP

host, tag = sys.argv[1:]
client = GtagMP(api_secret="a-secret-of-the-property", measurement_id=tag, client_id="123.456")  # noqa: S106
client._base_domain = f"{host}/mp/collect"  # it has no option for it
page = {"page_location": "https://shop.example/docs", "page_title": "Home"}
client.send([{"name": "page_view", "params": page}, {"name": "call_ended", "params": {"seconds": 312}}])
