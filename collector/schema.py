"""Compile JSON Schemas that people write: checked, with nothing fetched and nobody's values in messages."""

from __future__ import annotations

from typing import Any, NoReturn


def compiled(body: Any) -> Any:
    """Return the validator of a schema. Raises ValueError with one sentence when it is none."""
    import jsonschema_rs  # noqa: PLC0415 - few sources have a schema, and it takes 3 MiB

    try:
        return jsonschema_rs.validator_for(body, mask="(hidden)", retriever=_refuse)
    except (ValueError, TypeError) as error:
        raise ValueError(f"it is no JSON Schema: {str(error).partition(chr(10))[0]}") from None


def _refuse(address: str) -> NoReturn:
    raise ValueError(f"a schema may not refer to {address}")
