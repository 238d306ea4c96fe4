"""Cache poisoning: what one client asks for never changes what the next one gets; from caches neither."""

from __future__ import annotations

import asyncio
import gzip
import io
import shutil
import zlib
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import TYPE_CHECKING

import brotli
import pytest

from collector.tracker import render
from tests.browser.proxies import nginx_of, started
from tests.conftest import run_collector
from tests.faults.servers import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from http.client import HTTPMessage
    from pathlib import Path

    from collector.settings import Settings

_PATIENCE_SECONDS = 5
_AT_ONCE = 8
_HOST = b"Host: collect.example"

# Header fields that some server, cache or framework is known to build answers or keys from.
FIELDS = [
    b"X-Forwarded-Host: evil.example",
    b"X-Forwarded-Host: evil.example, evil.example:1",
    b"X-Forwarded-Proto: javascript",
    b"X-Forwarded-Scheme: http",
    b"X-Forwarded-Port: 1",
    b"X-Forwarded-Prefix: /evil",
    b"X-Forwarded-Path: /healthz",
    b"X-Forwarded-For: <script>",
    b"X-Forwarded-Server: evil.example",
    b"X-Forwarded-Uri: /healthz",
    b"X-Host: evil.example",
    b"X-Original-URL: /healthz",
    b"X-Rewrite-URL: /healthz",
    b"X-Original-Host: evil.example",
    b"X-HTTP-Method-Override: DELETE",
    b"X-HTTP-Method: POST",
    b"X-Method-Override: HEAD",
    b"Forwarded: host=evil.example;proto=http",
    b"Via: 1.1 evil",
    b"Max-Forwards: 0",
    b"Cookie: __Host-hw=00000000000000000000000000000000; hw:share=3; a=</script>",
    b"Cookie: headwater=secret",
    b"Authorization: Bearer x",
    b"Origin: https://evil.example",
    b"Origin: null",
    b"Origin: https://evil.example\r\nAccess-Control-Request-Method: PUT",
    b"Referer: https://evil.example/</script>",
    b"User-Agent: </script><script>",
    b"User-Agent: Googlebot/2.1",
    b"Accept: application/json",
    b"Accept: text/html;q=1, */*;q=0",
    b"Accept-Language: xx",
    b"Accept-Charset: utf-7",
    b"Accept-Encoding: br",
    b"Accept-Encoding: gzip",
    b"Accept-Encoding: gzip;q=0, br;q=0, identity",
    b"Accept-Encoding: identity;q=0",
    b"Accept-Encoding: *",
    b"Accept-Encoding: deflate, zstd, compress",
    b"Accept-Encoding: BR , GZIP",
    b"Accept-Encoding: br\r\nAccept-Encoding: gzip",
    b"Accept-Encoding: " + b"gzip," * 1000,
    b"Accept-Encoding:",
    b"Range: bytes=0-9",
    b"Range: bytes=-9",
    b"Range: bytes=5-1",
    b"Range: bytes=0-0,2-2,4-4",
    b"Range: bytes=999999-",
    b"Range: lines=1-2",
    b"Range: bytes=0-9\r\nIf-Range: x",
    b"If-None-Match: *",
    b'If-None-Match: "0000000000000000"',
    b'If-Match: "x"',
    b"If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT",
    b"If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
    b"Cache-Control: no-cache, no-store",
    b"Cache-Control: only-if-cached",
    b"Pragma: no-cache",
    b"Content-Type: text/html",
    b"Content-Encoding: br",
    b"Expect: 200-maybe",
    b"TE: trailers",
    b"Upgrade-Insecure-Requests: 1",
    b"Save-Data: on",
    b"DNT: 1\r\nSec-GPC: 1",
    b"Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate",
    b"Purpose: prefetch\r\nSec-Purpose: prefetch;prerender",
    b"Service-Worker: script",
    b"X: " + b"x" * 7000,  # too long for some servers behind a cache that takes it
    b"X: a\x07b",  # what some servers refuse and some caches pass on
    b"X: a\x7fb",
    b"X-\xff: a",
    b"X: \xff\xfe",
]
HOSTS = [b"evil.example", b"evil.example:1", b"127.0.0.1", b"a/b?c", b"<script>", b"[::1]", b"a" * 300, b""]
METHODS = [b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"PURGE", b"TRACE", b"FROB", b"get"]
TARGETS = [
    b"//s/web1.js",
    b"/s//web1.js",
    b"/s/web1.js/",
    b"/s/web1.js//",
    b"/s/web1.js;x=1",
    b"/s/web1.js%3b",
    b"/s/WEB1.js",
    b"/s/web1.JS",
    b"/s/web1%2ejs",
    b"/s/%77eb1.js",
    b"/s%2fweb1.js",
    b"/s/./web1.js",
    b"/s/x/../web1.js",
    b"/s/%2e%2e/s/web1.js",
    b"/s/..%2fs%2fweb1.js",
    b"/s/web1.js%00",
    b"/s/web1.js%20",
    b"/s/web1.js%3fx",
    b"/s/web1.js%23x",
    b"/s/web1.js%0d%0aX:y",
    b"/s/web1.js#x",
    b"/s/web1.js\\..\\healthz",
    b"/s/web1.css",
    b"/s/web1.0123456789abcdef.js",
    b"/s/web1.0123456789ABCDEF.js",
    b"/s/../healthz",
    b"/healthz/web1.js",
    b"/healthz?/s/web1.js",
    b"/e/web1/x.js",
    b"/p/web1.gif/x.js",
    b"http://evil.example/s/web1.js",
    b"https://evil.example:1/s/web1.js",
    b"/s/web1.js?" + b"x" * 7000,
    b"/s/web1.js?utm_content=</script>",
    b"/s/web1.js?callback=alert&_method=DELETE",
    b"/s/web1.js?web1.js?x",
    b"/s/\xff.js",
    b"*",
]


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer as a client reads it; ``body`` is what its program would be."""

    status: int
    headers: HTTPMessage
    body: bytes


def request(target: bytes, *fields: bytes, method: bytes = b"GET", host: bytes = _HOST) -> bytes:
    lines = [method + b" " + target + b" HTTP/1.1", host, *fields, b"Connection: close"]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def attacks() -> list[bytes]:
    """Return requests for ``web1`` that each may leave something behind."""
    path = b"/s/web1.js?x=</script>"
    told = [request(path, field) for field in FIELDS]
    told += [request(path, host=b"Host: " + host) for host in HOSTS]
    told += [request(path, method=method) for method in METHODS]
    told += [request(target) for target in TARGETS]
    told.append(request(path, b"Content-Length: 2") + b"{}")
    told.append(request(path, b"Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n\r\n")
    told.append(request(path, b"Content-Length: 2", method=b"POST") + b"{}")
    told.append(request(path, host=_HOST + b"\r\nHost: evil.example"))
    told.append(request(path).replace(b"HTTP/1.1", b"HTTP/1.0"))
    return told


DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "deflate": zlib.decompress,
}


async def ask(port: int, payload: bytes) -> Seen | None:
    """Return the answer to a request, None when the connection just ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(payload)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            raw = await reader.read(-1)
    except (ConnectionError, TimeoutError):
        return None
    finally:
        writer.close()
    return read(raw, payload.split(b" ", 1)[0].decode()) if raw else None


def read(raw: bytes, method: str) -> Seen:
    """Return an answer as http.client reads it, inflated."""

    class Sock:
        def makefile(self, *_: object) -> io.BytesIO:
            return io.BytesIO(raw)

    answer = HTTPResponse(Sock(), method=method)  # type: ignore[arg-type]
    answer.begin()
    body = answer.read()
    decode = DECODERS[answer.headers.get("Content-Encoding", "")]
    return Seen(answer.status, answer.headers, decode(body) if body else b"")


@asynccontextmanager
async def straight(_folder: Path, collector: int) -> AsyncIterator[int]:
    yield collector


@asynccontextmanager
async def nginx(folder: Path, collector: int) -> AsyncIterator[int]:
    """Yield the port of an nginx that caches all that it may."""
    port = free_port()
    http = f"""
      large_client_header_buffers 4 32k;
      proxy_cache_path {folder}/cache keys_zone=all:1m;
      server {{
        listen 127.0.0.1:{port};
        ignore_invalid_headers off;
        location / {{
          proxy_pass http://127.0.0.1:{collector};
          proxy_http_version 1.1;
          proxy_set_header Host $http_host;
          proxy_set_header Connection "";
          proxy_cache all;
          proxy_cache_key $uri;
          add_header X-Cache $upstream_cache_status;
        }}
      }}
    """
    async with nginx_of(http, folder, port):
        yield port


@asynccontextmanager
async def varnish(folder: Path, collector: int) -> AsyncIterator[int]:
    """Yield the port of a Varnish as it is, but that its keys overlook host and query."""
    port = free_port()
    (folder / "default.vcl").write_text(f"""
vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{collector}"; }}
sub vcl_hash {{ hash_data(regsub(req.url, "\\?.*", "")); return (lookup); }}
sub vcl_deliver {{ set resp.http.X-Cache = obj.hits > 0; }}
""")
    program = shutil.which("varnishd") or "/usr/sbin/varnishd"
    options = (
        "-F",
        "-j",
        "none",
        "-n",
        str(folder / "varnish"),
        "-s",
        "malloc,16m",
        "-p",
        "http_req_hdr_len=32k",
    )
    limits = ("-p", "http_req_size=64k", "-p", "workspace_client=256k", "-p", "workspace_backend=256k")
    command = (program, *options, *limits, "-a", f"127.0.0.1:{port}", "-f", str(folder / "default.vcl"))
    async with started(command, folder, port):
        yield port


WAYS = {"straight": straight, "nginx": nginx, "varnish": varnish}


@pytest.mark.parametrize("way", WAYS)
async def test_whatever_one_client_asks_for_the_next_one_gets_the_tracker(
    settings: Settings, tmp_path: Path, way: str
) -> None:
    """Each attack has a name of the source to itself, so no cache holds anything under it yet."""
    async with run_collector(settings) as running:
        told = attacks()
        names = [f"a{number}" for number in range(len(told))]
        source = await running.add(id="web1", settings={"aliases": names})
        tracker = render(source).body
        wrong: dict[bytes, object] = {}
        async with WAYS[way](tmp_path, running.parts.ports.public) as port:
            numbers = iter(range(len(told)))

            async def attack() -> None:
                for number in numbers:
                    name = b"a%d" % number
                    answer = await ask(port, told[number].replace(b"web1", name))
                    if answer and not is_clean(answer, tracker):
                        wrong[told[number][:100]] = answer
                    for accepted in (b"identity", b"gzip", b"br, gzip"):
                        field = b"Accept-Encoding: " + accepted
                        victim = await ask(port, request(b"/s/" + name + b".js", field))
                        if not victim or not is_tracker(victim, tracker):
                            wrong[told[number][:100] + b" then " + accepted] = victim

            await asyncio.gather(*[attack() for _ in range(_AT_ONCE)])

    assert wrong == {}


def is_tracker(seen: Seen, tracker: bytes) -> bool:
    """Tell whether a client that asked for nothing strange got what it asked for, as every other does."""
    headers = seen.headers
    return (
        (seen.status, seen.body) == (200, tracker)
        and headers["Content-Type"] == "text/javascript; charset=utf-8"
        and headers["Cache-Control"] == "public, max-age=300, stale-while-revalidate=86400"
        and headers["Access-Control-Allow-Origin"] == "*"
        and "Set-Cookie" not in headers
        and not any("evil" in value for value in headers.values())
    )


def is_clean(seen: Seen, tracker: bytes) -> bool:
    """Tell whether an answer is the tracker, nothing to be kept by caches, or a proxy's own error."""
    if seen.status in {200, 206, 304} and seen.body in {tracker, b""}:
        return True
    if seen.status in {206, 416}:  # parts, which caches cut from their copies; the collector sends none
        return True
    ours = "X-Headwater-Reason" in seen.headers or seen.headers["Server"] == "headwater"
    return "no-store" in seen.headers.get("Cache-Control", "") or (not ours and seen.status >= 400)


@pytest.mark.parametrize("way", ["nginx", "varnish"])
async def test_the_caches_of_this_suite_do_keep_the_tracker_and_keep_no_error(
    settings: Settings, tmp_path: Path, way: str
) -> None:
    async with run_collector(settings) as running, WAYS[way](tmp_path, running.parts.ports.public) as port:
        before = await ask(port, request(b"/s/web1.js"))
        source = await running.add(id="web1")
        first, second = [await ask(port, request(b"/s/web1.js")) for _ in range(2)]
        await running.parts.catalogue.change("web1", {"settings": {"preset": "lite"}})
        kept = await ask(port, request(b"/s/web1.js?other", b"X-Forwarded-Host: evil.example"))

    assert before
    assert first
    assert second
    assert kept
    assert (before.status, before.headers["Cache-Control"]) == (404, "no-store")
    assert (first.status, second.status) == (200, 200)
    assert second.headers["X-Cache"] in {"HIT", "true"}
    assert kept.body == render(source).body
