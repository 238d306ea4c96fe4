"""Keys: write keys, made, rotated with an overlap and revoked at once; keys that sign, replaced."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from collector.sources.form import SourceError, new_id
from collector.sources.secret import Revealed
from collector.sources.servers import KEY_NAME, RestSettings, WriteKey
from collector.sources.signing import SigningKey, rotated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.model import Source
    from collector.sources.catalogue import Catalogue

_SECRET_BYTES = 24
_PREFIX = "wk_"  # so that people and secret scanners know what it is


def key_name(key: str) -> str:
    """Return the name that a key's source has in the catalogue."""
    return KEY_NAME + sha256(key.encode(errors="replace")).hexdigest()


def usable_key(source: Source, name: str, now_ms: int) -> WriteKey | None:
    """Return the key of that name if the source has it and it has not ended."""
    for key in source.settings.keys:
        if key.name == name:
            return key if not key.expires or _ms(key.expires) > now_ms else None
    return None


async def add_key(
    catalogue: Catalogue, name: str, *, label: str = "", origins: Sequence[str] = (), key: str = ""
) -> str:
    """Give a source one more key and return it: the only time that it can be read.

    ``key`` takes over one that clients already carry. Raises SourceError.
    """
    source = _rest_source(catalogue, name)
    key = key or _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    made = {"id": new_id(), "digest": key_name(key).removeprefix(KEY_NAME), "created": _iso(_now())}
    await _keep(catalogue, source, [*_dumped(source), {**made, "label": label, "origins": list(origins)}])
    return key


async def rotate_key(catalogue: Catalogue, name: str, key_id: str, overlap: timedelta) -> str:
    """Make a successor with the same label and origins, and let the old key end after the overlap."""
    source = _rest_source(catalogue, name)
    old = _the_key(source, key_id)
    end = _iso(_now() + overlap)
    kept = [{**key, "expires": end} if key["id"] == key_id else key for key in _dumped(source)]
    await _keep(catalogue, source, kept)
    return await add_key(catalogue, name, label=old.label, origins=old.origins)


async def revoke_key(catalogue: Catalogue, name: str, key_id: str) -> None:
    """Forget a key; every collector refuses it at once."""
    source = _rest_source(catalogue, name)
    _the_key(source, key_id)
    await _keep(catalogue, source, [key for key in _dumped(source) if key["id"] != key_id])


async def rotate_signing_key(catalogue: Catalogue, name: str) -> str:
    """Let a source sign with a new key and return its id. Raises SourceError when it signs nothing."""
    source = catalogue.get(name)
    keys = getattr(source.settings, "keys", ())
    if not all(isinstance(key, SigningKey) for key in keys) or not keys:
        raise SourceError(f"{source.id!r} signs nothing: mails do, and websites that ask for a token.")
    changed = await catalogue.change(source.id, {"settings": {"keys": rotated(keys)}})
    return str(changed.settings.keys[0].id)


def _rest_source(catalogue: Catalogue, name: str) -> Source:
    source = catalogue.get(name)
    if not isinstance(source.settings, RestSettings):
        raise SourceError(f"{name!r} is a {source.bridge} source; write keys belong to rest sources.")
    return source


def _the_key(source: Source, key_id: str) -> WriteKey:
    for key in source.settings.keys:
        if key.id == key_id:
            return key  # type: ignore[no-any-return]
    raise SourceError(f"{source.id!r} has no key {key_id!r}. List them with: headwater key list {source.id}")


def _dumped(source: Source) -> list[dict[str, object]]:
    return [key.model_dump(exclude_defaults=True, context=Revealed()) for key in source.settings.keys]


async def _keep(catalogue: Catalogue, source: Source, keys: list[dict[str, object]]) -> None:
    await catalogue.change(source.id, {"settings": {"keys": keys}})


def _now() -> datetime:
    return datetime.now(UTC)


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ms(iso: str) -> int:
    return int(datetime.fromisoformat(iso).timestamp() * 1000)
