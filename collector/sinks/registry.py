"""Sinks by name: ours and those of other packages, made from what the command line says."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from pydantic import ValidationError, validate_call

from collector.sinks import SinkError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.sinks import Sink

_GROUP = "headwater.sinks"


def sink_names() -> list[str]:
    """Return the names of all sinks that are installed."""
    return sorted(entry_points(group=_GROUP).names)


def open_sink(name: str, to: str, options: Mapping[str, str]) -> Sink:
    """Make a sink; its options are converted to the types that its function names. Raises SinkError."""
    found = entry_points(group=_GROUP, name=name)
    if not found:
        raise SinkError(f"No sink is called {name!r}; there are {', '.join(sink_names())}.")
    try:
        make = validate_call(next(iter(found)).load())
        sink: Sink = make(to, **options)
    except ModuleNotFoundError as error:
        raise SinkError(f"The sink {name} needs {error.name}: pip install 'headwater[{name}]'.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = first["loc"][0] or "target"
        raise SinkError(f"The sink {name}, {where}: {first['msg']}.") from None
    return sink
