"""Whatever somebody writes into a field, what is wrong is told in plain words: no pattern, jargon or type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, TopicAuthorizationFailedError
from click import BadParameter
from pydantic import ValidationError

from collector.api import OPERATIONS
from collector.cli.context import Number
from collector.settings import Settings, SettingsError, load
from collector.sources import SETTINGS
from collector.sources.enrichment import EnrichmentSettings, RuleSettings
from collector.sources.form import SourceForm
from collector.sources.privacy import PrivacySettings
from collector.wording import place_of, rule_of, why

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydantic import BaseModel

JARGON = re.compile(
    r"\b(Input|String|should|valid|pattern|regex|instance|tuple|dict\w*|str|int|integer|float|bool\w*|None|null"
    r"|Literal|Field|Extra|keyword|argument|parse)\b|\^|\$|\[key\]|function-|literal|constr"
)
BODIES = {each.body for each in OPERATIONS if not each.plain_body}  # of plain ones the form checks the fields
MODELS: list[type[BaseModel]] = [
    *(SourceForm, PrivacySettings, EnrichmentSettings, RuleSettings, Settings),
    *SETTINGS.values(),
    *sorted(filter(None, BODIES | {each.query for each in OPERATIONS}), key=lambda each: each.__name__),
]
WRONG: list[Any] = [
    *(None, True, 5, -5, 1.5, 10**30, float("inf"), "", " ", "NOT OK", "ä" * 3000, "\ud800"),
    *([], [None], [5], ["NOT OK"], [""], ["a"] * 1001, [{}], [{"no": 1}], {}, {"": ""}, {"a": None}),
    *({"a": ["x"]}, {"name": "x", "stream": "a b", "properties": {"a": []}}),
]


def refused(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    for name in [*model.model_fields, "no_such_field"]:
        for value in WRONG:
            try:
                model.model_validate({name: value})
            except ValidationError as error:
                yield from ((place_of(each), rule_of(each)) for each in error.errors())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_what_is_wrong_is_told_in_plain_words(model: type[BaseModel]) -> None:
    told = set(refused(model))

    assert told
    assert [(place, rule) for place, rule in told if JARGON.search(f"{place}: {rule}")] == []


CONFIGS = [
    (
        b"port = 'many'",
        "port (HEADWATER_PORT) has the value 'many'. This must be a whole number. It is: Port",
    ),
    (b"host = true", "host (HEADWATER_HOST) has the value true. This must be text."),
    (b"host = 2026-01-01", 'host (HEADWATER_HOST) has the value "2026-01-01". This must be text.'),
    (b"namespace = 'a b'", "This must be letters from A to z, digits, -, _ and dots, such as headwater."),
    (b"host = '\xff'", "is not UTF-8 text."),
    (b"host = ", "is not TOML: "),
]


@pytest.mark.parametrize(("text", "told"), CONFIGS)
def test_a_wrong_settings_file_is_told_in_plain_words(text: bytes, told: str, tmp_path: Path) -> None:
    file = tmp_path / "headwater.toml"
    file.write_bytes(text)

    with pytest.raises(SettingsError) as caught:
        load({"config": str(file)}, {})

    assert told in str(caught.value)


FAILED = [
    (TimeoutError(), "it took too long"),
    (ConnectionRefusedError(111, "Connect call failed"), "Connect call failed"),
    (KafkaConnectionError("Unable to bootstrap"), "Unable to bootstrap"),
    (TopicAuthorizationFailedError(), TopicAuthorizationFailedError.description.rstrip(".")),
    (KafkaTimeoutError(), "it took too long"),
    (TopicAuthorizationFailedError("No topic"), "No topic"),
    (ValueError(), "it gave no reason"),
    (ValueError("No reply."), "No reply"),
]


@pytest.mark.parametrize(("error", "told"), FAILED)
def test_a_failed_call_is_told_without_the_name_and_number_of_its_error(error: Exception, told: str) -> None:
    assert why(error) == told


@pytest.mark.parametrize("given", ["many", "nan", "-1", "1e300"])
def test_a_flag_takes_a_number_and_calls_it_so(given: str) -> None:
    with pytest.raises(BadParameter, match=r"not a valid number|not in the range 0<=x<=24") as caught:
        Number(24).convert(given, None, None)

    assert "float" not in str(caught.value)
