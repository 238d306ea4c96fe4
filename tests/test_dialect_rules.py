"""What holds for every dialect alike: who must not be known, what may not last, and clocks that are wrong."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.test_dialects import GOOD, PAGE, SITES, captured, messages, send

if TYPE_CHECKING:
    from tests.conftest import Running

HEX = "ab12cd34ef56ab78"  # Matomo's ids are of this form
_SESSION = "iglu:com.snowplowanalytics.snowplow/client_session/jsonschema/1-0-2"
_CONTEXTS = orjson.dumps(
    {"schema": "s", "data": [{"schema": _SESSION, "data": {"userId": HEX, "sessionId": "s1"}}]}
)
# For each: what a client says of a browser or device by ids that last. Plausible and Umami know none.
LASTING: dict[str, tuple[str, Any]] = {
    "posthog": (
        "/e/",
        captured("a", properties=dict.fromkeys(("distinct_id", "$device_id", "$window_id", "$user_id"), HEX)),
    ),
    "matomo": ("/matomo.php", {"idsite": "37", "rec": "1", "_id": HEX, "cid": HEX, "e_a": "a"}),
    "snowplow": (
        "/com.snowplowanalytics.snowplow/tp2",
        {
            "data": [
                {
                    "e": "se",
                    "se_ac": "a",
                    "aid": "shop-app",
                    "duid": HEX,
                    "tnuid": HEX,
                    "cx": base64.b64encode(_CONTEXTS).decode(),
                }
            ]
        },
    ),
    "ga4": (
        "/mp/collect?measurement_id=G-TEST123",
        {"client_id": HEX, "app_instance_id": HEX + "2", "events": [{"name": "a"}]},
    ),
    "amplitude": (
        "/2/httpapi",
        {
            "api_key": SITES["amplitude"],
            "events": [{"event_type": "a", "device_id": HEX, "idfa": HEX, "adid": HEX, "insert_id": "1"}],
        },
    ),
    "mixpanel": (
        "/track/",
        [
            {
                "event": "a",
                "properties": {
                    "token": SITES["mixpanel"],
                    "distinct_id": f"$device:{HEX}",
                    "$device_id": HEX,
                    "$anon_distinct_id": HEX,
                },
            }
        ],
    ),
}


def test_every_dialect_with_lasting_ids_is_here() -> None:
    assert set(LASTING) == set(GOOD) - {"plausible", "umami"}


@pytest.mark.parametrize("name", LASTING)
async def test_a_cookieless_source_keeps_no_id_that_lasts(running: Running, name: str) -> None:
    await running.add(settings={"sites": [f"{name}:{SITES[name]}"]})
    path, body = LASTING[name]

    for _ in range(2):
        assert (await running.public.post(path, json=body, headers=PAGE)).status < 300

    events = await running.events()
    assert HEX not in str(events)
    assert len({event["anonymousId"] for event in events}) == 1  # of the day, made here


@pytest.mark.parametrize("name", LASTING)
async def test_a_source_with_consent_for_cookies_keeps_the_clients_visitor(
    running: Running, name: str
) -> None:
    await running.add(settings={"sites": [f"{name}:{SITES[name]}"]}, privacy={"visitors": "cookie"})
    path, body = LASTING[name]

    await running.public.post(path, json=body, headers=PAGE)

    assert [event["anonymousId"] for event in await running.events()] == [HEX]


@pytest.mark.parametrize("name", GOOD)
async def test_global_privacy_control_makes_it_nobodys(running: Running, name: str) -> None:
    await running.add(
        settings={"sites": [f"{name}:{SITES[name]}"]}, privacy={"visitors": "cookie", "address": "network"}
    )

    await send(running, name, **{"Sec-GPC": "1"})

    (event,) = await running.events()
    assert {"anonymousId", "userId", "sessionId", "traits"}.isdisjoint(event)
    assert {name, "ip", "traits"}.isdisjoint(event["context"])
    assert event["collector"]["gpc"] is True


@pytest.mark.parametrize("name", GOOD)
async def test_a_source_that_drops_on_the_signal_keeps_nothing(running: Running, name: str) -> None:
    await running.add(settings={"sites": [f"{name}:{SITES[name]}"]}, privacy={"gpc": "drop"})

    assert (await send(running, name, **{"Sec-GPC": "1"})).status < 300
    assert await running.events() == []


RECEIVED = 1767323045  # 03:04:05, when the tests' hits are received
SLOW = RECEIVED - 3600  # when it was sent, by a client's clock that is an hour slow
MADE = SLOW - 10
AHEAD = RECEIVED + 3600


def amplitude(time: int, **fields: Any) -> Any:
    event = {"event_type": "a", "user_id": "user1", "time": time * 1000}
    return {"api_key": "k", "events": [event], **fields}


def mixpanel(time: int) -> Any:
    return {"event": "a", "properties": {"token": "t", "distinct_id": "u", "time": time}}


CORRECTED = [
    ("posthog", "", captured("a", timestamp="2026-01-02T02:03:55Z"), {"sent_at": "2026-01-02T02:04:05Z"}),
    ("posthog", f"_={SLOW}000", captured("a", timestamp="2026-01-02T02:03:55Z"), {}),
    ("snowplow", "", {"data": [{"e": "pv", "dtm": f"{MADE}000", "stm": f"{SLOW}000"}]}, {}),
    ("amplitude", "", amplitude(MADE, client_upload_time="2026-01-02T02:04:05.000Z"), {}),
    ("mixpanel", f"_={SLOW}000", mixpanel(MADE), {}),
    ("reports", "", [{"type": "crash", "age": 10_000}], {}),
]


@pytest.mark.parametrize(("name", "query", "body", "envelope"), CORRECTED)
def test_a_slow_clock_is_corrected_where_the_client_tells_when_it_sent(
    name: str, query: str, body: Any, envelope: dict[str, str]
) -> None:
    item = {"batch": [body], **envelope} if envelope else body
    (message,) = messages(name, item, "/", query)

    assert message["timestamp"] == "2026-01-02T03:03:55.000Z"


def umami(at: int) -> Any:
    return {"type": "event", "payload": {"website": "w", "url": "/", "timestamp": at}}


UNCORRECTED = [
    ("umami", umami),
    ("matomo", lambda at: {"requests": [{"idsite": 1, "rec": 1, "url": "u", "cdt": at}]}),
    ("ga4", lambda at: {"client_id": "c", "timestamp_micros": at * 1_000_000, "events": [{"name": "a"}]}),
    ("amplitude", amplitude),
    ("mixpanel", mixpanel),
]


@pytest.mark.parametrize(("name", "body"), UNCORRECTED)
def test_without_that_the_clients_time_counts_unless_it_is_to_come(name: str, body: Any) -> None:
    (past,), (ahead,) = messages(name, body(MADE), "/"), messages(name, body(AHEAD), "/")

    assert past["timestamp"] == past["originalTimestamp"] == "2026-01-02T02:03:55.000Z"
    assert (ahead["timestamp"], ahead["originalTimestamp"]) == (
        ahead["receivedAt"],
        "2026-01-02T04:04:05.000Z",
    )


def test_plausible_and_pages_of_google_tell_no_time() -> None:
    (plausible,) = messages("plausible", {"n": "a", "u": "https://x.example/", "d": "x"})
    (google,) = messages("ga4", b"", "/g/collect", "tid=G&cid=c&en=a")

    assert all("originalTimestamp" not in message for message in (plausible, google))
    assert all(message["timestamp"] == message["receivedAt"] for message in (plausible, google))
