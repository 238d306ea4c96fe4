"""A person, a group and a purchase through amplitude-analytics. Arguments: host, API key."""

import sys
from threading import Semaphore

from amplitude import Amplitude, BaseEvent, Config, EventOptions, Identify, Revenue

host, key = sys.argv[1:]
answered = Semaphore(0)
told: list[int] = []


def heard(_event: BaseEvent, code: int, _message: str | None) -> None:
    told.append(code)
    answered.release()


client = Amplitude(key, Config(server_url=f"{host}/batch", flush_interval_millis=100, callback=heard))
who = EventOptions(user_id="user-1", device_id="device-1")
client.identify(Identify().set("plan", "pro").add("visits", 1), who)
client.group_identify("company", "ACME", Identify().set("seats", 7), who)
client.revenue(Revenue(price=9.5, quantity=2, product_id="sku"), who)
for _ in range(3):
    answered.acquire(timeout=60)
client.shutdown()
sys.exit(told != [200] * 3)
