"""What people write into a source cannot change its tracker: the program stays, the values come back."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from collector.sources import SourceError, WebSettings, check_form
from collector.sources.features import build
from collector.tracker import render, snippet
from tests.conftest import web_source

if TYPE_CHECKING:
    from tests.conftest import Running

# Reads the settings out of a tracker as the engine does: a program that gives them back replaces its own.
NODE = """
const {runInNewContext} = require('node:vm');
const [program, bodies] = JSON.parse(require('node:fs').readFileSync(0));
const told = bodies.map((body) => {
  if (!body.startsWith(program)) throw new Error('the program has changed: ' + body.slice(0, 200));
  const sandbox = {};
  runInNewContext('out = (function($){return JSON.stringify($)}' + body.slice(program.length), sandbox);
  if (Object.keys(sandbox).join() !== 'out') throw new Error('something else ran');
  return JSON.parse(sandbox.out);
});
console.log(JSON.stringify(told));
"""
PROGRAM_ENDS = b"}catch{}}"

HOSTILE = [
    "</script><script>pwned()</script>",
    "<!--<script>",
    "]]>",
    "\u2028pwned()\u2029",
    "{{ 7*7 }}{% raw %}${pwned()}#{1}<%= 1 %>",
    "'+pwned()+'",
    '"+pwned()+"',
    "`${pwned()}`",
    "\\",
    '\\"});pwned();({"',
    "});pwned();({",
    "}catch{}})({});pwned();//",
    "*/pwned()/*",
    "//",
    "\n\r\t\v\x00\x1b",
    "\ufeff\u200b\u202e",
    "__proto__",
    "constructor",
    "$",
    "$&$1$`$'",
    '"token":""',
    "\U0001f480" * 200,
    "x" * 1000,
]


def settings(text: str) -> WebSettings:
    """Return settings with the text wherever text may stand."""
    options: dict[str, Any] = {
        "clean": [[text, text]],
        "domain": text,
        "domains": [text, "shop.example"],
        "downloads": text,
        "endpoint": text,
        "formValues": [text],
        "search": text,
    }
    return WebSettings(preset="everything", options=options)


def test_whatever_the_options_hold_the_program_stays_and_node_reads_the_same_values() -> None:
    bodies = [render(web_source(settings=settings(text))).body for text in HOSTILE]
    plain = render(web_source(settings=settings("x"))).body
    program = plain[: plain.rindex(PROGRAM_ENDS) + len(PROGRAM_ENDS)]
    node = shutil.which("node") or "node"
    told = orjson.dumps([program.decode(), [body.decode() for body in bodies]])

    done = subprocess.run([node, "-e", NODE], input=told, capture_output=True, check=True)

    assert [settings(text).options for text in HOSTILE] == orjson.loads(done.stdout)
    assert all(each not in body for body in bodies for each in (b"</script", b"<!--", "\u2028".encode()))


@pytest.mark.parametrize("text", HOSTILE)
def test_names_and_words_about_a_source_are_not_in_its_tracker(text: str) -> None:
    plain = render(web_source())

    told = web_source(name=text, description=text, channel=text, tags=(text,), settings=WebSettings())

    assert plain.body == render(told).body


# These three are names, though poor ones: the page's own business.
NO_NAMES = [text for text in HOSTILE if text not in {"__proto__", "constructor", "$"}]


@pytest.mark.parametrize("text", [*NO_NAMES, "", "1a", "a b", "a.b", "ä", "x" * 51])
def test_the_name_of_the_global_is_a_name_and_nothing_else(text: str) -> None:
    """It stands in the snippet too, in a page of somebody else's."""
    with pytest.raises(SourceError):
        check_form({"name": "Test", "settings": {"options": {"global": text}}})


MEGABYTE = "x" * 1_000_000
TOO_MUCH: list[dict[str, Any]] = [
    {"name": MEGABYTE},
    {"description": MEGABYTE},
    {"channel": MEGABYTE},
    {"settings": {"options": {"search": MEGABYTE}}},
    {"settings": {"options": {"domains": [MEGABYTE]}}},
    {"settings": {"options": {"domains": ["x"] * 10_000}}},
    {"settings": {"options": {"clean": [["x", MEGABYTE]]}}},
    {"settings": {"options": {"__proto__": "x"}}},
    {"settings": {"options": {MEGABYTE: "x"}}},
    {"settings": {"origins": [f"https://{MEGABYTE}"]}},
    {"settings": {"aliases": [MEGABYTE]}},
    {"settings": {"features": ["__proto__"]}},
]


@pytest.mark.parametrize("fields", TOO_MUCH, ids=range(len(TOO_MUCH)))
def test_what_is_far_too_long_or_unknown_is_refused_in_a_short_sentence(fields: dict[str, Any]) -> None:
    with pytest.raises(SourceError) as refused:
        check_form({"name": "Test", **fields})

    assert len(str(refused.value)) < 2000


@pytest.mark.parametrize("text", HOSTILE)
def test_the_snippet_writes_an_address_as_text(text: str) -> None:
    tag = snippet(web_source(), text, alias="web1", nonce=text)

    assert tag.count("<script") == tag.count("</script>") == 2
    assert tag.count(">") == snippet(web_source(), "x", alias="web1", nonce="x").count(">")


async def test_a_name_in_the_path_is_never_written_into_an_answer_as_it_came(running: Running) -> None:
    for name in ("%3Cscript%3E", "__proto__", "constructor", "a" * 64, "%7B%7B7*7%7D%7D"):
        answer = await running.public.get(f"/s/{name}.js")

        assert (answer.status, answer.headers["Cache-Control"]) == (404, "no-store")
        assert answer.headers["Content-Type"].startswith("application/json")
        assert name not in await answer.text()


def test_no_fragment_holds_what_only_the_settings_may_hold() -> None:
    """The place of the token is found in the file by its text."""
    assert all('"token"' not in fragment.code for fragment in build().fragments)
