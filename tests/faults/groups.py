"""Servers that fail over: a master with its replica under three Sentinels, and a cluster of six."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import redis

from collector.store.embedded import server_binary
from tests.faults.servers import LOGIN, Server, free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SECONDS = 30
_SLOTS = 16384
_DOWN_MS = 1000
_AT_ONCE = ("--repl-diskless-sync-delay", "0")


def cut_off(replica: Server, master: Server) -> None:
    """Part a replica from its master, which goes on alone; for less time than it takes to be missed."""
    replica.pause()
    with master.client() as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "replica")


def wait_for(condition: Callable[[], Any]) -> None:
    """Wait until a condition holds; a server that does not answer yet is no reason to give up."""
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(redis.RedisError, OSError):
            if condition():
                return
        time.sleep(0.05)
    raise TimeoutError("the servers did not get there")


def _linked(server: Server) -> bool:
    with server.client() as client:
        role: Any = client.role()
        return bool(role[0] == b"master" or role[3] == b"connected")


class Watched:
    """A master and a replica, watched by three Sentinels with a password."""

    name = "main"
    password = "sentinels' secret"  # noqa: S105 - of a test

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.master = Server(folder / "master", *_AT_ONCE).start()
        replicaof = ("--replicaof", f"127.0.0.1 {self.master.port}")
        self.replica = Server(folder / "replica", *_AT_ONCE, *replicaof).start()
        wait_for(lambda: _linked(self.replica))
        self.ports = [free_port() for _ in range(3)]
        self._processes = [self._sentinel(port) for port in self.ports]
        wait_for(lambda: all(self._knows(port) for port in self.ports))

    @property
    def url(self) -> str:
        """The address to give to the collector."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        return f"redis+sentinel://{LOGIN}@{hosts}/{self.name}?sentinel_password=sentinels'%20secret"

    def failed_over(self) -> bool:
        """Tell whether the replica is the master now."""
        with self.replica.client() as client:
            return bool(client.role()[0] == b"master")

    def stop_sentinel(self, number: int) -> None:
        """Stop a Sentinel in the middle of whatever it does."""
        self._processes[number].send_signal(signal.SIGSTOP)

    def close(self) -> None:
        """End all."""
        for process in self._processes:
            process.kill()
            process.wait()
        self.master.close()
        self.replica.close()

    def _sentinel(self, port: int) -> subprocess.Popen[bytes]:
        config = self.folder / f"sentinel{port}.conf"
        config.write_text(
            f"port {port}\nbind 127.0.0.1\ndir {self.folder}\n"
            f'requirepass "{self.password}"\nsentinel sentinel-pass "{self.password}"\n'
            f"sentinel monitor {self.name} 127.0.0.1 {self.master.port} 2\n"
            f"sentinel down-after-milliseconds {self.name} {_DOWN_MS}\n"
            f"sentinel failover-timeout {self.name} 5000\n"
        )
        with (self.folder / f"sentinel{port}.log").open("wb") as log:
            command = [server_binary(), str(config), "--sentinel"]
            return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def _knows(self, port: int) -> bool:
        with redis.Redis(port=port, password=self.password, socket_timeout=1) as client:
            state: Any = client.sentinel_master(self.name)
            return state["num-other-sentinels"] == 2 and state["num-slaves"] == 1


def _node(folder: Path) -> Server:
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", str(_DOWN_MS))
    options += ("--cluster-config-file", "nodes.conf", "--repl-ping-replica-period", "1")
    return Server(folder, *_AT_ONCE, *options, "--cluster-port", str(free_port())).start()


class ClusterServers:
    """A cluster: each of three masters with a third of the slots, and a replica of each."""

    def __init__(self, folder: Path, *, replicas: bool = True, masters: int = 3) -> None:
        self.servers = [_node(folder / f"node{number}") for number in range(masters * (1 + replicas))]
        self.masters = self.servers[:masters]
        self._ids = [self._ask(server, "CLUSTER", "MYID").decode() for server in self.servers]
        self._meet()
        for master, replica in zip(range(masters), range(masters, len(self.servers)), strict=replicas):
            wait_for(lambda each=replica, of=master: self._replicate(each, of))  # type: ignore[misc]
        wait_for(lambda: all(self._whole(server, replicas=replicas) for server in self.servers))

    @property
    def url(self) -> str:
        """The address to give to the collector."""
        return f"redis+cluster://{LOGIN}@" + ",".join(
            f"127.0.0.1:{server.port}" for server in self.servers[:3]
        )

    def holder(self, key: str) -> Server:
        """Return the master that has the key."""
        slot = self._ask(self.servers[0], "CLUSTER", "KEYSLOT", key)
        for first, last, master, *_ in self._ask(self._alive(), "CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(server for server in self.servers if server.port == master[1])
        raise LookupError(key)

    def replica_of(self, master: Server) -> Server:
        """Return the replica that stands by for a master."""
        return self.servers[self.servers.index(master) + len(self.masters)]

    def failed_over(self, replica: Server) -> bool:
        """Tell whether a replica is master now, and the cluster whole."""
        with replica.client() as client:
            return bool(client.role()[0] == b"master" and self._state(replica))

    def move(self, key: str, target: Server, *, steps: Callable[[], None] = lambda: None) -> None:
        """Move the slot of a key, as a resharding does; ``steps`` runs while its keys are on the way."""
        source, slot = self.holder(key), self._ask(target, "CLUSTER", "KEYSLOT", key)
        ids = {server: self._ids[self.servers.index(server)] for server in (source, target)}
        self._ask(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source])
        self._ask(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target])
        steps()
        while keys := self._ask(source, "CLUSTER", "GETKEYSINSLOT", slot, 10):
            self._ask(source, "MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
        for server in (target, source, *self.masters):
            self._ask(server, "CLUSTER", "SETSLOT", slot, "NODE", ids[target])

    def add_empty(self, folder: Path) -> Server:
        """Add a master without slots, known to all."""
        fresh = _node(folder)
        self.servers.append(fresh)
        self._ids.append(self._ask(fresh, "CLUSTER", "MYID").decode())
        bus = fresh.option("cluster-port")
        self._ask(self.servers[0], "CLUSTER", "MEET", "127.0.0.1", fresh.port, bus)
        for server in self.servers:
            wait_for(lambda each=server: self._knows_all(each))  # type: ignore[misc]
        return fresh

    def wait_until_down(self, lost: Server) -> None:
        """Wait until the others answer CLUSTERDOWN, since slots of the lost one are nowhere."""
        for server in self.servers:
            if server is not lost:
                wait_for(lambda each=server: not self._state(each))  # type: ignore[misc]

    def close(self) -> None:
        """End all."""
        for server in self.servers:
            server.close()

    def _meet(self) -> None:
        share = _SLOTS // len(self.masters) + 1
        for number, master in enumerate(self.masters):
            last = min((number + 1) * share, _SLOTS) - 1
            self._ask(master, "CLUSTER", "ADDSLOTSRANGE", number * share, last)
            self._ask(master, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for other in self.servers[1:]:
            bus = other.option("cluster-port")
            self._ask(self.servers[0], "CLUSTER", "MEET", "127.0.0.1", other.port, bus)

    def _replicate(self, replica: int, master: int) -> bool:
        return bool(self._ask(self.servers[replica], "CLUSTER", "REPLICATE", self._ids[master]))

    def _whole(self, server: Server, *, replicas: bool) -> bool:
        known = self._ask(server, "CLUSTER", "SLOTS")
        full = all(len(row) == 3 + replicas for row in known)
        return bool(len(known) == len(self.masters) and full and self._state(server) and _linked(server))

    def _knows_all(self, server: Server) -> bool:
        known = self._ask(server, "CLUSTER", "NODES").decode()
        return all(each in known for each in self._ids) and self._state(server)

    def _state(self, server: Server) -> bool:
        return b"cluster_state:ok" in self._ask(server, "CLUSTER", "INFO")

    def _alive(self) -> Server:
        return next(server for server in self.servers if server.alive)

    def _ask(self, server: Server, *command: Any) -> Any:
        with redis.Redis(port=server.port, protocol=2, socket_timeout=5) as client:
            client.response_callbacks.clear()
            return client.execute_command(*command)
