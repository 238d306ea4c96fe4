"""``headwater consume`` and ``headwater group``: a consumer group for programs that are not Python."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.stream.conftest import open_stream, record
from tests.test_commands import headwater
from tools.make_docs import DOCS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.servers import Server


async def fill(server: Server, data: Path) -> str:
    async with open_stream(server, data) as stream:
        await stream.append([record(number) for number in range(3)])
    return "".join(record(number).data.decode() + "\n" for number in range(3))


async def test_events_are_printed_once_one_a_line(server: Server, tmp_path: Path) -> None:
    lines = await fill(server, tmp_path)
    arguments = ("consume", "--redis-url", server.url, "--group", "g", "--ndjson", "--count", "3")

    first = headwater(tmp_path, *arguments)
    await fill(server, tmp_path)
    listed = headwater(tmp_path, "group", "list", "--redis-url", server.url)

    assert (first.returncode, first.stdout) == (0, lines)
    assert listed.stdout.split()[-5:] == ["g", "0", "0", "0", "s"]


async def test_the_reader_in_the_docs_reads(server: Server, tmp_path: Path) -> None:
    lines = await fill(server, tmp_path)
    text = (DOCS / "reliability.md").read_text(encoding="utf-8")
    program = text.partition("```python\n")[2].partition("```")[0]

    read = _first_lines(program.replace("redis://127.0.0.1:6379", server.url), 3)

    assert [line.partition(" ")[2] for line in read] == lines.splitlines(keepends=True)


def _first_lines(program: str, count: int) -> list[str]:
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout
        lines = [reader.stdout.readline() for _ in range(count)]
        reader.kill()
    return lines


async def test_a_batch_is_done_when_the_program_says_so(server: Server, tmp_path: Path) -> None:
    lines = await fill(server, tmp_path)
    arguments = ("consume", "--redis-url", server.url, "--group", "g", "--count", "3", "--exec")

    failed = headwater(tmp_path, *arguments, "exit 7")
    unread = headwater(tmp_path, "group", "list", "--redis-url", server.url)
    done = headwater(tmp_path, *arguments[:4], "other", *arguments[5:], f"cat > {tmp_path}/out")

    assert failed.returncode == 1
    assert "ended with 7" in failed.stderr
    assert unread.stdout.split()[-4] == "0"
    assert unread.stdout.split()[-3] == "3"
    assert done.returncode == 0
    assert (tmp_path / "out").read_text() == lines


async def test_a_group_is_dropped_by_command(server: Server, tmp_path: Path) -> None:
    await fill(server, tmp_path)
    headwater(tmp_path, "consume", "--redis-url", server.url, "--group", "g", "--ndjson", "--count", "3")
    arguments = ("group", "drop", "--redis-url", server.url, "--yes", "g")

    dropped, again = headwater(tmp_path, *arguments), headwater(tmp_path, *arguments)

    assert (dropped.returncode, dropped.stdout) == (0, "Dropped g.\n")
    assert again.returncode == 1
    assert "No group of events is called 'g'." in again.stderr
