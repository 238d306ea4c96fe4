"""Ids for messages that have neither id nor position, kept for a while after they are acknowledged.

So one that is delivered again, to whichever worker, is the event that it was.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.bridges.queue.broker import Message
    from collector.store.queues import QueueStates

# Messages whose ids are kept after they were acknowledged. Mosquitto 2.0.11 gives out more than asked
# (1,597 for 20), so buffers alone bound what it has not read. MQTT counts to 65,535, then numbers come again.
REMEMBERED = 10_000


class Naming:
    """The ids given to messages of a source. Raises redis.exceptions.RedisError, OSError."""

    def __init__(self, states: QueueStates, source: str) -> None:
        self._states = states
        self._source = source
        self._known: OrderedDict[str, None] = OrderedDict()

    async def name(self, messages: Sequence[Message]) -> list[Message]:
        """Return messages that all have an id, which is remembered for those that had none."""
        given = await self._states.given(self._source, [each.slot for each in messages if each.again])
        named = [each if each.id else replace(each, id=_id(each, given)) for each in messages]
        await self._states.give(
            self._source, {each.slot: f"{_proof(each)} {each.id}" for each in named if each.slot}
        )
        return named

    async def forget(self) -> None:
        """Forget all ids: the broker calls other messages by the slots of those that had them."""
        self._known.clear()
        await self._states.take_back_all(self._source)

    async def acknowledged(self, messages: Sequence[Message]) -> None:
        """Forget the ids of messages long before: a broker that is behind may never read that these were."""
        slots = [each.slot for each in messages if each.slot]
        if slots and not self._known:  # what a worker before has left
            self._known.update(dict.fromkeys(await self._states.slots(self._source)))
        for slot in slots:
            self._known[slot] = None
            self._known.move_to_end(slot)
        gone = [self._known.popitem(last=False)[0] for _ in range(len(self._known) - REMEMBERED)]
        await self._states.take_back(self._source, gone)


def _id(message: Message, given: dict[str, str]) -> str:
    """Return the id that a message has been given, if it is the same by its content, else a new one."""
    proof, _, identity = given.get(message.slot, "").partition(" ")
    return identity if message.again and proof == _proof(message) else str(uuid4())


def _proof(message: Message) -> str:
    return blake2b(message.topic.encode() + b"\0" + message.body, digest_size=8).hexdigest()
