"""The supply chain: weaknesses are looked up, the bill of materials is whole, containers are tame."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from aiohttp import web

from tools import audit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parents[2]
PINS = ROOT / "requirements" / "run.txt"
NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens


def pinned() -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", PINS.read_text(encoding="utf-8"), re.MULTILINE))


@asynccontextmanager
async def database(weak: str) -> AsyncIterator[str]:
    """Yield the address of a server that answers as OSV and npm's registry do, and knows one weak package."""

    async def osv(request: web.Request) -> web.Response:
        asked = await request.json()
        known = {"id": "TEST-2026-1", "affected": [{"package": asked["package"]}], "summary": "weak"}
        return web.json_response({"vulns": [known]} if asked["package"]["name"] == weak else {})

    async def advisories(request: web.Request) -> web.Response:
        asked = json.loads(await request.read())
        known = {"id": 1, "url": "", "title": "weak", "severity": "high", "vulnerable_versions": "*"}
        return web.json_response({weak: [known]} if weak in asked else {})

    app = web.Application(client_max_size=2**24)
    app.router.add_post("/v1/query", osv)
    app.router.add_post("/-/npm/v1/security/advisories/bulk", advisories)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(("weak", "found"), [("orjson", 1), ("nothing", 0)])
async def test_a_weak_python_package_is_named(weak: str, found: int) -> None:
    async with database(weak) as address:
        result = await asyncio.to_thread(audit.audit_python, PINS, f"{address}/v1/query")

    assert result.packages == len(pinned())
    assert len(result.weaknesses or ()) == found
    assert (f"orjson {pinned()['orjson']}: TEST-2026-1" in str(result)) is bool(found)


@pytest.mark.parametrize(("weak", "found"), [("esbuild", True), ("nothing", False)])
async def test_a_weak_node_package_is_named(
    monkeypatch: pytest.MonkeyPatch, weak: str, *, found: bool
) -> None:
    async with database(weak) as address:
        monkeypatch.setenv("npm_config_registry", address)
        result = await asyncio.to_thread(audit.audit_node, ROOT / "snippet")

    assert result.packages > 50
    assert bool(result.weaknesses) is found
    assert ("esbuild: high" in str(result)) is found


def test_a_database_that_is_away_is_one_line_and_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_config_registry", NOWHERE)
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    results = [audit.audit_python(PINS, f"{NOWHERE}/v1/query"), audit.audit_node(ROOT / "snippet")]

    assert [str(each) for each in results] == [
        "pip-audit: skipped, its database of weaknesses cannot be reached.",
        "npm audit: skipped, its database of weaknesses cannot be reached.",
    ]
    assert not any(each.weaknesses for each in results)


def test_the_build_writes_a_bill_of_materials_with_every_pinned_package_and_its_hashes(
    tmp_path: Path,
) -> None:
    """By the command of ``make build``."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    line = re.search(r"^\t\$\(BIN\)/(cyclonedx-py .*) --output-file \S+$", makefile, re.MULTILINE)
    assert line
    program, *flags = line[1].split()
    command = [
        str(Path(sys.executable).parent / program),
        *flags,
        "--output-file",
        str(tmp_path / "bill.json"),
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    bill: dict[str, Any] = json.loads((tmp_path / "bill.json").read_bytes())

    assert (bill["bomFormat"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "headwater")
    assert {each["name"]: each["version"] for each in bill["components"]} == pinned()
    assert all(each["externalReferences"][0]["hashes"] for each in bill["components"])


def test_every_container_is_read_only_without_rights_and_not_root() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]

    assert set(services) == {"collector", "valkey"}
    for service in services.values():
        assert service["read_only"] is True
        assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - the container's
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["user"] not in {"0", "root"}


def test_every_dependency_is_pinned_with_hashes() -> None:
    for name in ("run.txt", "dev.txt"):
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8").replace("\\\n", " ")
        rows = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]

        assert rows
        assert [row for row in rows if "==" not in row or "--hash=sha256:" not in row] == []
