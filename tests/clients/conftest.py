"""The clients under test: their npm packages, installed once as the lock file says, and where they run."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import async_playwright

from tests.browser.process import ARGUMENTS, find_chromium
from tests.clients.island import Island, can_be_made, island

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from playwright.async_api import Browser, Page

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder of the clients, with their packages installed."""
    lock = HERE / "package-lock.json"
    installed = HERE / "node_modules" / ".package-lock.json"
    with lock.open() as ours:
        fcntl.flock(ours, fcntl.LOCK_EX)  # several processes run the tests, and one of them installs
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            # Not `npm ci`: it asks for optional packages of other systems, which not every registry has.
            subprocess.run(
                ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"],
                cwd=HERE,
                check=True,
            )
    return HERE


@pytest.fixture(scope="session")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the Python clients that do not go with those of today, pinned by their hashes."""
    folder = tmp_path_factory.mktemp("apart")
    command = ("pip", "install", "--quiet", "--no-deps", "--require-hashes", "--target", folder)
    subprocess.run((sys.executable, "-m", *command, "-r", HERE / "apart.txt"), check=True)
    return folder


@pytest.fixture(scope="session")
def one_island(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Island]:
    """The island of this session; where none can be made, clients run beside the test."""
    folder = tmp_path_factory.mktemp("island")
    if not can_be_made():
        yield Island(folder / "asked")
        return
    with island(folder) as made:
        yield made


@pytest.fixture
def place(one_island: Island) -> Island:
    """Where this test's clients run, with nobody asked for so far."""
    one_island.resolved.clear()
    one_island.log.unlink(missing_ok=True)
    return one_island


@asynccontextmanager
async def chromium_on(place: Island, folder: Path, *arguments: str) -> AsyncIterator[Browser]:
    """Yield a Chromium on the island."""
    program = folder / "chromium"
    program.write_text(f'#!/bin/sh\nexec {" ".join(place.enter)} {find_chromium()} "$@"\n')
    program.chmod(0o700)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS, *arguments])
        yield chromium
        await chromium.close()


@pytest.fixture
async def page(place: Island, tmp_path: Path) -> AsyncIterator[Page]:
    """An empty page of a Chromium on the island, which resolves no name anywhere."""
    alone = f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {place.address}"
    async with chromium_on(place, tmp_path, alone) as chromium:
        yield await chromium.new_page(locale="de-CH")
