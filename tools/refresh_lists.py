"""Write the lists of plain facts in collector/enrich/data from their sources.

    python -m tools.refresh_lists FOLDER

FOLDER holds checkouts of github.com/matomo-org/searchengine-and-social-list (CC0),
github.com/matomo-org/referrer-spam-list (public domain), and from PyPI the folders of ai-crawler-index (its
data: CC0) and tzdata (public domain). The date written into each list is the day of the refresh.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

_DATA = Path(__file__).parent.parent / "collector" / "enrich" / "data"
_REFERRERS = {"search": "SearchEngines.yml", "social": "Socials.yml", "ai": "AIAssistants.yml"}
_AI = ("ai-training", "ai-search", "user-fetch")
_LEAST_NAME = 5  # shorter names are words inside other words


def main(folder: Path) -> None:
    """Write every list."""
    _write("referrers.json", _referrers(folder / "searchengine-and-social-list"))
    _write("spammers.json", _spammers(folder / "referrer-spam-list"))
    _write("ai_crawlers.json", _ai_crawlers(folder / "ai_crawler_index"))
    _write("zones.json", _zones(folder / "tzdata" / "zoneinfo" / "zone.tab"))


def _referrers(folder: Path) -> dict[str, Any]:
    """Return host → [medium, name, parameters of the search term]; ``{}`` in a host is any country's end."""
    hosts: dict[str, list[Any]] = {}
    for medium, file in _REFERRERS.items():
        for name, rows in yaml.safe_load((folder / file).read_text(encoding="utf-8")).items():
            for row in rows:
                urls, params = (row["urls"], row.get("params", [])) if medium == "search" else ([row], [])
                words = [word for word in params if word.isidentifier()]
                hosts |= {_host(url): [medium, str(name), words] for url in urls if "/" not in url}
    return {"from": "github.com/matomo-org/searchengine-and-social-list (CC0)", "hosts": hosts}


def _host(url: str) -> str:
    return str(url).lower().removeprefix("www.")


def _spammers(folder: Path) -> dict[str, Any]:
    names = (folder / "spammers.txt").read_text(encoding="utf-8").split()
    return {"from": "github.com/matomo-org/referrer-spam-list (public domain)", "hosts": names}


def _ai_crawlers(folder: Path) -> dict[str, Any]:
    rows = json.loads((folder / "data.json").read_text(encoding="utf-8"))["crawlers"]
    names = {row["ua"] for row in rows if row["category"] in _AI}
    usable = sorted(name for name in names if len(name) >= _LEAST_NAME and "(" not in name)
    return {"from": "the package ai-crawler-index (data: CC0)", "names": usable}


def _zones(file: Path) -> dict[str, Any]:
    """Return time zone → country, for the zones of a single country."""
    rows = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    return {
        "from": "the package tzdata, zone.tab (public domain)",
        "countries": {r[2]: r[0] for r in rows},
    }


def _write(name: str, data: dict[str, Any]) -> None:
    """Write a list with one fact a line, so that a refresh shows what has changed."""
    dated = {"date": datetime.now(UTC).date().isoformat(), **data}
    lines = []
    for key, value in dated.items():
        if isinstance(value, str):
            text = _json(value)
        elif isinstance(value, dict):
            text = "{\n" + ",\n".join(f"{_json(host)}:{_json(row)}" for host, row in value.items()) + "}"
        else:
            text = "[\n" + ",\n".join(map(_json, value)) + "]"
        lines.append(f"{_json(key)}:{text}")
    (_DATA / name).write_text("{" + ",\n".join(lines) + "}\n", encoding="utf-8")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
