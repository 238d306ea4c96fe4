"""The units of systemd: systemd itself finds no fault in them, and rates their sandbox well."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import click
import pytest

from collector.cli import cli

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
PROGRAM = "/opt/headwater/bin/headwater"
SANDBOX = ("NoNewPrivileges=yes", "ProtectSystem=strict", "DynamicUser=yes", "CapabilityBoundingSet=\n")
NAMES = ("headwater.service", "headwater-worker@queues.service", "headwater-sink@lake.service")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of units as on a machine that has them, with a program that exists."""
    shutil.copytree(UNITS, tmp_path / "units")
    for unit in (tmp_path / "units").glob("*.service"):
        unit.write_text(unit.read_text().replace(PROGRAM, "/bin/true"))
        if "@" in unit.name:
            instance = next(name for name in NAMES if name.startswith(unit.stem))
            shutil.copy(unit, tmp_path / "units" / instance)
    return tmp_path / "units"


def analyze(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments],
        env={"SYSTEMD_UNIT_PATH": f"{root}:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("name", NAMES)
def test_systemd_finds_no_fault_in_a_unit(root: Path, name: str) -> None:
    seen = analyze(root, "verify", "--man=no", str(root / name))

    assert (seen.returncode, "headwater" in seen.stderr) == (0, False), seen.stderr


@pytest.mark.parametrize("name", NAMES)
def test_the_sandbox_of_a_unit_is_rated_well(root: Path, name: str) -> None:
    """The rules for workers and sinks stand in a drop-in that is read for every name that begins so."""
    whole = (root / name).read_text()
    if "@" in name:
        whole += (root / "headwater-.service.d" / "sandbox.conf").read_text().replace("[Service]", "")
        head, _, tail = whole.partition("[Install]")
        whole = head + tail.partition("WantedBy=multi-user.target")[2]
        (root / name).write_text(whole)

    seen = analyze(root, "security", "--offline=true", "--threshold=30", str(root / name))

    assert seen.returncode == 0, seen.stdout + seen.stderr
    assert [option for option in SANDBOX if option not in whole] == []


def test_workers_and_sinks_have_the_sandbox_of_the_collector() -> None:
    def rules(text: str) -> list[str]:
        return text[text.index("NoNewPrivileges") :].partition("\n\n[")[0].strip().splitlines()

    own = (UNITS / "headwater.service").read_text()
    shared = (UNITS / "headwater-.service.d" / "sandbox.conf").read_text()

    assert rules(own) == rules(shared)


def test_the_commands_of_the_units_exist() -> None:
    context = click.Context(cli)
    for unit in UNITS.glob("*.service"):
        line = next(line for line in unit.read_text().splitlines() if line.startswith("ExecStart="))
        word = line.removeprefix(f"ExecStart={PROGRAM} ").split()[0]

        assert word in cli.list_commands(context)
    workers = cli.get_command(context, "worker")
    assert isinstance(workers, click.Group)
    assert {"queues", "classify"} <= workers.commands.keys()
