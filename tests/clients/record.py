"""Record what the clients send, as golden requests: HEADWATER_RECORD=1 pytest tests/clients -k good."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from tests.clients.faults import FaultyWay

FOLDER = Path(__file__).parent.parent / "wire"
# What a collector could look at; hosts, ports and the like differ each time.
HEADERS = {"authorization", "anonymousid", "content-encoding", "content-type", "origin", "user-agent"}


def recording() -> bool:
    """Tell whether recording is asked for."""
    return bool(os.environ.get("HEADWATER_RECORD"))


def record(client: str, way: FaultyWay, key: str, folder: str = "servers") -> None:
    """Write the requests that a client made, when recording is asked for."""
    if not recording():
        return
    requests = [
        {
            "method": method,
            "path": path,
            "headers": {str(name): value for name, value in headers.items() if name.lower() in HEADERS},
            "body": base64.b64encode(body).decode(),
        }
        for method, path, headers, body in way.requests
        if method == "POST" or path.startswith(("/i?", "/track?"))  # Snowplow's and Mixpanel's GET
    ]
    name = re.sub(r"[^a-z0-9.]+", "-", client.lower()).strip("-")
    golden = {"client": client, "key": key, "requests": requests}
    (FOLDER / folder / f"{name}.json").write_bytes(orjson.dumps(golden, option=orjson.OPT_INDENT_2) + b"\n")
