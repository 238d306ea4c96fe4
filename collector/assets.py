"""Where the shipped files are: beside the package in a checkout, inside it in a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def asset(name: str) -> Path:
    """Return the path of a shipped file or folder, such as ``templates`` or ``snippet/dist/tracker.json``."""
    inside = _PACKAGE / name
    return inside if inside.exists() else _PACKAGE.parent / name
