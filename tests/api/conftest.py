"""A collector and what asks its API with a token that may do everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.access import SCOPES

if TYPE_CHECKING:
    from aiohttp import ClientResponse

    from tests.conftest import Running


class Api:
    """Calls of the API, by method and path under /api/v1."""

    def __init__(self, running: Running, token: str) -> None:
        self.running = running
        self.token = token

    async def __call__(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
    ) -> ClientResponse:
        sent = {"Authorization": f"Bearer {self.token if token is None else token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        extra = {} if body is None else {"json": body}
        return await self.running.console.request(method, f"/api/v1{path}", headers=sent, **extra)

    async def json(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Return the JSON of an answer that must be a success."""
        answer = await self(method, path, body, **headers)
        assert answer.status < 300, await answer.text()
        return await answer.json() if answer.status != 204 else None


@pytest.fixture
async def api(running: Running) -> Api:
    """The API of a running collector, asked with every scope."""
    return Api(running, await running.parts.access.tokens.add("tests", list(SCOPES)))
