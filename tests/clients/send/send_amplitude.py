"""A page view and an event through amplitude-analytics. Arguments: host, API key."""

import sys
from threading import Semaphore

from amplitude import Amplitude, BaseEvent, Config

host, key = sys.argv[1:]
answered = Semaphore(0)
told: list[int] = []


def heard(_event: BaseEvent, code: int, _message: str | None) -> None:
    told.append(code)
    answered.release()


config = Config(server_url=f"{host}/2/httpapi", flush_interval_millis=100, callback=heard)
client = Amplitude(key, config)
page = {"[Amplitude] Page Location": "https://shop.example/docs", "[Amplitude] Page Title": "Home"}
client.track(BaseEvent("[Amplitude] Page Viewed", user_id="user-1", event_properties=page))
client.track(BaseEvent("Call Ended", user_id="user-1", event_properties={"seconds": 312}))
for _ in range(2):
    answered.acquire(timeout=60)
client.shutdown()
sys.exit(told != [200, 200])
