"""Each kind of address leads to real servers: with a login, over TLS, by a socket, by Sentinels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.settings import Settings
from collector.store import StoreError, open_store
from collector.store.connect import check
from tests.faults.groups import ClusterServers, Watched
from tests.faults.proxy import Proxy
from tests.faults.servers import Server
from tests.store.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a socket too, and a user besides the default one."""
    folder = tmp_path_factory.mktemp("server")
    server = Server(folder, "--unixsocket", str(folder / "s.sock")).start()
    with server.client() as client:
        client.acl_setuser("jo", enabled=True, passwords=["+s/e?c@ret"], commands=["+@all"], keys=["*"])
    yield server
    server.close()


async def answers(url: str, data: Path) -> None:
    """Raise StoreError unless the address leads to a server that takes a write."""
    async with open_store(Settings(redis_url=url, data=data, redis_timeout_seconds=1)) as redis:
        await check(redis)
        await redis.set("headwater:proof", "1")
        assert await redis.get("headwater:proof") == b"1"


async def test_a_user_with_a_password(server: Server, tmp_path: Path) -> None:
    await answers(f"redis://jo:s%2Fe%3Fc%40ret@127.0.0.1:{server.port}/1", tmp_path)


async def test_a_socket(server: Server, tmp_path: Path) -> None:
    await answers(f"unix://jo:s%2Fe%3Fc%40ret@{server.folder / 's.sock'}?db=1", tmp_path)


async def test_a_wrong_password_is_told_of_and_not_shown(server: Server, tmp_path: Path) -> None:
    with pytest.raises(StoreError) as told:
        await answers(f"redis://jo:wrongsecret@127.0.0.1:{server.port}", tmp_path)

    assert "invalid username-password pair" in str(told.value)
    assert "wrongsecret" not in str(told.value)


async def test_tls_with_a_client_certificate(server: Server, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("client")
    async with Proxy(server.port, tls=authority.server_context()) as proxy:
        await answers(
            f"rediss://127.0.0.1:{proxy.port}"
            f"?ssl_ca_certs={authority.file}&ssl_certfile={certificate}&ssl_keyfile={key}",
            tmp_path,
        )


async def test_tls_refuses_a_server_of_an_unknown_authority(server: Server, tmp_path: Path) -> None:
    async with Proxy(server.port, tls=Authority(tmp_path).server_context()) as proxy:
        with pytest.raises(StoreError, match="certificate verify failed"):
            await answers(f"rediss://127.0.0.1:{proxy.port}", tmp_path)


async def test_tls_without_the_certificate_that_the_server_asks_for(server: Server, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with Proxy(server.port, tls=authority.server_context()) as proxy:
        with pytest.raises(StoreError, match="Redis does not answer"):
            await answers(f"rediss://127.0.0.1:{proxy.port}?ssl_ca_certs={authority.file}", tmp_path)


async def test_tls_to_the_nodes_of_a_cluster(tmp_path: Path) -> None:
    """The node announces the port of what speaks TLS for it."""
    authority = Authority(tmp_path)
    certificate, key = authority.issue("client")
    cluster = ClusterServers(tmp_path, replicas=False, masters=1)
    (node,) = cluster.servers
    async with Proxy(node.port, tls=authority.server_context()) as proxy:
        with node.client() as client:
            client.config_set("cluster-announce-ip", "127.0.0.1")
            client.config_set("cluster-announce-port", proxy.port)
        await answers(
            f"rediss+cluster://127.0.0.1:{proxy.port}"
            f"?ssl_ca_certs={authority.file}&ssl_certfile={certificate}&ssl_keyfile={key}",
            tmp_path,
        )
    cluster.close()


async def test_sentinels_lead_to_the_master(tmp_path: Path) -> None:
    """The first of them does not answer, and they ask for a password of their own."""
    watched = Watched(tmp_path / "watched")
    try:
        watched.stop_sentinel(0)
        await answers(watched.url, tmp_path)
        with pytest.raises(StoreError, match="Redis does not answer"):
            await answers(watched.url.partition("?")[0], tmp_path)
        with pytest.raises(StoreError, match="No master found for 'other'"):
            await answers(watched.url.replace("/main", "/other"), tmp_path)
    finally:
        watched.close()
