"""Write the pages of docs/ that are made from the code: settings, reasons, metrics, routes and commands.

``python -m tools.make_docs`` writes them; a test calls ``pages`` and compares.
"""

from __future__ import annotations

from pathlib import Path

import click
import orjson
from prometheus_client.metrics import MetricWrapperBase

from collector import metrics
from collector.access import SCOPES
from collector.api import OPERATIONS, document
from collector.api.errors import CODES
from collector.cli import cli
from collector.model import Reason
from collector.settings import PREFIX, Settings
from collector.sources.base import StrictModel
from collector.sources.enrichment import EnrichmentSettings
from collector.sources.form import SourceForm
from collector.sources.privacy import PrivacySettings
from collector.sources.settings import SETTINGS
from tools.public_api import public_document

DOCS = Path(__file__).parent.parent / "docs"
_MADE = "<!-- Made by `make docs` from the code; change it there. -->\n\n"


def pages() -> dict[str, str]:
    """Return each made page's text by its file name."""
    return {
        "settings.md": _MADE + _settings(),
        "sources.md": _MADE + _sources(),
        "reasons.md": _MADE + _reasons(),
        "metrics.md": _MADE + _metrics(),
        "commands.md": _MADE + _commands(),
        "api.md": _MADE + _api(),
        "public.openapi.json": orjson.dumps(public_document(), option=orjson.OPT_INDENT_2).decode() + "\n",
    }


def _settings() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        default = "`~/.local/share/headwater`" if name == "data" else f"`{field.default!r}`"
        rows.append([f"`{name}`", f"`{PREFIX}{name.upper()}`", default, field.description or ""])
    return (
        "# Settings\n\n"
        "Every option has a name for the TOML file and an environment variable; `serve` takes the common\n"
        "ones as flags too. A flag wins over the environment, the environment over the file. Name the file\n"
        f"with `--config FILE` or `{PREFIX}CONFIG`. An unknown option or a bad value stops the start with\n"
        "one line.\n\n" + _table(["option", "environment", "default", "meaning"], rows)
    )


def _sources() -> str:
    parts = [
        "# Sources\n\nThe fields of a source, as `headwater source add|set` and the catalogue take them.\n\n",
        _fields(SourceForm),
        "\n## `privacy`\n\n",
        _fields(PrivacySettings),
        "\n## `enrichment`\n\n",
        _fields(EnrichmentSettings),
    ]
    for bridge, model in SETTINGS.items():
        parts += [f"\n## `settings` of the bridge `{bridge}`\n\n", _fields(model)]
    return "".join(parts)


def _fields(model: type[StrictModel]) -> str:
    rows = []
    for name, field in model.model_fields.items():
        plain = field.default_factory is None and not field.is_required()
        shown = plain and not isinstance(field.default, StrictModel)
        rows.append([f"`{name}`", f"`{field.default!r}`" if shown else "", field.description or ""])
    return _table(["field", "default", "meaning"], rows)


def _reasons() -> str:
    rows = [[f"`{reason.code}`", str(reason.status), reason.help] for reason in Reason]
    return (
        "# Reasons\n\n"
        "A hit or an event that is not accepted has one of these reasons. It stands in the answer, in the\n"
        "header `X-Headwater-Reason`, in the metric `headwater_refusals_total` and in the stream of\n"
        "refusals.\n\n" + _table(["reason", "status", "meaning"], rows)
    )


def _metrics() -> str:
    found = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]
    rows = [
        [f"`{m._name}`", m._type, ", ".join(f"`{n}`" for n in m._labelnames), m._documentation]  # noqa: SLF001
        for m in found
    ]
    return (
        "# Metrics\n\n"
        "`/metrics` on the console listener, in Prometheus' text format, all workers together.\n\n"
        f"The first {metrics.MOST_SOURCES:,} sources that a worker meets have series of their own;"
        f" those beyond share the `source` `{metrics.OTHERS}`.\n\n"
        + _table(["metric", "type", "labels", "meaning"], rows)
    )


def _api() -> str:
    described = document(OPERATIONS)
    rows = []
    for operation in OPERATIONS:
        scope = f"`{operation.scope}`" if operation.scope else "any"
        rows.append([f"`{operation.method} {operation.path}`", scope, operation.summary])
    scopes = [[f"`{name}`", role.value, about] for name, (role, about) in SCOPES.items()]
    errors = [[str(status), f"`{code}`", about] for status, (code, about) in CODES.items()]
    return (
        "# Management API\n\n"
        f"{described['info']['description']}\n\n"
        "It stands under `/api/v1` of the console's address; `/api/v1/openapi.json` describes it in\n"
        "OpenAPI 3.1, for clients to be made from.\n\n"
        "```sh\n"
        "TOKEN=$(headwater token add nightly --scope sources:read --scope sources:write)\n"
        'curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8081/api/v1/sources\n'
        "```\n\n"
        "A source carries an ETag. Send it as `If-Match` with a change, and the change is refused with 412\n"
        "when someone else's came first; `PUT` insists on it. Lists have `limit` and `cursor`, and name the\n"
        "`next` cursor until the last page. Secrets of sources are masked; a mask that is sent back keeps\n"
        "the secret. Keys are made and ended by operations of their own: `settings.keys` is ignored\n"
        "when a source is written.\n\n"
        "Bodies are JSON of at most `server_body_bytes` bytes that arrive within `body_seconds`, nested at\n"
        "most 64 deep; a token or account has `api_per_minute` calls a minute.\n\n"
        + _table(["operation", "scope", "meaning"], rows)
        + "\n## Scopes\n\nA role has the scopes of the roles before it: viewer, editor, admin.\n\n"
        + _table(["scope", "least role", "meaning"], scopes)
        + '\n## Errors\n\n`{"code", "message", "faults": [{"where", "message"}]}`, always.\n'
        + "`faults` names each field that was wrong, by its path and with a sentence, up to 100.\n\n"
        + _table(["status", "code", "meaning"], errors)
    )


def _commands() -> str:
    parts = ["# Commands\n\n"]
    for name, command in _walk("headwater", cli):
        with click.Context(command, info_name=name) as context:
            parts.append(f"## `{name}`\n\n```\n{command.get_help(context)}\n```\n\n")
    return "".join(parts).rstrip() + "\n"


def _walk(name: str, command: click.Command) -> list[tuple[str, click.Command]]:
    found = [(name, command)]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for word in sorted(command.list_commands(context)):
            if below := command.get_command(context, word):
                found += _walk(f"{name} {word}", below)
    return found


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
