"""Run the real command against a test's own keys."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collector.settings import Settings


async def headwater(settings: Settings, *arguments: str, given: bytes = b"") -> tuple[int | None, bytes]:
    """Return the exit status and the output of a command."""
    environment = {
        "HEADWATER_REDIS_URL": settings.redis_url,
        "HEADWATER_NAMESPACE": settings.namespace,
        "HEADWATER_DATA": str(settings.data),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "collector", *arguments),
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate(given)
    return process.returncode, out
