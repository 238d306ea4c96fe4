"""The lean way in: beacons, pixels and click links read by llhttp alone, on the port that aiohttp serves.

It answers only requests that it fully understands. Every other connection goes to aiohttp, byte for byte,
and stays there. The handlers are the same for both ways.
"""

from __future__ import annotations

from collector.lean.connection import Connection
from collector.lean.door import LeanDoor, LeanRoute

__all__ = ["Connection", "LeanDoor", "LeanRoute"]
