"""Sinks by name: ours and those of other packages, made from what the command line says."""

from __future__ import annotations

from importlib.metadata import entry_points
from inspect import signature
from typing import TYPE_CHECKING

from pydantic import ValidationError, validate_call

from collector.sinks import SinkError
from collector.wording import rule_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from collector.sinks import Sink

_GROUP = "headwater.sinks"


def sink_names() -> list[str]:
    """Return the names of all sinks that are installed."""
    return sorted(entry_points(group=_GROUP).names)


def open_sink(name: str, to: str, options: Mapping[str, str], *, public: Collection[str] = ()) -> Sink:
    """Make a sink; its options are converted to the types that its function names.

    ``public`` are the options whose values everybody on the machine can see; secrets are not taken from them.
    Raises SinkError.
    """
    found = entry_points(group=_GROUP, name=name)
    if not found:
        raise SinkError(f"No sink is called {name!r}; there are {', '.join(sink_names())}.")
    try:
        make = next(iter(found)).load()
        _require_discreet(name, make, public)
        sink: Sink = validate_call(make)(to, **options)
    except ModuleNotFoundError as error:
        raise SinkError(f"The sink {name} needs {error.name}: pip install 'headwater[{name}]'.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = first["loc"][0] or "target"
        if first["type"].startswith("missing"):
            raise SinkError(f"The sink {name} needs {where}: --set {where}=….") from None
        raise SinkError(f"The sink {name}, {where}: {rule_of(first)}.") from None
    return sink


def _require_discreet(name: str, make: Callable[..., Sink], public: Collection[str]) -> None:
    parameters = signature(make).parameters
    for key in public:
        if key in parameters and "SecretStr" in str(parameters[key].annotation):  # a type or its name
            raise SinkError(
                f"The sink {name}, {key}: other users see what a command line says;"
                f" give it as --set {key}=@FILE or --set {key}=env:VARIABLE."
            )
