"""Redis URLs: every common kind is read, and a wrong one is told of in a sentence that holds no secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.settings import Settings
from collector.store import StoreError, open_store
from collector.store.address import Address, AddressError, parse

if TYPE_CHECKING:
    from pathlib import Path

URLS: dict[str, dict[str, Any]] = {
    "redis://h": {"kind": "server", "hosts": (("h", 6379),)},
    "redis://h:7/3": {"kind": "server", "hosts": (("h", 7),), "db": 3},
    "redis://h?db=3": {"kind": "server", "hosts": (("h", 6379),), "db": 3},
    "redis://:p%40ss@[::1]:7": {"kind": "server", "hosts": (("::1", 7),), "login": {"password": "p@ss"}},
    "redis://u:p:q@h": {
        "kind": "server",
        "hosts": (("h", 6379),),
        "login": {"username": "u", "password": "p:q"},
    },
    "rediss://h:7": {"kind": "server", "hosts": (("h", 7),), "tls": {"ssl_check_hostname": True}},
    "rediss://h?ssl_check_hostname=no": {
        "kind": "server",
        "hosts": (("h", 6379),),
        "tls": {"ssl_check_hostname": False},
    },
    "unix:///run/redis.sock": {"kind": "socket", "path": "/run/redis.sock"},
    "unix://u:p@/run/a%20b.sock?db=2": {
        "kind": "socket",
        "path": "/run/a b.sock",
        "db": 2,
        "login": {"username": "u", "password": "p"},
    },
    "redis+sentinel://u:p@h1:1,h2/main": {
        "kind": "sentinel",
        "hosts": (("h1", 1), ("h2", 26379)),
        "master": "main",
        "login": {"username": "u", "password": "p"},
    },
    "redis+sentinel://h1/main/4?sentinel_username=s&sentinel_password=t": {
        "kind": "sentinel",
        "hosts": (("h1", 26379),),
        "master": "main",
        "db": 4,
        "sentinel_login": {"username": "s", "password": "t"},
    },
    "rediss+sentinel://h1/main": {
        "kind": "sentinel",
        "hosts": (("h1", 26379),),
        "master": "main",
        "tls": {"ssl_check_hostname": True},
    },
    "redis+cluster://:p@h1:1,h2:2": {
        "kind": "cluster",
        "hosts": (("h1", 1), ("h2", 2)),
        "login": {"password": "p"},
    },
    "rediss+cluster://h1/0": {
        "kind": "cluster",
        "hosts": (("h1", 6379),),
        "tls": {"ssl_check_hostname": True},
    },
}

WRONG = {
    "http://h": "must begin with one of",
    "redis:h": "must begin with one of",
    "redis://": "names no host",
    "redis://h:port": "host 1 is not of the form",
    "redis://h:": "host 1 is not of the form",
    "redis://h:99999": "host 1 is not of the form",
    "redis://h1,h2": "several hosts need +sentinel or +cluster",
    "redis://h/one": "its database is no number",
    "redis://h?socket_timeout=1": "the option 'socket_timeout' is unknown",
    "redis://h?ssl_ca_certs=/ca.pem": "the option ssl_ca_certs needs rediss",
    "rediss://h?ssl_ca_certs=/no/ca.pem": "/no/ca.pem of ssl_ca_certs cannot be used: No such file",
    "rediss://h?ssl_certfile=/no/c.pem": "/no/c.pem of ssl_certfile cannot be used: No such file",
    "rediss://h?ssl_keyfile=/no/k.pem": "ssl_keyfile is given without ssl_certfile",
    "rediss://h?ssl_check_hostname=maybe": "ssl_check_hostname must be yes or no",
    "redis+sentinel://h": "the name of the master is missing",
    "redis+cluster://h/1": "a cluster has the database 0 only",
    "redis+cluster://h?sentinel_password=p": "the option 'sentinel_password' is unknown for this kind",
    "unix://run/redis.sock": "a socket is named by its whole path",
    "unix://": "a socket is named by its whole path",
}


@pytest.mark.parametrize(("url", "meant"), URLS.items())
def test_a_url_is_read(url: str, meant: dict[str, Any]) -> None:
    assert parse(url) == Address(**meant)


@pytest.mark.parametrize(("url", "why"), WRONG.items())
def test_a_wrong_url_is_told_of_in_one_sentence(url: str, why: str) -> None:
    with pytest.raises(AddressError, match=re.escape(why)):
        parse(url)


def test_a_file_that_is_no_certificate_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(AddressError, match=r"ca\.pem of ssl_ca_certs cannot be used"):
        parse(f"rediss://h?ssl_ca_certs={tmp_path / 'ca.pem'}")


async def test_the_sentence_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"^redis_url \(HEADWATER_REDIS_URL\) cannot be used: "):
        async with open_store(Settings(redis_url="redis://u:secret@", data=tmp_path)):
            pass


@settings(deadline=None)  # reading the system's authorities takes a while
@given(st.sampled_from([*URLS, *WRONG]), st.text("a1/?@:#&=,[]%", max_size=5) | st.text(max_size=20))
def test_no_message_holds_what_comes_before_the_host(url: str, noise: str) -> None:
    """Not even when the password has characters in it that must be encoded."""
    scheme, _, rest = url.partition("://")
    rest = rest.rpartition("@")[2]
    message = ""
    try:
        parse(f"{scheme}://who:{noise}verysecret{noise}@{rest}{noise}")
    except AddressError as error:
        message = str(error)

    assert "verysecret" not in message
