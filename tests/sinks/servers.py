"""Real databases to write to and to torment: started on a free port, killed, started again."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import asyncpg
from pyarrow.fs import S3FileSystem

from tests.faults.servers import free_port

PASSWORD = "rightsecret"  # noqa: S105 - of a test
_START_SECONDS = 30


class Postgres:
    """A Postgres in a temporary folder, run by Debian's user for it when root runs the tests."""

    def __init__(self) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="headwater-postgres-"))
        self._who: dict[str, Any] = {}
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self._folder, user.pw_uid, user.pw_gid)
            self._who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._process: subprocess.Popen[bytes] | None = None
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        options = ("-U", "headwater", "-A", "scram-sha-256", "--pwfile", str(secret), "--no-sync")
        self._run("initdb", "-D", self._data, "-E", "UTF8", *options, wait=True)

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def address(self, database: str) -> str:
        """Return where a database is, without the password."""
        return f"postgresql://headwater@127.0.0.1:{self.port}/{database}"

    async def connect(self, database: str = "postgres") -> Any:
        return await asyncpg.connect(self.address(database), password=PASSWORD)

    async def fresh(self, name: str) -> str:
        """Make an empty database and return its address."""
        connection = await self.connect()
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        return self.address(name)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = ("-p", str(self.port), "-h", "127.0.0.1", "-k", str(self._folder), "-c", "fsync=off")
        self._process = self._run("postgres", "-D", self._data, *options)
        end = time.monotonic() + _START_SECONDS
        while self._run("pg_isready", "-h", "127.0.0.1", "-p", str(self.port)).wait():
            assert time.monotonic() < end, "Postgres did not start"
            time.sleep(0.05)

    def kill(self) -> None:
        """End it at once, with all of its processes."""
        if self._process:
            self._run("pg_ctl", "-D", self._data, "stop", "-m", "immediate", wait=True)
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End it for good."""
        self.kill()
        shutil.rmtree(self._folder)

    def _run(self, program: str, *arguments: str, wait: bool = False) -> subprocess.Popen[bytes]:
        debian = sorted(str(path) for path in Path("/usr/lib/postgresql").glob("*/bin"))
        path = os.pathsep.join([os.environ["PATH"], *debian])
        process = subprocess.Popen(
            [shutil.which(program, path=path) or program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            env={"PATH": path, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            **self._who,
        )
        if wait:
            assert process.wait() == 0, f"{program} failed"
        return process


class ClickHouse:
    """ClickHouse's engine behind HTTP, in a process and a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        command = [sys.executable, "-m", "tests.sinks.chdb_server", str(self.port), str(self._folder)]
        self._process = subprocess.Popen(command)
        end = time.monotonic() + _START_SECONDS
        while not _listens(self.port):
            assert time.monotonic() < end, "ClickHouse did not start"
            time.sleep(0.05)

    def ask(self, statement: str) -> str:
        """Return what a statement answers, as text with tabs."""
        request = urllib.request.Request(self.url, statement.encode(), {"X-ClickHouse-Key": PASSWORD})  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own
            return str(answer.read().decode())

    def kill(self) -> None:
        """End it as a crash does."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Store:
    """An S3 that speaks HTTP (moto), with a bucket ``lake``; it forgets all when it is killed."""

    options = {"access_key": "key", "secret_key": PASSWORD, "region": "eu-central-1"}  # noqa: RUF012 - of a test

    def __init__(self, *, locked: bool = False) -> None:
        self._locked = locked  # after the bucket is made nobody is let in
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, wait until it listens, and make the bucket."""
        command = [sys.executable, "-m", "moto.server", "-p", str(self.port)]
        free = {"INITIAL_NO_AUTH_ACTION_COUNT": "2"} if self._locked else {}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(command, env={**os.environ, **free}, **quiet)  # type: ignore[call-overload]
        end = time.monotonic() + _START_SECONDS
        while not _listens(self.port):
            assert time.monotonic() < end, "the store did not start"
            time.sleep(0.05)
        self.system().create_dir("lake")

    def system(self) -> Any:
        """Return it as pyarrow sees it."""
        place = {"endpoint_override": f"127.0.0.1:{self.port}", "scheme": "http"}
        return S3FileSystem(allow_bucket_creation=True, **self.options, **place)

    def kill(self) -> None:
        """End it as a crash does."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
