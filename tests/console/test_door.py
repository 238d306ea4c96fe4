"""The console's door: what is open, what needs whom, what other sites cannot do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from collector.access import Role
from collector.console import entry
from tests.conftest import run_collector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aiohttp import ClientResponse

    from collector.settings import Settings
    from tests.conftest import Running

HTML = {"Accept": "text/html"}
PASSWORD = "correct horse battery"  # noqa: S105 - of a test


@pytest.fixture
async def stranger(running: Running) -> Running:
    """A running collector whose console client is not signed in; an account exists."""
    del running.console.headers["Cookie"]
    return running


async def get(running: Running, path: str, **headers: str) -> ClientResponse:
    return await running.console.get(path, headers={**HTML, **headers}, allow_redirects=False)


def routes(running: Running) -> set[tuple[str, str]]:
    """Return method and path of every page, with something in the place of names."""
    return {
        (route.method, re.sub(r"\{.*?\}", "x", route.resource.canonical))
        for route in running.parts.console.router.routes()
        if route.resource and not route.resource.canonical.startswith(("/static", "/api/v1"))
    }


OPEN = ("/sign-in", "/invitation/x", "/healthz", "/demo/x", "/metrics")


async def test_every_page_but_the_door_asks_strangers_to_sign_in(stranger: Running) -> None:
    closed = {(method, path) for method, path in routes(stranger) if path not in OPEN}
    assert len(closed) > 2
    for method, path in closed:
        for headers, expected in ((HTML, 303), ({}, 401)):
            own = {"Origin": f"http://127.0.0.1:{stranger.parts.ports.console}", **headers}
            answer = await stranger.console.request(method, path, headers=own, allow_redirects=False)

            assert (answer.status, method, path) == (expected, method, path)
            assert answer.headers.get("Location", "/sign-in").startswith("/sign-in")
            if method == "GET" and headers:
                assert answer.headers["Location"] == f"/sign-in?next={quote(path)}"


async def test_an_unknown_path_tells_strangers_nothing(stranger: Running) -> None:
    assert (await get(stranger, "/nothing")).status == 303
    await stranger.sign_in()
    assert (await get(stranger, "/nothing")).status == 404


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_write_from_another_site_is_refused_even_with_the_token(
    running: Running, headers: dict[str, str]
) -> None:
    for method, path in sorted(routes(running)):
        if method not in {"GET", "HEAD"}:
            answer = await running.submit(path, **headers)

            assert (answer.status, path) == (403, path)
    assert (await get(running, "/sources")).status == 200, "still signed in"


@pytest.mark.parametrize("token", ["", "x" * 64, "\u00e9"])
async def test_a_form_without_the_sessions_token_is_refused(running: Running, token: str) -> None:
    for method, path in sorted(routes(running)):
        if method not in {"GET", "HEAD"}:
            answer = await running.submit(path, {"form_token": token})

            assert (answer.status, path) == (403, path)


BROKEN = [
    (b"\xff=\xff", "application/x-www-form-urlencoded"),
    (b"name=a", "application/x-www-form-urlencoded; charset=nonsense"),
    (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
    (b"{}", "application/json"),
    (b"name=%00&password=%ff%fe", "application/x-www-form-urlencoded"),
    (b"", ""),
]


@pytest.mark.parametrize(("body", "kind"), BROKEN)
async def test_a_broken_form_is_refused_and_no_fault(running: Running, body: bytes, kind: str) -> None:
    origin = f"http://127.0.0.1:{running.parts.ports.console}"
    for path in ("/sign-in", "/sources"):
        answer = await running.console.post(path, data=body, headers={"Content-Type": kind, "Origin": origin})

        assert 400 <= answer.status < 500


async def test_strangers_can_send_no_large_form(stranger: Running) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"name=a"

    origin = {"Origin": f"http://127.0.0.1:{stranger.parts.ports.console}"}
    for data in (b"name=" + b"a" * 20_000, endless()):
        answer = await stranger.console.post("/sign-in", data=data, headers=origin)
        assert answer.status == 413


async def test_the_first_account_is_made_by_its_link_then_signs_in_and_out(settings: Settings) -> None:
    async with run_collector(settings) as running:
        assert "There is no account yet" in await (await get(running, "/sign-in")).text()
        secret = await running.parts.access.invite_first()
        form = {"name": "ada", "password": PASSWORD, "again": PASSWORD}
        assert "first account" in await (await get(running, f"/invitation/{secret}")).text()
        differs = await running.submit(f"/invitation/{secret}", {**form, "again": "other"})
        assert "differ" in await differs.text()

        made = await running.submit(f"/invitation/{secret}", form)

        assert (made.status, made.headers["Location"]) == (303, "/")
        cookie = made.headers["Set-Cookie"]
        assert re.match(r"headwater=[\w-]{43};", cookie)
        assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Secure" not in cookie, "plain http on this machine"
        assert (await get(running, f"/invitation/{secret}")).status == 404
        assert (await running.submit(f"/invitation/{secret}", form)).status == 404

        wrong = await running.submit("/sign-in", {"name": "ada", "password": "wrong password!"})
        assert (wrong.status, "Set-Cookie" in wrong.headers) == (403, False)
        assert "Name or password is wrong" in await wrong.text()
        right = await running.submit(
            "/sign-in", {"name": "ada", "password": PASSWORD, "next": "/sources?q=a"}
        )
        assert (right.status, right.headers["Location"]) == (303, "/sources?q=a")

        running.console.headers["Cookie"] = right.headers["Set-Cookie"].split(";")[0]
        page = await get(running, "/sources")
        running.form_token = re.findall('name="form_token" value="(.*?)"', await page.text())[0]
        out = await running.submit("/sign-out")
        assert (out.status, out.headers["Location"]) == (303, "/sign-in")
        assert 'headwater=""' in out.headers["Set-Cookie"]
        assert (await get(running, "/sources")).status == 303


ELSEWHERE = [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "\\/evil",
    "javascript:alert(1)",
    "/\t/x",
]


@pytest.mark.parametrize("path", ELSEWHERE)
async def test_signing_in_leads_to_no_other_site(running: Running, path: str) -> None:
    answer = await get(running, f"/sign-in?next={quote(path)}")

    assert answer.headers["Location"] == "/"


@given(st.text(max_size=30) | st.from_regex(r"[/\\\\]{1,3}[a-z:@./\t\n]{0,9}"))
def test_no_text_leads_a_browser_from_signing_in_to_another_site(text: str) -> None:
    """Browsers leave tabs and line ends out of addresses, and take a backslash for a slash."""
    seen = re.sub(r"[\t\n\r]", "", entry._own_path(text)).replace("\\", "/")

    assert seen.startswith("/")
    assert not seen.startswith("//")


async def test_the_brake_answers_429_with_the_time_to_wait(stranger: Running) -> None:
    stranger.form_token = ""
    for _ in range(5):
        await stranger.submit("/sign-in", {"name": "ada", "password": "wrong"})
    answer = await stranger.submit("/sign-in", {"name": "ada", "password": "wrong"})

    assert answer.status == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900


async def test_every_answer_has_the_strict_headers(running: Running) -> None:
    await running.add(id="shop")
    for path in ("/sources", "/sign-in", "/nothing", "/metrics", "/static/console.css", "/demo/shop"):
        answer = await get(running, path)

        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Server"] == "headwater"
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
    demo = await get(running, "/demo/shop")
    assert "connect-src 'self'" not in demo.headers["Content-Security-Policy"], "it may not call the console"


async def test_behind_https_the_cookie_is_bound_to_the_host(settings: Settings) -> None:
    url = "https://console.example"
    async with run_collector(settings.model_copy(update={"console_url": url})) as running:
        secret = await running.parts.access.invite_first()
        form = {"name": "ada", "password": PASSWORD, "again": PASSWORD}
        assert (await running.submit(f"/invitation/{secret}", form)).status == 403, "another origin"
        made = await running.submit(f"/invitation/{secret}", form, Origin=url)

        cookie = made.headers["Set-Cookie"]
        assert cookie.startswith("__Host-headwater=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
        assert made.headers["Strict-Transport-Security"]
        for path in ("/metrics", "/demo/x"):
            assert (await get(running, path)).status == 303, "a proxy makes everybody local"


async def test_without_redis_pages_and_the_api_say_so(settings: Settings, tmp_path: Path) -> None:
    away = settings.model_copy(update={"redis_url": f"unix://{tmp_path}/nothing.sock"})
    async with run_collector(away) as running:
        page = await get(running, "/sources", Cookie="headwater=x")
        api = await running.console.get("/api/v1/me", headers={"Authorization": "Bearer hw_x_y"})

        assert (page.status, api.status) == (503, 503)
        assert "Redis does not answer" in await page.text()
        assert (await api.json())["code"] == "unavailable"
        assert (await get(running, "/healthz")).status == 200


async def test_a_fault_is_logged_once_without_secrets_and_answered_with_a_page(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("collector.access.invitations.Invitations.look", fail)
    with capture_logs() as logged:
        answer = await get(running, "/invitation/the-secret")

    assert (answer.status, "fault is in the log" in await answer.text()) == (500, True)
    assert [(entry["event"], entry["path"]) for entry in logged] == [("fault", "/invitation/{secret}")]
    assert "the-secret" not in str(logged)


NOT_LOCAL: list[dict[str, str]] = [
    {"Host": "evil.example"},
    {"X-Forwarded-For": "192.0.2.1"},
    {"Forwarded": "for=192.0.2.1"},
]


@pytest.mark.parametrize("headers", NOT_LOCAL)
async def test_metrics_are_open_to_this_machine_alone(stranger: Running, headers: dict[str, str]) -> None:
    assert (await get(stranger, "/metrics")).status == 200
    assert (await get(stranger, "/metrics", **headers)).status == 303

    tokens = stranger.parts.access.tokens
    for scope, expected in (("stats:read", 200), ("sources:read", 303)):
        token = await tokens.add("prometheus", [scope])
        answer = await get(stranger, "/metrics", Authorization=f"Bearer {token}", **headers)
        assert answer.status == expected


async def test_a_proxy_that_is_named_signs_accounts_in_and_nobody_else_does(settings: Settings) -> None:
    named: dict[str, Any] = {"identity_header": "X-User", "identity_proxies": ("127.0.0.1",)}
    async with run_collector(settings.model_copy(update=named)) as running:
        await running.sign_in(Role.VIEWER)
        del running.console.headers["Cookie"]

        assert (await get(running, "/sources")).status == 303
        assert (await get(running, "/sources", **{"X-User": "nobody"})).status == 303
        answer = await get(running, "/sources", **{"X-User": "Ada"})
        assert answer.status == 200
        cookie = answer.headers["Set-Cookie"].split(";")[0]
        assert (
            "Set-Cookie"
            not in (await get(running, "/sources", **{"X-User": "ada", "Cookie": cookie})).headers
        )
        assert (await get(running, "/sources", Cookie=cookie)).status == 303, "the proxy has signed out"
    other = settings.model_copy(update={**named, "identity_proxies": ("192.0.2.0/24",)})
    async with run_collector(other) as running:
        assert (await get(running, "/sources", **{"X-User": "ada"})).status == 303
