"""The trackers that are compared: ours, and the peers that npm ships, each set up as its documentation says.

What is a fact about one peer stands here and nowhere else: its file, its start, its word for a view, what its
backend answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Answers = dict[str, tuple[int, Any]]


@dataclass(frozen=True, slots=True)
class Tracker:
    """One row of the table.

    ``entry`` is the JavaScript that starts the tracker and defines ``send``. Where the package has a minified
    ``file`` for a script tag, the page loads that and then the entry; else both are bundled. ``view`` is the
    key and value that make an object on the wire a page view; ``answers`` are status and body by the start of
    the path.
    """

    name: str
    package: str
    entry: str
    view: tuple[str, str | int]
    file: str = ""
    before: str = ""
    answers: Mapping[str, tuple[int, Any]] = field(default_factory=dict)


OURS = ("lite", "core", "typical", "everything")

_OK: Answers = {"/": (200, {"success": True})}
_SEGMENT: Answers = {"/v1/projects": (200, {"integrations": {"Segment.io": {}}})}
_RUDDER_SOURCE = {
    "id": "site",
    "name": "site",
    "writeKey": "key",
    "enabled": True,
    "workspaceId": "w",
    "config": {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}},
    "destinations": [],
    "dataplanes": {},
}
_MIXPANEL = """
window.mixpanel = Object.assign([], {__SV: 1.2, _i: [['key',
  {api_host: COLLECT, track_pageview: 'url-with-path-and-query-string'}, 'mixpanel']]});
"""

PEERS = (
    Tracker(
        "Plausible",
        "@plausible-analytics/tracker",
        "plausible.js",
        ("n", "pageview"),
        answers={"/": (202, "ok")},
    ),
    Tracker(
        "OpenPanel",
        "@openpanel/web",
        "openpanel.js",
        ("name", "screen_view"),
        answers={"/": (200, {"deviceId": "d", "sessionId": "s"})},
    ),
    Tracker("Rybbit", "@rybbit/js", "rybbit.js", ("type", "pageview"), answers=_OK),
    Tracker(
        "Swetrix",
        "swetrix",
        "swetrix.js",
        ("path", "/log/"),
        file="dist/swetrix.js",
        answers={"/": (201, {})},
    ),
    Tracker(
        "PostHog lite",
        "posthog-js-lite",
        "posthog-lite.js",
        ("event", "$pageview"),
        answers={"/flags": (200, {"flags": {}}), "/": (200, {"status": 1})},
    ),
    Tracker(
        "Snowplow",
        "@snowplow/browser-tracker",
        "snowplow.js",
        ("e", "pv"),
        file="dist/index.umd.min.js",
        answers={"/": (200, "ok")},
    ),
    Tracker("Jitsu", "@jitsu/js", "jitsu.js", ("type", "page"), answers={"/": (200, {"ok": True})}),
    Tracker(
        "Mixpanel",
        "mixpanel-browser",
        "mixpanel.js",
        ("event", "$mp_web_page_view"),
        file="dist/mixpanel.min.js",
        before=_MIXPANEL,
        answers={"/": (200, {"status": 1, "error": None})},
    ),
    Tracker(
        "Segment",
        "@segment/analytics-next",
        "segment.js",
        ("type", "page"),
        file="dist/umd/index.js",
        answers=_SEGMENT | _OK,
    ),
    Tracker(
        "Countly",
        "countly-sdk-web",
        "countly.js",
        ("visit", 1),
        file="lib/countly.min.js",
        answers={"/": (200, {"result": "Success"})},
    ),
    Tracker(
        "Amplitude",
        "@amplitude/analytics-browser",
        "amplitude.js",
        ("event_type", "[Amplitude] Page Viewed"),
        file="lib/scripts/amplitude-min.js",
        answers={"/config": (200, {"configs": {}}), "/": (200, {"code": 200, "events_ingested": 1})},
    ),
    Tracker(
        "RudderStack",
        "@rudderstack/analytics-js",
        "rudderstack.js",
        ("type", "page"),
        answers={"/sourceConfig": (200, {"source": _RUDDER_SOURCE}), "/": (200, "OK")},
    ),
    Tracker(
        "PostHog",
        "posthog-js",
        "posthog.js",
        ("event", "$pageview"),
        file="dist/array.js",
        answers={
            "/flags": (200, {"flags": {}}),
            "/array/key/config.js": (200, ""),
            "/array": (200, {"supportedCompression": ["gzip-js"]}),
            "/": (200, {"status": 1}),
        },
    ),
)
