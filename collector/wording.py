"""What is wrong, in words for a person: of a value that a model refuses, and of a call that failed.

It knows neither the models nor who tells it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import core_schema

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema, ErrorDetails

_KEY = "[key]"  # how pydantic points at a name instead of its value
_WHOLE, _NUMBER = "This must be a whole number", "This must be a number"
_BOOLEAN, _OBJECT = "This must be true or false", "This must be an object"
_LIST = 'This must be a list, such as ["one", "two"]'

# By the names of https://docs.pydantic.dev/latest/errors/validation_errors/
_RULES = {
    "missing": "This is missing",
    "extra_forbidden": "There is no such field",
    "unexpected_keyword_argument": "There is no such option",
    "string_type": "This must be text",
    "string_unicode": "This must be text",
    "string_too_short": "This is empty or too short: the least length is {min_length}",
    "string_too_long": "This is too long: the greatest length is {max_length}",
    "too_short": "There are too few: the least number is {min_length}",
    "too_long": "There are too many: the greatest number is {max_length}",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "bool_type": _BOOLEAN,
    "bool_parsing": _BOOLEAN,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "path_type": "This must be a path",
    "literal_error": "This must be {expected}",
    "greater_than": "This must be more than {gt}",
    "greater_than_equal": "This must be at least {ge}",
    "less_than": "This must be less than {lt}",
    "less_than_equal": "This must be at most {le}",
}


@dataclass(frozen=True, slots=True)
class InWords:
    """Annotates a type, behind its pattern and length, with the sentence about a value of another form."""

    rule: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the type's own schema, whose every fault is told by the sentence."""
        inner = handler(source)
        return core_schema.custom_error_schema(inner, "in_words", custom_error_message=self.rule)


def place_of(fault: ErrorDetails) -> str:
    """Return the dotted path of the value that a model refuses."""
    return ".".join(str(part) for part in fault["loc"] if part != _KEY)


def rule_of(fault: ErrorDetails) -> str:
    """Return what the value must be, a sentence without its full stop."""
    told = _RULES.get(fault["type"])
    rule = told.format(**fault.get("ctx", {})) if told else fault["msg"].removeprefix("Value error, ")
    return rule.replace("This", "This name", 1) if _KEY in fault["loc"] else rule


def why(error: Exception) -> str:
    """Return what a call failed with, without the name and the number of the error, and its full stop."""
    name = type(error).__name__
    told = re.sub(rf"^(\[\w+ \d+\] )?{name}(: )?", "", getattr(error, "strerror", "") or str(error))
    told = re.sub(", with args beginning with:.*", "", told)  # of a command that Redis does not know
    silent = "it took too long" if "Timeout" in name else "it gave no reason"
    return (told or getattr(error, "description", "") or silent).rstrip(".")
