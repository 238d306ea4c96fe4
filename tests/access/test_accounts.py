"""Accounts, sessions and the brake: who gets in, for how long, and how guessing ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.access import Access, AccessError, Invitation, Role, ThrottledError
from collector.access.passwords import Passwords
from collector.store import Names

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from collector.settings import Settings

PASSWORD = "correct horse battery"  # noqa: S105 - of a test
FROM = {"address": "192.0.2.1", "agent": "test"}


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 1_767_323_045.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def access(redis: Redis, settings: Settings, clock: Clock) -> Access:
    return Access(redis, Names(settings.namespace), settings, clock)


async def test_a_password_opens_a_session_and_is_kept_as_argon2id_only(access: Access, redis: Redis) -> None:
    await access.accounts.add("Ada@Example.org", Role.EDITOR, PASSWORD)
    secret = await access.sign_in(" ada@example.ORG", PASSWORD, **FROM)

    assert secret
    caller = await access.caller_of_cookie(secret)
    assert caller
    assert (caller.name, caller.scopes) == ("ada@example.org", Role.EDITOR.scopes)
    kept = await everything(access, redis)
    assert b"$argon2id$v=19$m=65536,t=3,p=4$" in kept
    assert PASSWORD.encode() not in kept
    assert secret.encode() not in kept


WRONG = [("ada", "wrong password!"), ("nobody", PASSWORD), ("", ""), ("ada", ""), ("\x00", "\udcff")]


@pytest.mark.parametrize(("name", "password"), WRONG)
async def test_a_wrong_name_and_a_wrong_password_are_told_alike(
    access: Access, name: str, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both verify a hash with the same parameters, so that the time tells nothing either."""
    await access.accounts.add("ada", Role.ADMIN, PASSWORD)
    looked_at: list[str] = []
    verify = Passwords._verify

    def noted(self: Passwords, encoded: str, given: bytes) -> bool:
        looked_at.append(encoded.rpartition("$")[0].rpartition("$")[0])
        return verify(self, encoded, given)

    monkeypatch.setattr(Passwords, "_verify", noted)

    assert await access.sign_in(name, password, **FROM) is None
    assert looked_at == ["$argon2id$v=19$m=65536,t=3,p=4"]


BAD_ACCOUNTS = [
    ("ada", "short"),
    ("ada", "x" * 201),
    ("ada", "aaaaaaaaaaaaaaa"),
    ("longenoughname", "LongEnoughName"),
    ("", PASSWORD),
    ("a b", PASSWORD),
    ("<script>", PASSWORD),
    ("a" * 101, PASSWORD),
]


@pytest.mark.parametrize(("name", "password"), BAD_ACCOUNTS)
async def test_a_bad_name_or_a_weak_password_is_refused(access: Access, name: str, password: str) -> None:
    with pytest.raises(AccessError):
        await access.accounts.add(name, Role.ADMIN, password)

    assert not await access.accounts.any()


async def test_guessing_is_braked_for_an_account_from_an_address_and_the_owner_elsewhere_is_not(
    access: Access,
) -> None:
    await access.accounts.add("ada", Role.ADMIN, PASSWORD)
    for _ in range(5):
        assert await access.sign_in("ada", "wrong password!", **FROM) is None

    with pytest.raises(ThrottledError) as caught:
        await access.sign_in("ada", PASSWORD, **FROM)
    assert 0 < caught.value.retry_after <= 900
    assert await access.sign_in("ada", PASSWORD, address="192.0.2.2", agent="")


async def test_guessing_names_from_one_network_is_braked(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Passwords, "_verify", lambda *_: False)
    for number in range(20):
        await access.sign_in(f"name{number}", "wrong password!", address=f"2001:db8::{number}", agent="")

    with pytest.raises(ThrottledError):
        await access.sign_in("other", "wrong password!", address="2001:db8::ffff", agent="")
    assert await access.sign_in("other", "wrong password!", address="2001:db8:0:1::1", agent="") is None


async def test_signing_in_well_is_not_counted(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    await access.accounts.add("ada", Role.ADMIN, PASSWORD)
    monkeypatch.setattr(Passwords, "_verify", lambda *_: True)

    for _ in range(25):
        assert await access.sign_in("ada", PASSWORD, **FROM)


async def test_a_session_ends_when_it_is_unused_and_when_it_is_old(
    access: Access, clock: Clock, settings: Settings
) -> None:
    await access.accounts.add("ada", Role.ADMIN, PASSWORD)
    idle, longest = settings.session_idle_hours * 3600, settings.session_days * 24 * 3600

    unused = await access.sessions.begin("ada")
    clock.now += idle + 1
    assert await access.caller_of_cookie(unused) is None

    used, began = await access.sessions.begin("ada"), clock.now
    while clock.now - began + idle / 2 <= longest:
        clock.now += idle / 2
        assert await access.caller_of_cookie(used), "it is in use"
    clock.now = began + longest + 1
    assert await access.caller_of_cookie(used) is None
    assert await access.sessions.of("ada") == []


async def test_a_revoked_session_is_worth_nothing_and_the_others_go_on(access: Access) -> None:
    await access.accounts.add("ada", Role.ADMIN, PASSWORD)
    one, other = await access.sessions.begin("ada"), await access.sessions.begin("ada")
    found = await access.caller_of_cookie(one)
    assert found
    assert found.session

    await access.sessions.end(found.session)

    assert await access.caller_of_cookie(one) is None
    assert await access.caller_of_cookie(other)


async def test_an_account_has_so_many_sessions_and_the_oldest_give_way(access: Access, clock: Clock) -> None:
    await access.accounts.add("ada", Role.ADMIN, PASSWORD)
    begun = []
    for _ in range(52):
        clock.now += 1
        begun.append(await access.sessions.begin("ada"))

    assert [bool(await access.caller_of_cookie(secret)) for secret in begun] == [False] * 2 + [True] * 50


async def test_another_password_and_removal_end_all_sessions(access: Access) -> None:
    await access.accounts.add("root", Role.ADMIN, PASSWORD)
    await access.accounts.add("ada", Role.VIEWER, PASSWORD)
    before = await access.sessions.begin("ada")
    await access.change_password("Ada", PASSWORD + "!")
    assert await access.caller_of_cookie(before) is None

    after = await access.sessions.begin("ada")
    await access.remove("ada")
    assert await access.caller_of_cookie(after) is None


async def test_a_changed_role_holds_at_once(access: Access) -> None:
    await access.accounts.add("root", Role.ADMIN, PASSWORD)
    await access.accounts.add("ada", Role.EDITOR, PASSWORD)
    secret = await access.sessions.begin("ada")
    await access.accounts.set_role("ada", Role.VIEWER)

    caller = await access.caller_of_cookie(secret)
    assert caller
    assert caller.scopes == Role.VIEWER.scopes


async def test_the_last_admin_stays(access: Access) -> None:
    await access.accounts.add("root", Role.ADMIN, PASSWORD)
    await access.accounts.add("ada", Role.EDITOR, PASSWORD)

    with pytest.raises(AccessError, match="last admin"):
        await access.remove("root")
    with pytest.raises(AccessError, match="last admin"):
        await access.accounts.set_role("root", Role.EDITOR)
    assert (await access.accounts.get("root")).role is Role.ADMIN


async def test_the_link_for_the_first_account_works_once_and_only_while_there_is_none(access: Access) -> None:
    first, second = await access.invite_first(), await access.invite_first()
    assert first
    assert second
    with pytest.raises(AccessError):
        await access.accept(first, "ada", "short")

    made = await access.accept(first, "ada", PASSWORD)

    assert (made.name, made.role) == ("ada", Role.ADMIN)
    assert await access.invite_first() is None
    for secret in (first, second, "", "x" * 5000):
        with pytest.raises(AccessError, match="used or is too old"):
            await access.accept(secret, "eve", PASSWORD)


async def test_an_invitation_makes_its_account_or_sets_its_password(access: Access) -> None:
    await access.accounts.add("root", Role.ADMIN, PASSWORD)
    link = await access.invitations.make(Invitation(Role.VIEWER, "ada"))
    assert (await access.accept(link, "root", PASSWORD)).name == "ada"

    again = await access.invitations.make(Invitation(Role.ADMIN, "ada"))
    changed = await access.accept(again, "", PASSWORD + "!")

    assert changed.role is Role.VIEWER, "a new password is no new role"
    assert await access.sign_in("ada", PASSWORD + "!", **FROM)


async def test_a_token_is_shown_once_and_can_do_what_it_was_made_for(access: Access, redis: Redis) -> None:
    text = await access.tokens.add("nightly", ["sources:read"])

    caller = await access.caller_of_token(text)
    assert caller
    assert (caller.name, caller.scopes) == ("token nightly", {"sources:read"})
    assert text.rpartition("_")[2].encode() not in await everything(access, redis)
    for wrong in ("", "hw_", text[:-1], text + "x", text.removeprefix("hw_"), "hw__", "hw_\udcff_x"):
        assert await access.caller_of_token(wrong) is None
    with pytest.raises(AccessError):
        await access.tokens.add("bad", ["everything"])


async def test_a_token_ends_in_time_or_when_it_is_removed(access: Access, clock: Clock) -> None:
    short = await access.tokens.add("short", ["sources:read"], days=1)
    other = await access.tokens.add("other", ["sources:read"])
    clock.now += 24 * 3600 + 1
    assert await access.caller_of_token(short) is None

    assert await access.caller_of_token(other)
    await access.tokens.remove(other.split("_")[1])
    assert await access.caller_of_token(other) is None


async def test_a_tokens_last_use_is_noted_once_a_minute(access: Access, clock: Clock) -> None:
    text = await access.tokens.add("nightly", ["sources:read"])
    noted = []
    for seconds in (0, 30, 31):
        clock.now += seconds
        await access.caller_of_token(text)
        noted.append((await access.tokens.all())[0].used)

    assert noted[0] == noted[1] == "2026-01-02T03:04:05Z"
    assert noted[2] == "2026-01-02T03:05:06Z"


async def test_a_persons_token_can_never_do_more_than_the_person(access: Access) -> None:
    await access.accounts.add("root", Role.ADMIN, PASSWORD)
    await access.accounts.add("ada", Role.EDITOR, PASSWORD)
    text = await access.tokens.add("mine", ["sources:read", "sources:write"], account="ada")

    await access.accounts.set_role("ada", Role.VIEWER)
    caller = await access.caller_of_token(text)
    assert caller
    assert caller.scopes == {"sources:read"}

    await access.remove("ada")
    assert await access.caller_of_token(text) is None


async def everything(access: Access, redis: Redis) -> bytes:
    """Return all that Redis holds of this test, for secrets to be looked for in."""
    found = b""
    prefix = access.sessions._names.namespace
    async for key in redis.scan_iter(match=f"{prefix}:*"):
        kind: Any = await redis.type(key)
        rows: Any = await (redis.hgetall(key) if kind == b"hash" else redis.dump(key))
        found += key + (b"".join(b"%s %s " % row for row in rows.items()) if kind == b"hash" else rows)
    return found
