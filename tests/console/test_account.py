"""Accounts in the console: which page needs which role, and what people do with accounts and tokens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from collector.access import Role
from tests.console.test_door import HTML, PASSWORD, get, routes

if TYPE_CHECKING:
    from tests.conftest import Running

# Every page with the least role that it needs; None is the door itself.
LEAST: dict[tuple[str, str], Role | None] = {
    ("GET", "/"): Role.VIEWER,
    ("GET", "/sources"): Role.VIEWER,
    ("GET", "/sources/new"): Role.EDITOR,
    ("GET", "/sources/new/x"): Role.EDITOR,
    ("POST", "/sources/new/x"): Role.EDITOR,
    ("GET", "/sources/x"): Role.VIEWER,
    ("GET", "/sources/x/overview"): Role.VIEWER,
    ("GET", "/sources/x/install"): Role.VIEWER,
    ("GET", "/sources/x/live"): Role.VIEWER,
    ("GET", "/sources/x/live/feed"): Role.VIEWER,
    ("GET", "/sources/x/deliveries"): Role.VIEWER,
    ("POST", "/sources/x/deliveries"): Role.EDITOR,
    ("GET", "/sources/x/messages"): Role.VIEWER,
    ("GET", "/sources/x/privacy"): Role.VIEWER,
    ("GET", "/sources/x/history"): Role.VIEWER,
    ("GET", "/sources/x/keys"): Role.VIEWER,
    ("GET", "/sources/x/settings"): Role.VIEWER,
    ("GET", "/sources/x/test"): Role.VIEWER,
    ("POST", "/sources/x/test"): Role.EDITOR,
    ("POST", "/sources/x/keys"): Role.EDITOR,
    ("POST", "/sources/x/keys/x/rotate"): Role.EDITOR,
    ("POST", "/sources/x/keys/x/revoke"): Role.EDITOR,
    ("POST", "/sources/x/signing-keys"): Role.EDITOR,
    ("POST", "/sources/x/settings"): Role.EDITOR,
    ("POST", "/sources/x/enabled"): Role.EDITOR,
    ("POST", "/sources/x/remove"): Role.EDITOR,
    ("GET", "/account"): Role.VIEWER,
    ("POST", "/account/password"): Role.VIEWER,
    ("POST", "/account/sessions"): Role.VIEWER,
    ("POST", "/account/sessions/x"): Role.VIEWER,
    ("POST", "/account/tokens"): Role.VIEWER,
    ("POST", "/account/tokens/x"): Role.VIEWER,
    ("GET", "/accounts"): Role.ADMIN,
    ("POST", "/accounts"): Role.ADMIN,
    ("POST", "/accounts/x/role"): Role.ADMIN,
    ("POST", "/accounts/x/remove"): Role.ADMIN,
    ("GET", "/people"): Role.EDITOR,
    ("POST", "/people"): Role.EDITOR,
    ("POST", "/people/export"): Role.EDITOR,
    ("POST", "/people/forget"): Role.ADMIN,
    ("GET", "/health"): Role.VIEWER,
    ("POST", "/tokens/x/remove"): Role.ADMIN,
    ("GET", "/healthz"): None,
    ("GET", "/demo/x"): Role.VIEWER,
    ("GET", "/metrics"): Role.VIEWER,
    ("POST", "/sign-out"): Role.VIEWER,
    ("GET", "/sign-in"): None,
    ("POST", "/sign-in"): None,
    ("GET", "/invitation/x"): None,
    ("POST", "/invitation/x"): None,
}


def pages(running: Running) -> set[tuple[str, str]]:
    return {(method, path) for method, path in routes(running) if method != "HEAD"}


async def test_every_page_stands_in_the_table_of_roles(running: Running) -> None:
    assert pages(running) == LEAST.keys()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
async def test_a_page_is_closed_to_lower_roles_and_open_to_the_others(running: Running, role: Role) -> None:
    for (method, path), least in sorted(LEAST.items()):
        await running.sign_in(role)
        answer = await (get(running, path) if method == "GET" else running.submit(path))
        text = "" if answer.content_type == "text/event-stream" else await answer.text()
        closed = answer.status == 403 and "This needs the role" in text

        assert closed is (least is not None and not role.covers(least)), (method, path)
        assert answer.status < 500, (method, path)


async def test_a_password_is_changed_by_who_knows_it_and_other_sessions_end(running: Running) -> None:
    access = running.parts.access
    await access.accounts.add("bob", Role.VIEWER, PASSWORD)
    elsewhere = await access.sessions.begin("bob")
    await signed_in_as(running, "bob")
    form = {"current": PASSWORD, "password": PASSWORD + "!", "again": PASSWORD + "!"}

    for wrong in ({"current": "wrong password"}, {"again": "other"}, {"password": "short", "again": "short"}):
        answer = await running.submit("/account/password", {**form, **wrong})
        assert (answer.status, 'role="alert"' in await answer.text()) == (400, True)
    assert await access.caller_of_cookie(elsewhere)

    changed = await running.submit("/account/password", form)

    assert "password is changed" in await changed.text()
    assert await access.caller_of_cookie(elsewhere) is None
    assert (await get(running, "/account")).status == 200, "this one goes on"


async def test_sessions_are_listed_and_ended_ones_own_only(running: Running) -> None:
    access = running.parts.access
    other = await access.sessions.begin("ada", address="192.0.2.7", agent="<script>alert(1)</script>")
    text = await (await get(running, "/account")).text()
    assert "192.0.2.7" in text
    assert "<script>alert" not in text
    await running.sign_in(Role.VIEWER, "eve")
    foreign = await access.sessions.begin("eve")
    [shown] = [each for each in await access.sessions.of("ada") if each.address]

    await running.submit(f"/account/sessions/{shown.id}")
    assert await access.caller_of_cookie(other), "eve cannot end a session of ada"

    await running.sign_in()
    await running.submit(f"/account/sessions/{shown.id}")
    assert await access.caller_of_cookie(other) is None
    await running.submit("/account/sessions")
    assert len(await access.sessions.of("ada")) == 1
    assert await access.caller_of_cookie(foreign)


async def test_a_token_is_shown_once_and_has_no_scope_that_its_maker_lacks(running: Running) -> None:
    await running.sign_in(Role.VIEWER)
    form = {"label": "<b>nightly", "sources:read": "on", "sources:write": "on", "days": "7"}
    made = await (await running.submit("/account/tokens", form)).text()
    [token] = re.findall(r"hw_[a-z0-9]{8}_[\w-]{43}", made)

    later = await (await get(running, "/account")).text()
    assert token not in later
    assert "&lt;b&gt;nightly" in later
    caller = await running.parts.access.caller_of_token(token)
    assert caller
    assert caller.scopes == {"sources:read"}
    assert (await running.submit("/account/tokens", {"label": "none"})).status == 400

    name = token.split("_")[1]
    await running.sign_in(Role.VIEWER, "eve")
    await running.submit(f"/account/tokens/{name}")
    assert await running.parts.access.caller_of_token(token), "eve cannot remove a token of ada"
    await running.sign_in(Role.VIEWER)
    await running.submit(f"/account/tokens/{name}")
    assert await running.parts.access.caller_of_token(token) is None


async def test_an_admin_invites_changes_roles_and_removes(running: Running) -> None:
    answer = await running.submit("/accounts", {"name": "Bob@Example.org", "role": "viewer"})
    [link] = re.findall(r"http://[\d.:]+(/invitation/[\w-]{43})", await answer.text())
    form = {"name": "root", "password": PASSWORD, "again": PASSWORD}
    del running.console.headers["Cookie"]
    running.form_token = ""
    assert (await running.submit(link, form)).status == 303
    await running.sign_in()
    accounts = running.parts.access.accounts
    assert (await accounts.get("bob@example.org")).role is Role.VIEWER

    await running.submit("/accounts/bob@example.org/role", {"role": "editor"})
    assert (await accounts.get("bob@example.org")).role is Role.EDITOR
    for path, fields in (
        ("/accounts", {"name": "a b", "role": "viewer"}),
        ("/accounts", {"name": "bob", "role": "king"}),
        ("/accounts/nobody/remove", {}),
        ("/accounts/ada/remove", {}),
        ("/accounts/ada/role", {"role": "viewer"}),
    ):
        assert (await running.submit(path, fields)).status == 400, path
    token = await running.parts.access.tokens.add("<i>shell", ["stats:read"])
    page = await (await get(running, "/accounts")).text()
    assert "&lt;i&gt;shell" in page
    assert "Made in the shell" in page
    await running.submit(f"/tokens/{token.split('_')[1]}/remove")
    assert await running.parts.access.caller_of_token(token) is None
    await running.submit("/accounts/bob@example.org/remove")
    assert await accounts.find("bob@example.org") is None


async def signed_in_as(running: Running, name: str) -> None:
    """Sign the client in with a password, as people do."""
    running.console.headers.pop("Cookie", None)
    running.form_token = ""
    answer = await running.submit("/sign-in", {"name": name, "password": PASSWORD})
    running.console.headers["Cookie"] = answer.headers["Set-Cookie"].split(";")[0]
    text = await (await running.console.get("/account", headers=HTML)).text()
    running.form_token = re.findall('name="form_token" value="(.*?)"', text)[0]
