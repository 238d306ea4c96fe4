"""The brake on guessing passwords: tries are counted by account, by address and by both."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from collector.access.digests import digest_of
from collector.access.errors import ThrottledError

if TYPE_CHECKING:
    from collector.store import Names, Redis

_SECONDS = 15 * 60
_MINUTE = 60
# One address is stopped at an account soon; whoever comes from many is slowed to 50 tries in a quarter of
# an hour, which guesses nothing of 12 characters and leaves the owner little to be locked out by.
_MOST = {"both": 5, "address": 20, "account": 50}
_IPV6_NETWORK = 64


class Throttle:
    """Counts in Redis, so that all collectors brake together."""

    def __init__(self, redis: Redis, names: Names) -> None:
        self._redis = redis
        self._names = names

    async def count(self, account: str, address: str) -> None:
        """Count a try. Raises ThrottledError before a password is looked at, RedisError, OSError."""
        keys = self._keys(account, address)
        async with self._redis.pipeline(transaction=True) as pipe:
            for key in keys.values():
                pipe.set(key, 0, ex=_SECONDS, nx=True)
                pipe.incr(key)
                pipe.ttl(key)
            rows: list[Any] = await pipe.execute()
        counts = dict(zip(keys, zip(rows[1::3], rows[2::3], strict=True), strict=True))
        waits = [wait for what, (count, wait) in counts.items() if count > _MOST[what]]
        if waits:
            raise ThrottledError(max(1, *waits))

    async def forgive(self, account: str, address: str) -> None:
        """Take back the count of tries that ended well."""
        keys = self._keys(account, address)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(keys["both"])
            for what in ("address", "account"):
                pipe.set(keys[what], 1, ex=_SECONDS, nx=True)  # it may have ended meanwhile
                pipe.decr(keys[what])
            await pipe.execute()

    async def count_call(self, caller: str, most: int) -> None:
        """Count a call of the API; in a minute there may be so many. Raises ThrottledError, RedisError."""
        key = self._names.tries(f"calls:{digest_of(caller)}")
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(key, 0, ex=_MINUTE, nx=True)
            pipe.incr(key)
            pipe.ttl(key)
            _, count, wait = await pipe.execute()
        if count > most:
            raise ThrottledError(max(1, wait))

    def _keys(self, account: str, address: str) -> dict[str, str]:
        """Name the counts by digests: what strangers type as a name may be a password."""
        who, where = digest_of(account.strip().casefold()), _network(address)
        parts = {"both": f"{who}:{where}", "address": where, "account": who}
        return {what: self._names.tries(f"{what}:{part}") for what, part in parts.items()}


def _network(address: str) -> str:
    """Return the address, of IPv6 the /64 that one customer has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 4:  # noqa: PLR2004 - the version
        return address
    return str(ipaddress.ip_network((parsed, _IPV6_NETWORK), strict=False).network_address)
