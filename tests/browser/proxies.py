"""Proxies of a customer's own host, started from the examples of docs/first-party, over HTTPS."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import shutil
import signal
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from tests.conftest import until
from tests.faults.servers import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

EXAMPLES = Path(__file__).parents[2] / "docs" / "first-party"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy: the website's address, the folder of its pages, and its certificate's public key."""

    origin: str
    pages: Path
    key: str


@asynccontextmanager
async def nginx(folder: Path, collector: int) -> AsyncIterator[Proxy]:
    """Yield nginx with the example as its only server."""
    port, key = free_port(), certificate_in(folder)
    example = _filled(
        "nginx.conf",
        {
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            "127.0.0.1:8080": f"127.0.0.1:{collector}",
            "/etc/ssl/www.example.com": str(folder / "tls"),
            "/var/cache/nginx/headwater": str(folder / "cache"),
            "/var/www/html": str(folder),
            "www.example.com": "localhost",
        },
    )
    async with nginx_of(f"types {{ text/html html; }}\n{example}", folder, port):
        yield Proxy(f"https://localhost:{port}", folder, key)


@asynccontextmanager
async def nginx_of(http: str, folder: Path, port: int) -> AsyncIterator[None]:
    """Run an nginx with this in its ``http`` block; whatever it writes is in the folder."""
    own = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; events {{}}\n"
        f"http {{ {own} client_body_temp_path {folder}/body; access_log off;\n{http}\n}}\n"
    )
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    command = (program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"))
    async with started(command, folder, port):
        yield


@asynccontextmanager
async def caddy(folder: Path, collector: int) -> AsyncIterator[Proxy]:
    """Yield Caddy with the example as its only site."""
    port, key = free_port(), certificate_in(folder)
    example = _filled(
        "Caddyfile",
        {
            "www.example.com {": f"https://localhost:{port} {{\n\ttls {folder}/tls.pem {folder}/tls.key",
            "127.0.0.1:8080": f"127.0.0.1:{collector}",
            "/var/www/html": str(folder),
        },
    )
    (folder / "Caddyfile").write_text("{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + example)
    command = ("caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile")
    async with started(command, folder, port):
        yield Proxy(f"https://localhost:{port}", folder, key)


@asynccontextmanager
async def worker(folder: Path, collector: int) -> AsyncIterator[Proxy]:
    """Yield Node with the example of a Cloudflare Worker."""
    port, key = free_port(), certificate_in(folder)
    host = Path(__file__).parent / "worker_host.mjs"
    # As a module under any name.
    shutil.copy(EXAMPLES / "worker.js", folder / "worker.mjs")
    command = ("node", host, port, folder, folder / "worker.mjs", f"http://127.0.0.1:{collector}")
    async with started(tuple(map(str, command)), folder, port):
        yield Proxy(f"https://localhost:{port}", folder, key)


def _filled(name: str, values: dict[str, str]) -> str:
    """Return an example with this machine's values; each must stand in it."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    for example, value in values.items():
        assert example in text, f"{name} does not say {example}"
        text = text.replace(example, value)
    return text


@asynccontextmanager
async def started(command: tuple[str, ...], folder: Path, port: int) -> AsyncIterator[None]:
    """Run a proxy for as long as the context lasts, once it listens."""
    environment = os.environ | {
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    with (folder / "output").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=output, stderr=output, start_new_session=True
        )

    async def listens() -> bool:
        assert process.returncode is None, (folder / "output").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        await until(listens)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # Node may be a launcher's child
        await process.wait()


def certificate_in(folder: Path) -> str:
    """Write a certificate for localhost; return its public key's SHA-256 as Chromium wants it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "tls.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "tls.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(public).digest()).decode()
