"""Fixtures that tests of streams have, for tests of what is held of people."""

from tests.stream.conftest import server

__all__ = ["server"]
