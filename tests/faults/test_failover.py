"""A replica takes over: what asynchronous replication may lose, and what ``ack=replica`` keeps."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from zlib import crc32

import pytest

from tests.faults.conftest import LONG
from tests.faults.groups import ClusterServers, Watched, cut_off, wait_for
from tests.faults.rig import rig

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.load import Verdict

    Note = Callable[[str, Verdict], None]

_WARM_SECONDS = 1.0
_ALONE_SECONDS = 0.7
_PARTITIONS = 6


def sound(verdict: Verdict, ack: str) -> None:
    """Assert the promise: with ``ack=stream`` a failover may lose what no replica had, and nothing else."""
    assert verdict.acknowledged > 0
    assert (verdict.invented, verdict.damaged, verdict.duplicated, verdict.without_reason) == (0, 0, 0, 0)
    assert verdict.missing == 0 or ack == "stream"


@pytest.mark.parametrize("ack", ["stream", "replica"])
async def test_sentinels_fail_over(tmp_path: Path, seconds: float, note: Note, ack: str) -> None:
    watched = await asyncio.to_thread(Watched, tmp_path / "watched")
    try:
        async with rig(tmp_path, watched, ack=ack) as run:
            await asyncio.sleep(_WARM_SECONDS)
            cut_off(watched.replica, watched.master)
            await asyncio.sleep(_ALONE_SECONDS)
            watched.master.kill()
            watched.replica.go_on()
            await asyncio.to_thread(wait_for, watched.failed_over)
            watched.master.start()  # comes back as a replica
            await asyncio.sleep(seconds)
            verdict = await run.judged()
    finally:
        watched.close()
    note(f"Sentinel failover, the replica {_ALONE_SECONDS} s behind; `ack={ack}`", verdict)
    sound(verdict, ack)


@pytest.mark.parametrize(
    ("ack", "alone"),
    [("replica", True), *([("stream", True), ("stream", False)] if LONG else [])],
)
async def test_a_master_of_a_cluster_is_killed(
    tmp_path: Path, seconds: float, note: Note, ack: str, *, alone: bool
) -> None:
    """Three masters, three replicas, six partitions; two of them lie on the master that is killed."""
    cluster = await asyncio.to_thread(ClusterServers, tmp_path / "cluster")
    try:
        async with rig(tmp_path, cluster, ack=ack, partitions=str(_PARTITIONS)) as run:
            await asyncio.sleep(_WARM_SECONDS)
            busy = crc32(b"visitor0") % _PARTITIONS
            master = cluster.holder(f"headwater:{{{busy}}}:events")
            replica = cluster.replica_of(master)
            if alone:
                cut_off(replica, master)
                await asyncio.sleep(_ALONE_SECONDS)
            master.kill()
            replica.go_on()
            await asyncio.to_thread(wait_for, lambda: cluster.failed_over(replica))
            master.start()  # comes back as a replica
            await asyncio.sleep(seconds)
            verdict = await run.judged()
    finally:
        cluster.close()
    behind = f", its replica {_ALONE_SECONDS} s behind" if alone else ""
    note(f"a master of a cluster of six killed{behind}; `ack={ack}`", verdict)
    sound(verdict, ack)
