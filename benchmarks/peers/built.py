"""What a page loads of each tracker: its file, the script that starts it, and what the file weighs."""

from __future__ import annotations

import gzip
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import brotli

from benchmarks.peers.trackers import OURS, PEERS, Tracker
from collector import __version__
from collector.model import Source
from collector.sources.settings import WebSettings
from collector.tracker import render

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE = Path(__file__).parent
# What a bundle loads only when it is asked for, such as session replay, is not part of what a page loads.
_LATER = ("rrweb", "@rrweb/record", "./replay-*")
_OURS = (
    '(n=>{let h=window[n]=(...a)=>new Promise(r=>h.q.push([Date.now(),a,r]));h.q=[]})("headwater");'
    "window.send = (name, properties) => { headwater('track', name, properties) }"
)


@dataclass(frozen=True, slots=True)
class Built:
    """A tracker ready to be loaded: ``how`` says where its file comes from."""

    name: str
    version: str
    how: str
    path: str
    code: bytes
    before: str
    after: str
    view: tuple[str, str | int]
    answers: Mapping[str, tuple[int, object]]

    @property
    def bytes(self) -> tuple[int, int, int]:
        """Bytes of the file: raw, gzip -9, brotli 11."""
        return len(self.code), len(gzip.compress(self.code, 9, mtime=0)), len(brotli.compress(self.code))


def install() -> None:
    """Install the packages that the lock file pins, without running anything of theirs."""
    lock, done = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    if done.exists() and done.stat().st_mtime >= lock.stat().st_mtime:
        return
    # Not `npm ci`: it asks for optional packages of other systems, which not every registry has.
    command = [
        "npm",
        "install",
        "--no-save",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--loglevel=error",
    ]
    subprocess.run(command, cwd=HERE, check=True)
    done.touch()


def ours(preset: str) -> Built:
    """Return our tracker as the collector serves it."""
    code = render(Source(id="site", name="site", bridge="web", settings=WebSettings(preset=preset))).body
    answers = {"/": (204, "")}
    return Built(
        f"Headwater {preset}",
        __version__,
        "served",
        "/s/site.js",
        code,
        _OURS,
        "",
        ("type", "page"),
        answers,
    )


def peers() -> Iterator[Built]:
    """Yield every peer, from the installed packages."""
    for peer in PEERS:
        package = HERE / "node_modules" / peer.package
        version = json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
        entry = (HERE / "entries" / peer.entry).read_text(encoding="utf-8")
        if peer.file:
            code, how, after = (package / peer.file).read_bytes(), peer.file, entry
        else:
            code, how, after = _bundled(peer), "bundled", ""
        yield Built(peer.name, version, how, "/tracker.js", code, peer.before, after, peer.view, peer.answers)


def everyone() -> list[Built]:
    """Return ours and the peers, as the table has them: ours first, then by weight."""
    return [*map(ours, OURS), *sorted(peers(), key=lambda peer: peer.bytes[2])]


def _bundled(peer: Tracker) -> bytes:
    esbuild = HERE / "node_modules" / ".bin" / "esbuild"
    command = [esbuild, f"entries/{peer.entry}", "--bundle", "--minify", "--format=iife", "--log-level=error"]
    command += [f"--external:{part}" for part in _LATER]
    return subprocess.run(command, cwd=HERE, check=True, capture_output=True).stdout
