"""``make fuzz``: coverage-guided fuzzing of every target by atheris, each for a bounded time.

``python -m tests.hardening.fuzz [--seconds N] [--keep] [TARGET …]`` prints what was run; ``--keep`` writes it
to docs/security.md and a small corpus beside this file, which ``make test`` replays.
"""

from __future__ import annotations

import argparse
import base64
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import orjson

_KEPT = 30
_KEPT_BYTES = 1500
_LONGEST = 8192


def main() -> None:
    """Fuzz the named targets, all by default; the exit status tells whether nothing was found."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("targets", nargs="*")
    options.add_argument("--seconds", type=int, default=10)
    options.add_argument("--keep", action="store_true")
    options.add_argument("--one", nargs=2, metavar=("TARGET", "FOLDER"), help=argparse.SUPPRESS)
    asked, flags = options.parse_known_args()
    if asked.one:
        _fuzz(*asked.one, flags)
        return
    from tests.hardening.targets import TARGETS  # noqa: PLC0415 - the child imports it instrumented

    rows = [_run(name, asked.seconds, keep=asked.keep) for name in asked.targets or TARGETS]
    headings = ("target", "seconds", "executions", "findings")
    if asked.keep:
        from benchmarks.report import put  # noqa: PLC0415 - for this alone

        put("tests.hardening.fuzz", headings, rows, page="security.md")
    sys.exit(any(row[-1] != "0" for row in rows))


def _run(name: str, seconds: int, *, keep: bool) -> tuple[str, str, str, str]:
    from tests.hardening.targets import seeds  # noqa: PLC0415 - the child imports it instrumented

    with tempfile.TemporaryDirectory(prefix="headwater-fuzz-") as path:
        folder = Path(path)
        (folder / "corpus").mkdir()
        for number, seed in enumerate(seeds(name)):
            (folder / "corpus" / f"{number:04}").write_bytes(seed)
        told = _child(name, folder, f"-max_total_time={seconds}", "-print_final_stats=1")
        executed = re.search(r"stat::number_of_executed_units:\s+(\d+)", told.stderr)
        found = [file.read_bytes() for file in folder.glob("found-*")]
        for data in found:
            sys.stdout.write(f"{name}: {data!r}\n{told.stdout[-2000:]}{told.stderr[-1000:]}\n")
        if keep:
            _keep(name, folder, found)
    row = (name, str(seconds), f"{int(executed[1]):,}" if executed else "?", str(len(found)))
    sys.stdout.write(" ".join(row) + "\n")
    sys.stdout.flush()
    return row


def _child(name: str, folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.hardening.fuzz", "--one", name, str(folder), *flags]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)


def _keep(name: str, folder: Path, found: list[bytes]) -> None:
    """Keep what was found, and of the rest the inputs that add coverage, the small ones first."""
    (folder / "least").mkdir()
    _child(name, folder, "-merge=1")
    least = sorted(
        (file.read_bytes() for file in (folder / "least").iterdir()), key=lambda each: (len(each), each)
    )
    kept = [*found, *(each for each in least if len(each) <= _KEPT_BYTES)][:_KEPT]
    from tests.hardening.targets import CORPUS  # noqa: PLC0415 - the child imports it instrumented

    CORPUS.mkdir(exist_ok=True)
    written = [base64.b64encode(each).decode() for each in kept]
    (CORPUS / f"{name}.json").write_bytes(orjson.dumps(written, option=orjson.OPT_INDENT_2) + b"\n")


def _fuzz(name: str, folder: str, flags: list[str]) -> None:
    """Run libFuzzer in this process; it ends the process."""
    import atheris  # noqa: PLC0415 - a fuzzer of its own process

    with atheris.instrument_imports(include=["collector"]):
        from tests.hardening.targets import attempt  # noqa: PLC0415 - imported instrumented

    folders = [f"{folder}/least", f"{folder}/corpus"] if "-merge=1" in flags else [f"{folder}/corpus"]
    limits = [
        f"-max_len={_LONGEST}",
        "-timeout=10",
        "-rss_limit_mb=2048",
        f"-artifact_prefix={folder}/found-",
    ]
    atheris.Setup([sys.argv[0], *flags, *limits, *folders], lambda data: attempt(name, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
