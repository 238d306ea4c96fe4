"""user-agents' classes of device without its engine, which takes 0.1 s to load and is not asked."""

from __future__ import annotations

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec

import ua_parser  # noqa: F401 - the package that holds it

_ENGINE = "ua_parser.user_agent_parser"


def _load_later(name: str) -> None:
    """Have a module loaded when something is asked of it, by the recipe in importlib's documentation."""
    spec = find_spec(name)
    if spec is None or spec.loader is None or name in sys.modules:
        return
    spec.loader = LazyLoader(spec.loader)
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    package, _, attribute = name.rpartition(".")
    setattr(sys.modules[package], attribute, module)


_load_later(_ENGINE)

from user_agents.parsers import Browser, Device, OperatingSystem, UserAgent  # noqa: E402 - it asks for it

__all__ = ["Browser", "Device", "OperatingSystem", "UserAgent"]
