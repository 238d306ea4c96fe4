"""What was worked out of addresses, pages and programs a moment ago: bounded, and forgotten every minute.

It knows no values. What tells of nobody, such as a source's patterns, stays with ``functools.lru_cache``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from functools import _lru_cache_wrapper

T = TypeVar("T")

_MEMORIES: list[_lru_cache_wrapper[Any]] = []  # fixed once the modules are loaded


def remembered(most: int) -> Callable[[Callable[..., T]], _lru_cache_wrapper[T]]:
    """Return a decorator: a function of a module remembers so many answers until ``forget``."""

    def decorate(function: Callable[..., T]) -> _lru_cache_wrapper[T]:
        memory = lru_cache(most)(function)
        _MEMORIES.append(memory)
        return memory

    return decorate


def forget() -> None:
    """Forget every answer."""
    for memory in _MEMORIES:
        memory.cache_clear()
