"""Whatever Redis answers instead of taking a group: it goes to the spool, and follows when Redis takes it.

LOADING, MISCONF and CLUSTERDOWN are among the faults and the tests of clusters, NOSCRIPT in test_outage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stream.conftest import open_stream, record, stored
from tests.stream.test_outage import drained

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.servers import Server

NOWHERE = "REPLICAOF 127.0.0.1 1"
# What makes a real server refuse, what the collector tells of it, and what makes it relent.
REFUSALS = {
    "READONLY": ((NOWHERE,), "read only replica", ("REPLICAOF NO ONE",)),
    "MASTERDOWN": (
        (NOWHERE, "CONFIG SET replica-serve-stale-data no"),
        "Link with MASTER is down",
        ("REPLICAOF NO ONE",),
    ),
    "NOREPLICAS": (
        ("CONFIG SET min-replicas-to-write 1",),
        "Not enough good replicas",
        ("CONFIG SET min-replicas-to-write 0",),
    ),
    "NOPERM": (
        ("ACL SETUSER collector -evalsha",),
        "permissions",
        ("ACL SETUSER collector +evalsha",),
    ),
    "OOM": (("CONFIG SET maxmemory 1",), "memory", ("CONFIG SET maxmemory 0",)),
}


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_the_group_waits_in_the_spool(server: Server, tmp_path: Path, refusal: str) -> None:
    refuse, error, relent = REFUSALS[refusal]
    async with open_stream(server, tmp_path) as stream:
        with server.client() as client:
            for command in refuse:
                client.execute_command(*command.split())
            (receipt,) = await stream.append([record(0)])
            trouble = stream.state.trouble
            for command in relent:
                client.execute_command(*command.split())
        await drained(stream)

    assert receipt.verdict == "spooled"
    assert error in trouble
    assert stored(server) == [record(0).data]
