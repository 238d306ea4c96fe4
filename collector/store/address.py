"""What a Redis URL means: a server, a socket, Sentinels or a cluster, who asks, and the TLS files.

One form for all of them: ``redis[s][+sentinel|+cluster]://[user[:password]@]host[:port][,…][/…][?option=value]``.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from collector.wording import why

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind: TypeAlias = Literal["server", "socket", "sentinel", "cluster"]

_KINDS: Mapping[str, Kind] = {
    "redis": "server",
    "rediss": "server",
    "unix": "socket",
    "redis+sentinel": "sentinel",
    "rediss+sentinel": "sentinel",
    "redis+cluster": "cluster",
    "rediss+cluster": "cluster",
}
_PORTS: Mapping[Kind, int] = {"server": 6379, "sentinel": 26379, "cluster": 6379}
_TLS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname")
_SENTINEL = ("sentinel_username", "sentinel_password")
_YES_OR_NO = {"yes": True, "true": True, "no": False, "false": False}


class AddressError(ValueError):
    """A URL that cannot be used; the message says why, and holds nothing secret."""


@dataclass(frozen=True, slots=True)
class Address:
    """A Redis URL, read. ``login`` and ``tls`` are keywords of redis-py's clients."""

    kind: Kind
    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    master: str = ""
    db: int = 0
    login: Mapping[str, str] = field(default_factory=dict)
    sentinel_login: Mapping[str, str] = field(default_factory=dict)
    tls: Mapping[str, Any] = field(default_factory=dict)


def parse(url: str) -> Address:
    """Read a Redis URL. Raises AddressError with one sentence."""
    scheme, mark, rest = url.partition("://")
    kind = _KINDS.get(scheme.lower())
    if not mark or kind is None:
        raise AddressError(f"it must begin with one of {', '.join(f'{name}://' for name in _KINDS)}")
    place, _, query = rest.partition("?")
    who, _, where = place.rpartition("@")
    netloc, _, path = where.partition("/")
    options = _options(query, kind, encrypted=scheme.lower().startswith("rediss"))
    hosts = () if kind == "socket" else _hosts(netloc, kind)
    master, db = _master_and_db(kind, unquote(path), options)
    return Address(
        kind,
        hosts,
        path=_socket(netloc, path) if kind == "socket" else "",
        master=master,
        db=db,
        login=_login(who),
        sentinel_login={key.removeprefix("sentinel_"): options[key] for key in _SENTINEL if key in options},
        tls=_tls(options) if scheme.lower().startswith("rediss") else {},
    )


def _options(query: str, kind: Kind, *, encrypted: bool) -> dict[str, str]:
    allowed = [*(_TLS if encrypted else ()), *(_SENTINEL if kind == "sentinel" else ())]
    allowed += [] if kind == "cluster" else ["db"]
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name in options:
        if name in _TLS and not encrypted:
            raise AddressError(f"the option {name} needs rediss, which encrypts")
        if name not in allowed:
            known = f"it knows {', '.join(allowed)}" if allowed else "it takes none"
            # With an @ behind it, it may be part of a password that holds a question mark.
            shown = "it has an option that" if "@" in query else f"the option {name[:50]!r}"
            raise AddressError(f"{shown} is unknown for this kind of address; {known}")
    return options


def _login(who: str) -> dict[str, str]:
    user, _, password = who.partition(":")
    parts = {"username": unquote(user), "password": unquote(password)}
    return {key: value for key, value in parts.items() if value}


def _hosts(netloc: str, kind: Kind) -> tuple[tuple[str, int], ...]:
    parts = [part for part in netloc.split(",") if part]
    hosts = tuple(_host(part, number, kind) for number, part in enumerate(parts, 1))
    if not hosts:
        raise AddressError("it names no host")
    if kind == "server" and len(hosts) > 1:
        raise AddressError("several hosts need +sentinel or +cluster behind redis or rediss")
    return hosts


def _host(part: str, number: int, kind: Kind) -> tuple[str, int]:
    try:
        read = urlsplit(f"//{part}")
        host, port = read.hostname, read.port
    except ValueError:
        host, port = None, None
    if not host or (port is None and part.removesuffix("]").endswith(":")):
        raise AddressError(
            f"host {number} is not of the form host or host:port;"
            " write / ? @ # in a password as %2F %3F %40 %23"
        )
    return host, _PORTS[kind] if port is None else port


def _socket(netloc: str, path: str) -> str:
    if netloc or not path:
        raise AddressError("a socket is named by its whole path: unix:///run/redis.sock")
    return unquote(f"/{path}")


def _master_and_db(kind: Kind, path: str, options: Mapping[str, str]) -> tuple[str, int]:
    master, number = "", ""
    if kind == "sentinel":
        master, _, number = path.partition("/")
        if not master:
            raise AddressError("the name of the master is missing: redis+sentinel://host:26379/NAME")
    elif kind != "socket":
        number = path
    number = options.get("db", number) or "0"
    if not number.isascii() or not number.isdigit():
        raise AddressError("its database is no number")
    if kind == "cluster" and int(number):
        raise AddressError("a cluster has the database 0 only")
    return master, int(number)


def _tls(options: Mapping[str, str]) -> dict[str, Any]:
    """Return the TLS keywords; the files are opened now, since later they would look like a Redis gone."""
    found: dict[str, Any] = {key: options[key] for key in _TLS[:3] if options.get(key)}
    if ("ssl_keyfile" in found) > ("ssl_certfile" in found):
        raise AddressError("ssl_keyfile is given without ssl_certfile")
    context = ssl.create_default_context()
    if "ssl_ca_certs" in found:
        _opened("ssl_ca_certs", found, lambda: context.load_verify_locations(found["ssl_ca_certs"]))
    if "ssl_certfile" in found:
        names = (found["ssl_certfile"], found.get("ssl_keyfile"))
        _opened("ssl_certfile", found, lambda: context.load_cert_chain(*names))
    check = options.get("ssl_check_hostname", "yes").lower()
    if check not in _YES_OR_NO:
        raise AddressError("ssl_check_hostname must be yes or no")
    return {**found, "ssl_check_hostname": _YES_OR_NO[check]}


def _opened(option: str, found: Mapping[str, str], load: Any) -> None:
    try:
        load()
    except (OSError, ValueError) as error:  # ssl.SSLError is the first; a null byte in a name, the second
        raise AddressError(f"the file {found[option]} of {option} cannot be used: {why(error)}") from None
