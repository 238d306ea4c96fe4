"""A person, a group and an old event through mixpanel. Arguments: host, project token."""

import sys

from mixpanel import Consumer, Mixpanel, ServiceAccountCredentials

host, token = sys.argv[1:]
account = ServiceAccountCredentials("account.of.a.service", "s3cr3t-of-the-account", "4711")
urls = {name: f"{host}/{path}" for name, path in (("people_url", "engage"), ("groups_url", "groups"))}
client = Mixpanel(token, Consumer(import_url=f"{host}/import", credentials=account, **urls))
client.people_set("u1", {"plan": "pro"})
client.people_increment("u1", {"visits": 1})
client.group_set("company", "ACME", {"seats": 7})
client.import_data(None, "u1", "Order Completed", 1767323000, {"total": 9.5})
client.merge(None, "u1", "u2")
