"""Operations that tell how things are: who asks, and whether the collector is well."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from collector import __version__
from collector.api.models import Check, CheckList, HealthView, Me
from collector.api.operation import Call, Reply
from collector.checkup import look_at_redis, look_here


async def who_am_i(call: Call) -> Reply:
    """Tell who asks, and what they may do."""
    return Reply(Me(name=call.caller.name, scopes=sorted(call.caller.scopes)))


async def run_checks(call: Call) -> Reply:
    """Look at everything that must be right, as doctor does, and say what to do about what is not."""
    services = call.services
    found = await asyncio.to_thread(look_here, services.settings)
    found += await look_at_redis(services.holdings.redis, services.settings)
    items = [Check(right=each.right, name=each.name, text=each.text) for each in found]
    return Reply(CheckList(right=all(each.right for each in found), items=items))


async def get_health(call: Call) -> Reply:
    """Tell whether hits can be made safe, with the figures of the stream."""
    state = call.services.pipeline.stream.state
    return Reply(
        HealthView(
            version=__version__,
            safe=not state.policy and not (state.trouble and state.refusing),
            stream=asdict(state),
            collectors=await call.services.roll.call(),
            sources_fresh=call.services.catalogue.fresh,
        )
    )
