"""The architecture is a test: a room imports only from rooms below it."""

from __future__ import annotations

import ast
import gc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "collector"

# Top to bottom; rooms on one line are neighbours and do not know each other, except by types.
LAYERS = [
    {"__main__"},
    {"cli"},
    {"doors"},
    {"app"},
    {"routes", "logs"},
    {"bridges", "console", "api", "health", "compare", "selftest"},
    {"production"},
    {"tracker", "checkup", "handler"},
    {"answer", "replay", "lean", "probe", "archives"},
    {"pipeline"},
    {"trial", "people", "render", "overload"},
    {"records"},
    {"sinks"},
    {"enrich", "stream", "sources", "stats", "access"},
    {"protocols"},  # below sources, whose settings name presets and templates
    {"store"},
    {"mails"},
    {"links", "connections", "limits"},
    {"metrics", "settings", "schema", "addresses"},
    {"model", "exchange", "assets", "ports", "recall", "tasks", "tls", "zstd", "__init__"},
    {"wording"},
]


@pytest.fixture(autouse=True)
def no_finalizers() -> Iterator[None]:
    """Parse undisturbed: in CPython 3.11 a finalizer that runs meanwhile makes ast miscount (gh-106905)."""
    gc.disable()
    yield
    gc.enable()


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def is_room(name: str) -> bool:
    return (PACKAGE / name).exists() or (PACKAGE / f"{name}.py").exists()


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for module in modules:
            if module == "collector" and isinstance(node, ast.ImportFrom):
                rooms |= {alias.name for alias in node.names if is_room(alias.name)}
            elif module.startswith("collector."):
                rooms.add(module.split(".")[1])
    return rooms


def test_every_room_has_its_place() -> None:
    rooms = {room_of(path) for path in PACKAGE.rglob("*.py")}

    assert rooms == set().union(*LAYERS)


def test_imports_point_downwards_only() -> None:
    level = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}
    upward = [
        f"{path.relative_to(ROOT)} imports {other}"
        for path in PACKAGE.rglob("*.py")
        for other in imported_rooms(path) - {room_of(path)}
        if level[other] <= level[room_of(path)]
    ]

    assert upward == []


def test_only_store_stream_sources_and_stats_speak_to_redis() -> None:
    """Health asks Redis how it is, the tracker outlives it; others go through a room that owns its keys."""
    speakers = {
        room_of(path)
        for path in PACKAGE.rglob("*.py")
        if any(line.startswith(("from redis", "import redis")) for line in path.read_text().splitlines())
    }

    assert speakers <= {"store", "stream", "sources", "health", "tracker", "stats"}


def test_only_the_stream_knows_which_engine_keeps_it() -> None:
    """What takes, understands and enriches events is the same for Redis and Kafka; doctor tells which."""
    knowing = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if {"collector.stream.kafka", "collector.stream.engine"} & imported_modules(path)
    }

    assert {each for each in knowing if not each.startswith("stream/")} == {"checkup.py"}


def imported_modules(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_the_model_needs_the_standard_library_only() -> None:
    imports = {
        (node.module or "").split(".")[0]
        for node in ast.walk(ast.parse((PACKAGE / "model.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
    }

    assert imports <= {"__future__", "collections", "dataclasses", "enum", "typing"}
