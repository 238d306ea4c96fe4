"""The settings documents that browser clients of other systems fetch before they send anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from collector.answer import NO_STORE, cross_origin, json_answer
from collector.bridges.rest import accept_key, presented_keys
from collector.exchange import Answer
from collector.protocols.posthog import CONFIG, FLAGS

if TYPE_CHECKING:
    from aiohttp import web

    from collector.bridges.request import Reader
    from collector.model import Source
    from collector.pipeline import Pipeline

_EVERYTHING = {"__default": {"enabled": True, "integrations": {}}}


@dataclass(frozen=True, slots=True)
class ClientDocuments:
    """The handlers of the settings documents: no vendor in them, and all measuring of the client off."""

    pipeline: Pipeline
    reader: Reader

    async def segment(self, request: web.Request) -> Answer:
        """Answer what analytics.js asks its CDN for: where to send."""
        key = request.match_info["key"]
        accept_key(self.pipeline, request, [key])
        address = urlsplit(self.reader.origin(request) + self.reader.settings.path_prefix)
        api = {"apiKey": key, "apiHost": f"{address.netloc}{address.path}/v1", "protocol": address.scheme}
        return json_answer(200, _segment_settings(api), cross_origin(request))

    async def rudder(self, request: web.Request) -> Answer:
        """Answer what RudderStack's browser client asks its control plane: no destinations, no reports."""
        keys = list(presented_keys(request, None))
        source, _ = accept_key(self.pipeline, request, keys)
        return json_answer(200, _rudder_settings(source, keys[0]), cross_origin(request))

    async def posthog(self, request: web.Request) -> Answer:
        """Answer PostHog's remote configuration: nothing but events."""
        return json_answer(200, CONFIG, cross_origin(request))

    async def posthog_script(self, request: web.Request) -> Answer:
        """Answer the same as the script that PostHog's loader asks for first."""
        held = orjson.dumps({request.match_info["key"]: {"config": CONFIG, "siteApps": []}}).decode()
        script = f"Object.assign(window._POSTHOG_REMOTE_CONFIG||=Object.create(null),{held})"
        headers = {**NO_STORE, "Content-Type": "text/javascript; charset=utf-8", **cross_origin(request)}
        return Answer(200, headers, script.encode())

    async def posthog_flags(self, request: web.Request) -> Answer:
        """Answer that no feature is flagged."""
        return json_answer(200, FLAGS, cross_origin(request))


def _segment_settings(api: dict[str, str]) -> dict[str, Any]:
    return {
        "integrations": {"Segment.io": {**api, "addBundledMetadata": True, "unbundledIntegrations": []}},
        "plan": {"track": _EVERYTHING, "identify": _EVERYTHING, "group": _EVERYTHING},
        "enabledMiddleware": {},
        "middlewareSettings": {},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
        "metrics": {"sampleRate": 0},
    }


def _rudder_settings(source: Source, key: str) -> dict[str, Any]:
    off = {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    return {
        "source": {
            "id": source.id,
            "name": source.name,
            "writeKey": key,
            "enabled": True,
            "workspaceId": source.id,
            "config": {"statsCollection": off},
            "connections": [],
            "destinations": [],
        },
        "updatedAt": source.updated,
    }
