"""The ports that the doors really have: known once they are open, shown by the console and the banner."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Ports:
    """The two ports; 0 until the system has picked one."""

    public: int
    console: int
