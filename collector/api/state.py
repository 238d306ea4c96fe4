"""Operations that tell how things are: who asks, and whether the collector is well."""

from __future__ import annotations

from dataclasses import asdict

from collector import __version__
from collector.api.models import HealthView, Me
from collector.api.operation import Call, Reply


async def who_am_i(call: Call) -> Reply:
    """Tell who asks, and what they may do."""
    return Reply(Me(name=call.caller.name, scopes=sorted(call.caller.scopes)))


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
