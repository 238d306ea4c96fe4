"""Secrets of sources: masked wherever they are shown, whole where they are kept, and never in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from collector.sources import SETTINGS, SourceError, check_form, plain
from collector.sources.form import dump, load
from collector.sources.secret import MASK
from tests.test_commands import headwater

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Running

LONG = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SHORT = "s3cret"


def test_a_schema_marks_secrets_as_passwords_that_are_written_only() -> None:
    """Forms and API documents are made from the schema, so they inherit the marking."""
    webhook = SETTINGS["webhook"].model_json_schema()["properties"]["secrets"]["items"]
    email = SETTINGS["email"].model_json_schema()["$defs"]["SigningKey"]["properties"]["secret"]

    assert (webhook["format"], webhook["writeOnly"]) == ("password", True)
    assert (email["format"], email["writeOnly"]) == ("password", True)


async def test_a_source_is_shown_without_its_secrets_and_kept_with_them(running: Running) -> None:
    hook = await running.add(bridge="webhook", settings={"preset": "standard", "secrets": [LONG, SHORT]})
    mails = await running.add(bridge="email")
    key = mails.settings.keys[0].secret.get_secret_value()

    assert plain(hook)["settings"]["secrets"] == (f"{MASK}{LONG[-4:]}", MASK)
    assert plain(mails)["settings"]["keys"][0]["secret"] == f"{MASK}{key[-4:]}"
    for source, secret in ((hook, LONG), (hook, SHORT), (mails, key)):
        assert secret not in f"{source!r} {getattr(source.settings, 'plan', '')!r}"
        assert secret in dump(source).decode()
        assert load(dump(source)) == source


async def test_what_was_shown_can_be_sent_back(running: Running) -> None:
    source = await running.add(bridge="webhook", settings={"preset": "standard", "secrets": [LONG, SHORT]})
    shown = plain(source)["settings"]["secrets"]

    changed = await running.parts.catalogue.change(source.id, {"settings": {"secrets": ["new", *shown]}})

    assert changed.settings.plan.secrets == ("new", LONG, SHORT)


async def test_a_mask_that_tells_no_single_secret_is_refused(running: Running) -> None:
    source = await running.add(bridge="webhook", settings={"secrets": [SHORT, "other"]})

    for masks in ([MASK], [f"{MASK}none"]):
        with pytest.raises(SourceError, match="give it in full"):
            await running.parts.catalogue.change(source.id, {"settings": {"secrets": masks}})
    with pytest.raises(SourceError, match="give it in full"):
        check_form({"name": "x", "bridge": "webhook", "settings": {"secrets": [MASK]}})


async def test_a_source_that_cannot_be_read_is_reported_without_its_secrets(running: Running) -> None:
    source = await running.add(bridge="webhook", settings={"secrets": [SHORT]})
    stored = orjson.loads(dump(source))
    stored["settings"] |= {"preset": "nobody", "secrets": [SHORT, {"key": SHORT}]}

    with pytest.raises(ValueError, match="nobody") as caught:
        load(orjson.dumps(stored))

    assert SHORT not in str(caught.value)


def test_one_command_reveals_and_only_when_asked(tmp_path: Path) -> None:
    settings = ("--set", "preset=github", "--set", f'secrets=["{SHORT}"]')
    added = headwater(
        tmp_path, "source", "add", "--name", "x", "--id", "hook", "--bridge", "webhook", *settings
    )
    assert added.returncode == 0, added.stderr

    shown = headwater(tmp_path, "source", "show", "hook").stdout
    address = headwater(tmp_path, "webhook", "address", "hook").stdout
    revealed = headwater(tmp_path, "webhook", "address", "hook", "--reveal").stdout

    assert SHORT not in shown + address
    assert address == f"http://127.0.0.1:8080/h/hook\nSecret of the webhook: {MASK}\n"
    assert revealed == f"http://127.0.0.1:8080/h/hook\nSecret of the webhook: {SHORT}\n"
