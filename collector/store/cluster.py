"""A client for Redis Cluster whose failures are those of any other client, and what must go to every node."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from redis.asyncio.cluster import ClusterNode, ClusterPipeline, RedisCluster
from redis.exceptions import AskError, ClusterError, MovedError, RedisClusterException

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from redis.asyncio import Redis


class Cluster(RedisCluster):
    """RedisCluster that raises RedisError only, so that who waits for Redis needs to know one kind."""

    async def initialize(self, *arguments: Any, **options: Any) -> Cluster:
        """Find the nodes. Raises redis.exceptions.ClusterError when none answers or slots are missing."""
        with _one_kind():
            await super().initialize(*arguments, **options)
        return self

    async def execute_command(self, *arguments: Any, **options: Any) -> Any:
        """Run a command where its key lies. Raises redis.exceptions.RedisError, OSError."""
        if self._initialize:  # redis-py 8.1 asks any node when it does not know them yet
            await self.initialize()
        with _one_kind():
            return await super().execute_command(*arguments, **options)

    def pipeline(self, transaction: Any = None, shard_hint: Any = None) -> _Pipeline:  # noqa: ARG002
        """Return a pipeline, with the same kind of failures."""
        return _Pipeline(self, transaction)  # type: ignore[abstract]  # it sets what is declared abstract

    def get_node(
        self, host: str | None = None, port: int | None = None, node_name: str | None = None
    ) -> ClusterNode | None:
        """Return a node. One that ASK names may have no slot yet, and so be unknown: it is met now."""
        node = super().get_node(host, port, node_name)
        if node is None and node_name:
            host, _, number = node_name.rpartition(":")
            node = ClusterNode(host, int(number), "primary", **self.connection_kwargs)
            self.nodes_manager.set_nodes(self.nodes_manager.nodes_cache, {node_name: node})
        return node


class _Pipeline(ClusterPipeline):
    async def execute(self, *arguments: Any, **options: Any) -> list[Any]:
        with _one_kind():
            return list(await super().execute(*arguments, **options))


@contextmanager
def _one_kind() -> Iterator[None]:
    """Raise ClusterError for what redis-py raises beside RedisError.

    Its own exceptions are no RedisErrors; and when it finds that nodes have changed it closes connections
    that others use, who meet an AttributeError of a writer that is gone, or uvloop's RuntimeError.
    """
    try:
        yield
    except (RedisClusterException, AttributeError, RuntimeError) as error:
        raise ClusterError(str(error)) from error


async def on_one_connection(redis: Redis, key: str, *commands: Sequence[Any]) -> list[Any]:
    """Run commands one after the other on one connection to the server that holds the key.

    Raises redis.exceptions.RedisError, OSError; also when the key has moved meanwhile: nothing was done then.
    """
    async with redis.pipeline(transaction=False) as pipe:
        if not isinstance(redis, RedisCluster):
            for command in commands:
                pipe.execute_command(*command)
            return await pipe.execute()
        node = redis.get_node_from_key(key)
        for command in commands:
            pipe.execute_command(*command, target_nodes=node)
        try:
            # A command that is sent on by itself would leave the others behind.
            return await pipe.execute(allow_redirections=False)
        except (MovedError, AskError):
            await redis.exists(key)  # follows, and remembers where the key is
            raise


async def on_every_node(redis: Redis, *command: str, replicas: bool = False) -> dict[str, Any]:
    """Run a command on every primary of a cluster; return the answers by node. One server has no name.

    Raises redis.exceptions.RedisError, OSError when a node does not answer.
    """
    if not isinstance(redis, RedisCluster):
        return {"": await redis.execute_command(*command)}  # type: ignore[no-untyped-call]
    await redis.initialize()
    nodes = redis.get_nodes() if replicas else redis.get_primaries()
    return {node.name: await redis.execute_command(*command, target_nodes=node) for node in nodes}
