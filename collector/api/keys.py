"""Operations on write keys."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from collector.api.errors import ApiError
from collector.api.models import KeyList, KeyMade, KeyView
from collector.api.operation import Call, Reply
from collector.sources.keys import add_key, revoke_key, rotate_key

if TYPE_CHECKING:
    from collector.model import Source


async def list_keys(call: Call) -> Reply:
    """List the write keys of a rest source; the keys themselves are not kept."""
    return Reply(KeyList(items=[_view(key) for key in _rest(call).settings.keys]))


async def create_key(call: Call) -> Reply:
    """Make a write key and return it: the only time that it can be read."""
    key = await add_key(
        call.services.catalogue, _rest(call).id, label=call.body.label, origins=call.body.origins
    )
    return Reply(KeyMade(key=key))


async def rotate_key_of_source(call: Call) -> Reply:
    """Make a successor of a key with its label and origins; the old one ends after the overlap."""
    overlap = timedelta(hours=call.body.overlap_hours)
    key = await rotate_key(call.services.catalogue, _rest(call).id, _key_id(call), overlap)
    return Reply(KeyMade(key=key))


async def revoke_key_of_source(call: Call) -> Reply:
    """Refuse a key from now on."""
    await revoke_key(call.services.catalogue, _rest(call).id, _key_id(call))
    return Reply()


def _rest(call: Call) -> Source:
    source = call.source
    if source.bridge != "rest":
        raise ApiError(409, f"{source.id!r} is a {source.bridge} source; write keys belong to rest sources.")
    return source


def _key_id(call: Call) -> str:
    name = call.path("key")
    if all(key.id != name for key in call.source.settings.keys):
        raise ApiError(404, "The source has no key of this id.")
    return name


def _view(key: object) -> KeyView:
    names = ("id", "label", "created", "expires")
    fields = {name: getattr(key, name) for name in names}
    return KeyView(**fields, origins=list(getattr(key, "origins", ())))
