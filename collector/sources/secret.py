"""Secrets among the settings of a source: masked wherever they are shown, whole only where asked for."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, SecretStr, SerializationInfo, ValidationInfo

MASK = "********"

_SHOWN = 4
_LONG = 24  # from here on the last characters tell secrets apart and give nothing away


class Revealed(dict[str, str]):
    """The context in which settings are written with their secrets, which it then holds by their masks.

    Given to validation, it lets a mask stand for its secret: what people were shown can be sent back.
    """

    def note(self, secret: str) -> str:
        """Remember a secret by its mask and return it; a mask that two secrets have stands for none."""
        mask = masked(secret)
        self[mask] = secret if self.get(mask, secret) == secret else ""
        return secret


def masked(secret: str) -> str:
    """Return what people see of a secret: of a long one its end, so that they know which it is."""
    if not secret:
        return ""
    return MASK + (secret[-_SHOWN:] if len(secret) >= _LONG else "")


def _write(value: SecretStr, info: SerializationInfo) -> str:
    secret = value.get_secret_value()
    return info.context.note(secret) if isinstance(info.context, Revealed) else masked(secret)


def _read(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str) or not value.startswith(MASK):
        return value
    known = info.context.get(value) if isinstance(info.context, Revealed) else None
    if not known:
        raise ValueError(f"{value} stands for no secret of this source, or for several: give it in full")
    return known


Secret = Annotated[SecretStr, BeforeValidator(_read), PlainSerializer(_write)]
