"""Commands that ask before they remove something look first whether it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.test_email_commands import headwater

if TYPE_CHECKING:
    from collector.settings import Settings


@pytest.mark.parametrize("command", ["link remove", "group drop", "source remove", "account remove"])
def test_nobody_is_asked_about_what_is_not_there(settings: Settings, command: str) -> None:
    answer = headwater(settings, *command.split(), "nowhere", input="y\n")

    assert "it?" not in answer.output
    assert "nowhere" in answer.output + str(answer.exception)


def test_what_is_there_stays_when_the_answer_is_no(settings: Settings) -> None:
    headwater(settings, "source", "add", "--name", "Shop", "--id", "shop")
    asked = headwater(settings, "source", "remove", "shop", input="n\n")
    kept = headwater(settings, "source", "show", "shop")
    gone = headwater(settings, "source", "remove", "shop", "--yes")

    assert "Remove it? [y/N]" in asked.output
    assert kept.exit_code == 0
    assert gone.output == "Removed shop.\n"
