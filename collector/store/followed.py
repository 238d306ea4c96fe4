"""What processes hold of Redis and follow live, with a snapshot on disk, whatever becomes of Redis."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collector.store.snapshot import Snapshot

_RETRY_SECONDS = 0.5


class Followed(ABC):
    """``fresh`` tells whether what is held is as Redis has it, but for changes of this moment."""

    _snapshot: Snapshot
    fresh = False

    async def watch(self) -> None:
        """Follow the changes until cancelled; survive Redis being away."""
        try:
            while True:
                await self._snapshot.keep_up()
                await self._step()
        finally:
            await self._snapshot.finish()

    async def _step(self) -> None:
        try:
            if not self.fresh:
                await self._load_all()
            await self._follow()
        except (RedisError, OSError):
            self.fresh = False
            await asyncio.sleep(_RETRY_SECONDS)

    @abstractmethod
    async def _load_all(self) -> None:
        """Read all, and note it for the snapshot."""

    @abstractmethod
    async def _follow(self) -> None:
        """Wait for changes, take them and note them for the snapshot."""
