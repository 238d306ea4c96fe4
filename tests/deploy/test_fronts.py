"""The examples of fronts, started as they are: all passes, and the client's address is the client's."""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest
from aiohttp import ClientSession, TCPConnector

from collector.links import Mark
from collector.sources.email import signer
from tests.browser.proxies import certificate_in, started
from tests.conftest import Running, run_collector, until
from tests.faults.servers import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from collector.settings import Settings

    Make = Callable[[Path, int], AbstractAsyncContextManager["Front"]]

FRONTS = Path(__file__).parents[2] / "deploy" / "fronts"
CLIENT = "127.7.7.7"  # an address of this machine that is no proxy's
NETWORK = "127.7.7.0"
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
    "Accept-Language": "de-CH",
    "X-Forwarded-For": "198.51.100.1",  # a lie
}


@dataclass(frozen=True, slots=True)
class Front:
    """A running front: its address, and whether it keeps the tracker."""

    url: str
    keeps: bool = True


def filled(name: str, folder: Path, values: dict[str, str]) -> Path:
    """Write an example with this machine's values, each of which must stand in it; return where."""
    text = (FRONTS / name).read_text(encoding="utf-8")
    for example, value in values.items():
        assert example in text, f"{name} does not say {example}"
        text = text.replace(example, value)
    path = folder / name
    path.write_text(text)
    return path


@asynccontextmanager
async def nginx(folder: Path, collector: int) -> AsyncIterator[Front]:
    port = free_port()
    certificate_in(folder)
    values = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "127.0.0.1:8080": f"127.0.0.1:{collector}",
        "/etc/ssl/collect.example.com": str(folder / "tls"),
        "/var/cache/nginx/headwater": str(folder / "cache"),
    }
    example = filled("nginx.conf", folder, values)
    temporary = [
        f"{kind}_temp_path {folder}/{kind};" for kind in ("proxy", "fastcgi", "uwsgi", "scgi", "client_body")
    ]
    whole = folder / "whole.conf"
    whole.write_text(
        f"daemon off; master_process off; pid {folder}/pid; events {{}}\n"
        f"http {{ {' '.join(temporary)} access_log off; include {example}; }}\n"
    )
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    command = (program, "-p", str(folder), "-c", str(whole), "-e", str(folder / "error.log"))
    async with started(command, folder, port):
        yield Front(f"https://localhost:{port}")


@asynccontextmanager
async def haproxy(folder: Path, collector: int) -> AsyncIterator[Front]:
    port = free_port()
    certificate_in(folder)
    both = folder / "both.pem"
    both.write_bytes((folder / "tls.pem").read_bytes() + (folder / "tls.key").read_bytes())
    values = {
        "bind :443": f"bind 127.0.0.1:{port}",
        "127.0.0.1:8080": f"127.0.0.1:{collector}",
        "/etc/ssl/collect.example.com.pem": str(both),
    }
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    async with started((program, "-db", "-f", str(filled("haproxy.cfg", folder, values))), folder, port):
        yield Front(f"https://localhost:{port}")


@asynccontextmanager
async def caddy(folder: Path, collector: int) -> AsyncIterator[Front]:
    port = free_port()
    certificate_in(folder)
    values = {
        "collect.example.com {": f"https://localhost:{port} {{\n\ttls {folder}/tls.pem {folder}/tls.key",
        "127.0.0.1:8080": f"127.0.0.1:{collector}",
    }
    example = filled("Caddyfile", folder, values)
    example.write_text("{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + example.read_text())
    async with started(("caddy", "run", "--config", str(example), "--adapter", "caddyfile"), folder, port):
        yield Front(f"https://localhost:{port}", keeps=False)


@asynccontextmanager
async def varnish(folder: Path, collector: int) -> AsyncIterator[Front]:
    port = free_port()
    example = filled("varnish.vcl", folder, {'"8080"': f'"{collector}"'})
    program = shutil.which("varnishd") or "/usr/sbin/varnishd"
    place = ("-a", f"127.0.0.1:{port}", "-f", str(example), "-n", str(folder / "work"))
    async with started((program, "-F", "-j", "none", "-s", "malloc,16m", *place), folder, port):
        yield Front(f"http://127.0.0.1:{port}")


@pytest.fixture
async def collector(settings: Settings) -> AsyncIterator[Running]:
    """A collector that believes a proxy on 127.0.0.1, and no other address of this machine."""
    trusting = settings.model_copy(update={"trusted_proxies": ("127.0.0.1/32",)})
    async with run_collector(trusting) as running:
        yield running


@pytest.mark.parametrize("make", [nginx, haproxy, caddy, varnish])
async def test_hits_pass_and_the_clients_address_is_the_clients(
    collector: Running, tmp_path: Path, make: Make
) -> None:
    shop = await collector.add(id="shop", privacy={"address": "network"})
    mails = await collector.add(id="mails", bridge="email", privacy={"address": "network"})
    target = "https://shop.example/sale?a=b%20c"
    link = signer(mails).sign("click", Mark("news", "ada", 1, target, consented=True))
    connector = TCPConnector(local_addr=(CLIENT, 0), ssl=False)
    async with (
        make(tmp_path, collector.parts.ports.public) as front,
        ClientSession(front.url, headers=BROWSER, connector=connector) as client,
    ):

        async def ready() -> bool:
            async with client.get("/readyz") as answer:
                return answer.status == 200

        await until(ready)
        beacon = await client.post(f"/e/{shop.id}", data=orjson.dumps({"batch": [{"type": "page"}]}))
        pixel = await client.get(f"/p/{shop.id}.gif?url=https://shop.example/")
        click = await client.get(f"/l/{link}", allow_redirects=False)
        trackers = [await client.get(f"/s/{shop.id}.js") for _ in range(2)]
        body = await trackers[1].read()
        large = await client.post(f"/e/{shop.id}", data=bytes(300_000))

    assert (beacon.status, pixel.status, click.status, large.status) == (204, 200, 302, 413)
    assert pixel.content_type == "image/gif"
    assert click.headers["Location"] == target
    assert b"headwater" in body
    assert [tracker.headers.get("X-Cache", "") for tracker in trackers] == (
        ["MISS", "HIT"] if front.keeps else ["", ""]
    )
    assert all("max-age" in tracker.headers["Cache-Control"] for tracker in trackers)
    events = await collector.events()
    assert [event["context"]["ip"] for event in events] == [NETWORK] * 3
