"""The settings of the bridges that servers send to."""

from __future__ import annotations

from pydantic import Field

from collector.sources.base import Origin, StrictModel

KEY_NAME = "key:"


class WriteKey(StrictModel):
    """A key that may write to a source. The key itself is not kept, only its digest."""

    id: str = Field(pattern=r"^[a-z0-9]{4,16}$", description="Short name to rotate and revoke it by.")
    digest: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the key.")
    label: str = Field("", max_length=100, description="Who uses it.")
    origins: tuple[Origin, ...] = Field(
        (), description="Origins that may use it. A key with origins is public: browsers carry it."
    )
    created: str = Field("", description="When it was made.")
    expires: str = Field("", description="When it ends; empty for never.")

    @property
    def name(self) -> str:
        """The name that leads from the key to its source in the catalogue."""
        return KEY_NAME + self.digest


class RestSettings(StrictModel):
    """How a rest source is sent to."""

    keys: tuple[WriteKey, ...] = Field((), max_length=100, description="Write keys: see `headwater key`.")
