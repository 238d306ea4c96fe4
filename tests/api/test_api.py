"""The management API as programs meet it: scopes, versions, pages, errors of one shape, no secret back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collector.access import SCOPES, Role
from collector.api import OPERATIONS
from tests.api.conftest import Api
from tests.conftest import run_collector

if TYPE_CHECKING:
    from collector.api.operation import Operation
    from collector.settings import Settings

SECRET = "a-webhook-secret-of-thirty-signs"  # noqa: S105 - of a test


def path_of(operation: Operation) -> str:
    return operation.path.format(source="shop", key="k", link="l", message="m")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_an_operation_needs_its_scope_and_no_other(api: Api, operation: Operation) -> None:
    tokens = api.running.parts.access.tokens
    others = sorted(SCOPES.keys() - {operation.scope})
    without = await tokens.add("without", others)
    if operation.scope:
        answer = await api(operation.method, path_of(operation), token=without)
        assert answer.status == 403
        assert operation.scope in (await answer.json())["message"]
        right = await tokens.add("with", [operation.scope])
        assert (await api(operation.method, path_of(operation), token=right)).status not in {401, 403}

    for wrong in ("", "hw_nothing_nothing", "x" * 5000):
        answer = await api(operation.method, path_of(operation), token=wrong)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert (await answer.json())["code"] == "unauthorized"


ROLES = [
    (Role.VIEWER, {"sources:read", "events:read", "stats:read"}),
    (Role.EDITOR, SCOPES.keys() - {"people:write"}),
    (Role.ADMIN, SCOPES.keys()),
]


@pytest.mark.parametrize(("role", "scopes"), ROLES)
async def test_a_session_reads_what_its_role_may_and_writes_nothing(
    api: Api, role: Role, scopes: set[str]
) -> None:
    """A page of the console may read; a write needs a token, which no other site can make a browser send."""
    await api.running.sign_in(role)
    await api.running.add(id="shop")
    own = {"Sec-Fetch-Site": "same-origin"}
    for operation in OPERATIONS:
        path = f"/api/v1{path_of(operation)}"
        if operation.media == "text/event-stream":
            continue
        answer = await api.running.console.request(operation.method, path, headers=own)
        allowed = not operation.scope or operation.scope in scopes
        if operation.method != "GET":
            assert answer.status == 401, path
        else:
            assert (answer.status == 403) is not allowed, path
    for site in ("cross-site", "same-site"):
        answer = await api.running.console.get("/api/v1/me", headers={"Sec-Fetch-Site": site})
        assert answer.status == 401


async def test_a_source_is_made_read_changed_and_removed(api: Api) -> None:
    made = await api("POST", "/sources", {"id": "shop", "name": "Shop", "settings": {"preset": "typical"}})
    assert (made.status, made.headers["Location"]) == (201, "/api/v1/sources/shop")
    first = made.headers["ETag"]

    changed = await api("PATCH", "/sources/shop", {"name": "My shop", "settings": {"aliases": ["s1"]}})
    assert (await changed.json())["settings"] == {"preset": "typical", "aliases": ["s1"]}
    assert changed.headers["ETag"] != first
    assert (await api("GET", "/sources/shop", If_None_Match=changed.headers["ETag"])).status == 304
    assert (await api("GET", "/sources/shop", If_None_Match=first)).status == 200

    assert (await api.json("POST", "/sources/shop/disable"))["enabled"] is False
    assert (await api.running.post("shop", {"batch": [{"type": "page"}]})).status == 403
    assert (await api.json("POST", "/sources/shop/enable"))["enabled"] is True
    assert "/s/shop.js" in (await api.json("GET", "/sources/shop/snippet"))["html"]
    assert (await api.json("GET", "/sources/shop/statement"))["items"][0]["heading"] == "What is collected"

    assert (await api("DELETE", "/sources/shop")).status == 204
    assert (await api("GET", "/sources/shop")).status == 404
    history = await api.json("GET", "/sources/shop/history?limit=2")
    assert [(each["what"], each["who"]) for each in history["items"]] == [
        ("remove", "token tests"),
        ("change", "token tests"),
    ]
    older = await api.json("GET", f"/sources/shop/history?cursor={history['next']}")
    assert [each["what"] for each in older["items"]] == ["change", "change", "add"]


async def test_an_update_to_what_has_been_changed_since_is_refused(api: Api) -> None:
    made = await api("POST", "/sources", {"id": "shop", "name": "Shop"})
    seen = made.headers["ETag"]
    await api.json("PATCH", "/sources/shop", {"name": "Theirs"}, If_Match=seen)

    for method, body in (("PATCH", {"name": "Ours"}), ("PUT", {"name": "Ours"}), ("DELETE", None)):
        late = await api(method, "/sources/shop", body, If_Match=seen)
        assert (late.status, (await late.json())["code"]) == (412, "changed_meanwhile")
    assert (await api("PUT", "/sources/shop", {"name": "Ours"})).status == 428
    now = (await api("GET", "/sources/shop")).headers["ETag"]
    replaced = await api.json("PUT", "/sources/shop", {"name": "Ours"}, If_Match=f'"other", {now}')
    assert (replaced["name"], replaced["version"]) == ("Ours", 3)


@pytest.mark.parametrize(("method", "path"), [("POST", "/sources"), ("PATCH", "/sources/shop")])
async def test_every_field_of_a_source_that_is_wrong_is_told(api: Api, method: str, path: str) -> None:
    await api.running.add(id="shop")
    wrong = {"name": "Shop", "settings": {"origins": ["*", "shop.example"], "colour": "red"}}
    answer = await api(method, path, wrong)
    told = await answer.json()

    assert answer.status == 422
    assert [fault["where"] for fault in told["faults"]] == ["settings.origins.1", "settings.colour"]
    assert f"{told['faults'][0]['where']}: {told['faults'][0]['message']}" == told["message"]


async def test_a_list_of_faults_ends(api: Api) -> None:
    settings = {f"colour{number}": "red" for number in range(1000)}
    answer = await api("POST", "/sources", {"name": "Shop", "settings": settings})

    assert len((await answer.json())["faults"]) == 100


async def test_an_id_can_be_taken_once(api: Api) -> None:
    await api.json("POST", "/sources", {"id": "shop", "name": "Shop", "settings": {"aliases": ["s1"]}})

    for body in ({"id": "shop"}, {"id": "other", "settings": {"aliases": ["s1"]}}):
        answer = await api("POST", "/sources", {"name": "Shop", **body})
        assert (answer.status, (await answer.json())["code"]) == (409, "conflict")


async def test_a_list_is_read_page_by_page(api: Api) -> None:
    for number in range(5):
        await api.running.add(id=f"s{number}", channel="Mobile" if number % 2 else "Web")

    seen, cursor = [], ""
    while True:
        page = await api.json("GET", f"/sources?limit=2&cursor={cursor}")
        seen += [item["id"] for item in page["items"]]
        cursor = page.get("next", "")
        if not cursor:
            break

    assert seen == [f"s{number}" for number in range(5)]
    mobile = await api.json("GET", "/sources?channel=Mobile")
    assert [item["id"] for item in mobile["items"]] == ["s1", "s3"]
    for cursor in ("x", "W10=", "bnVsbA==", "\u00e9"):
        assert (await api("GET", f"/sources?cursor={cursor}")).status == 422


async def test_no_secret_comes_back_and_a_mask_keeps_it(api: Api) -> None:
    body = {"id": "hook", "name": "Hook", "bridge": "webhook"}
    settings = {"preset": "github", "secrets": [SECRET]}
    made = await api("POST", "/sources", {**body, "settings": settings})
    assert SECRET not in await made.text()
    shown = await made.json()

    writable = {name: shown[name] for name in shown if name not in {"created", "updated", "version"}}
    replaced = await api("PUT", "/sources/hook", {**writable, "name": "New"}, If_Match=made.headers["ETag"])
    assert replaced.status == 200, await replaced.text()

    kept = api.running.parts.catalogue.get("hook")
    assert (kept.name, kept.settings.secrets[0].get_secret_value()) == ("New", SECRET)
    bad = await api("PATCH", "/sources/hook", {"settings": {"secrets": [SECRET, 5], "x": SECRET}})
    assert bad.status == 422
    assert SECRET not in await bad.text()


async def test_keys_are_made_rotated_and_revoked_by_their_own_operations_only(api: Api) -> None:
    await api.json("POST", "/sources", {"id": "crm", "name": "CRM", "bridge": "rest"})
    key = (await api.json("POST", "/sources/crm/keys", {"label": "nightly"}))["key"]
    [shown] = (await api.json("GET", "/sources/crm/keys"))["items"]
    assert shown["label"] == "nightly"

    digest = api.running.parts.catalogue.get("crm").settings.keys[0].digest.get_secret_value()
    for path in ("/sources/crm", "/sources/crm/keys", "/sources/crm/history"):
        text = await (await api("GET", path)).text()
        assert key not in text
        assert digest not in text
    await api.json("PATCH", "/sources/crm", {"settings": {"keys": []}})
    await api.json("PUT", "/sources/crm", {"name": "CRM"}, If_Match="*")
    assert len((await api.json("GET", "/sources/crm/keys"))["items"]) == 1

    new = (await api.json("POST", f"/sources/crm/keys/{shown['id']}/rotate", {"overlap_hours": 1}))["key"]
    assert await track(api, key) == await track(api, new) == 200
    for each in (await api.json("GET", "/sources/crm/keys"))["items"]:
        await api.json("DELETE", f"/sources/crm/keys/{each['id']}")
    assert await track(api, new) == 401
    assert (await api("DELETE", "/sources/crm/keys/nothing")).status == 404


async def track(api: Api, key: str) -> int:
    body = {"event": "Called", "userId": "u1", "writeKey": key}
    return int((await api.running.public.post("/v1/track", json=body)).status)


async def test_links_are_signed_and_redirect_and_consent_can_be_withdrawn(api: Api) -> None:
    await api.json("POST", "/sources", {"id": "mail", "name": "Mail", "bridge": "email"})
    body = {"message": "m1", "recipient": "r1", "targets": ["https://shop.example/a", "{{later}}"]}
    made = await api.json("POST", "/sources/mail/links", body)

    assert made["links"][1] is None
    token = made["links"][0].rpartition("/l/")[2]
    click = await api.running.public.get(f"/l/{token}", allow_redirects=False)
    assert click.headers["Location"] == "https://shop.example/a"
    assert (await api.json("POST", "/sources/mail/withdrawals", {"recipients": ["r1"]}))["count"] == 1
    short = await api.json("POST", "/sources/mail/short-links", {"target": "https://shop.example/b"})
    assert short["url"].endswith(f"/l/{short['id']}")
    assert (await api("DELETE", f"/sources/mail/short-links/{short['id']}")).status == 204
    assert (await api.json("GET", "/sources/mail/short-links"))["items"] == []
    before = api.running.parts.catalogue.get("mail").settings.keys[0].id
    assert (await api.json("POST", "/sources/mail/signing-key/rotate"))["id"] != before


async def test_the_key_of_a_trackers_tokens_is_replaced_and_never_shown(api: Api) -> None:
    before = await api.running.add(id="shop", settings={"token": "refuse"})
    await api.running.add(id="plain")

    told = await api.json("GET", "/sources/shop")
    new = (await api.json("POST", "/sources/shop/signing-key/rotate"))["id"]

    assert [set(key) for key in told["settings"]["keys"]] == [{"id"}]
    assert new != before.settings.keys[0].id
    assert (await api("POST", "/sources/plain/signing-key/rotate")).status == 409


async def test_a_hit_is_tried_and_nothing_is_stored(api: Api) -> None:
    await api.running.add(id="shop")
    body = {"batch": [{"type": "track", "event": "Bought"}, {"type": "nonsense"}]}

    reports = (await api.json("POST", "/sources/shop/try", {"body": body}))["items"]

    assert [report["outcome"] for report in reports] == ["stored", "refused"]
    assert reports[0]["stored"]["event"] == "Bought"
    assert await api.running.events() == []


async def test_a_person_is_found_handed_out_and_forgotten(api: Api) -> None:
    source = await api.running.add(privacy={"visitors": "cookie"})
    for number in range(3):
        event = {"type": "track", "event": f"E{number}"}
        await api.running.post(source.id, {"batch": [event], "anonymousId": "visitor-one"})
    who = {"visitor": "visitor-one"}

    page = await api.json("POST", "/people/find", {**who, "limit": 2})
    rest = await api.json("POST", "/people/find", {**who, "cursor": page["next"]})
    names = [item["event"]["event"] for item in page["items"] + rest["items"]]
    assert names == ["E2", "E1", "E0"]
    lines = (await (await api("POST", "/people/export", who)).text()).splitlines()
    assert len(lines) == 3
    assert (await api.json("POST", "/people/forget", who)) == {"events": 3, "deliveries": 0}
    assert (await api.json("POST", "/people/find", who))["items"] == []
    assert (await api("POST", "/people/find", {})).status == 422


JSON = {"Content-Type": "application/json"}
ERRORS: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/nothing", {}, 404, "not_found"),
    ("GET", "/sources/nothing", {}, 404, "not_found"),
    ("GET", "/sources/s1", {}, 404, "not_found"),
    ("POST", "/me", {}, 405, "method_not_allowed"),
    ("DELETE", "/sources", {}, 405, "method_not_allowed"),
    ("POST", "/sources", {"data": b"{", "headers": JSON}, 400, "not_json"),
    ("POST", "/sources", {"data": b"\xff", "headers": JSON}, 400, "not_json"),
    ("POST", "/sources", {"data": b"", "headers": JSON}, 400, "not_json"),
    ("POST", "/sources", {"data": b"[" * 100_000, "headers": JSON}, 400, "not_json"),
    ("POST", "/sources", {"data": b"[" * 99 + b"]" * 99, "headers": JSON}, 400, "not_json"),
    ("POST", "/sources", {"data": b"name=x", "headers": {"Content-Type": "text/plain"}}, 415, ""),
    ("POST", "/sources", {"json": {"name": "x"}, "headers": {"Content-Encoding": "gzip"}}, 415, ""),
    ("POST", "/sources", {"json": []}, 422, "invalid"),
    ("POST", "/sources", {"json": {"name": "x", "settings": "y"}}, 422, "invalid"),
    ("POST", "/sources", {"json": {"name": "x", "bridge": 5}}, 422, "invalid"),
    (
        "POST",
        "/sources",
        {"data": b'{"name": "x", "retention_hours": 1' + b"0" * 30 + b"}", "headers": JSON},
        422,
        "",
    ),
    ("POST", "/people/find", {"json": {"user": 5, "limit": 0}}, 422, "invalid"),
    ("GET", "/sources?colour=red", {}, 422, "invalid"),
    ("GET", "/sources?limit=1&limit=2", {}, 422, "invalid"),
    ("GET", "/sources/shop/history?cursor=99999999999999999999999-1", {}, 422, "invalid"),
    ("GET", "/sources/shop/keys", {}, 409, "conflict"),
]


@pytest.mark.parametrize(("method", "path", "sent", "status", "code"), ERRORS)
async def test_errors_have_one_shape(
    api: Api, method: str, path: str, sent: dict[str, Any], status: int, code: str
) -> None:
    await api.running.add(id="shop", settings={"aliases": ["s1"]})
    headers = {"Authorization": f"Bearer {api.token}", **sent.get("headers", {})}
    answer = await api.running.console.request(method, f"/api/v1{path}", **{**sent, "headers": headers})
    told = await answer.json()

    assert (answer.status, answer.content_type) == (status, "application/json")
    assert set(told) == {"code", "message", "faults"}
    assert told["code"] == (code or told["code"])
    assert "\n" not in told["message"]
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_body_beyond_the_limit_is_refused(settings: Settings) -> None:
    async with run_collector(settings.model_copy(update={"server_body_bytes": 2048})) as running:
        api = Api(running, await running.parts.access.tokens.add("tests", list(SCOPES)))
        answer = await api("POST", "/sources", {"name": "x" * 3000})

        assert (answer.status, (await answer.json())["code"]) == (413, "too_large")


async def test_a_token_has_so_many_calls_a_minute(settings: Settings) -> None:
    async with run_collector(settings.model_copy(update={"api_per_minute": 3})) as running:
        api = Api(running, await running.parts.access.tokens.add("busy", list(SCOPES)))
        statuses = [(await api("GET", "/me")).status for _ in range(4)]
        assert statuses == [200, 200, 200, 429]

        late = await api("GET", "/me")
        assert (await late.json())["code"] == "too_many_calls"
        assert 0 < int(late.headers["Retry-After"]) <= 60
        other = await running.parts.access.tokens.add("other", list(SCOPES))
        assert (await api("GET", "/me", token=other)).status == 200


async def test_each_fault_names_its_field(api: Api) -> None:
    answer = await api("POST", "/people/find", {"user": 5, "limit": 0, "colour": 1})

    faults = (await answer.json())["faults"]
    assert {fault["where"] for fault in faults} == {"user", "limit", "colour"}


async def test_the_document_is_served_without_a_token(api: Api) -> None:
    answer = await api.running.console.get("/api/v1/openapi.json")
    told = await answer.json()

    assert (answer.status, told["openapi"]) == (200, "3.1.0")
    assert set(told["paths"]) == {operation.path for operation in OPERATIONS}


async def test_no_token_or_password_is_logged(api: Api, capfd: pytest.CaptureFixture[str]) -> None:
    await api("GET", "/nothing", token=api.token)
    await api("GET", "/me", token="hw_wrong_" + SECRET)
    await api("POST", "/sources", {"name": SECRET, "bridge": "pigeon"})
    await api.running.submit("/sign-in", {"name": SECRET, "password": SECRET})

    logged = "".join(capfd.readouterr())
    assert api.token not in logged
    assert SECRET not in logged
