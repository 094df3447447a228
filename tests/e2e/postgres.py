"""A PostgreSQL server of the distribution's packages, with a database of its own, for as long as a test runs."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.prefect_server import free_port

_USER = "nobody"  # PostgreSQL refuses to run as root


def _binaries() -> Path | None:
    """Where Debian and others put them, which is not on the path."""
    found = [Path(found)] if (found := shutil.which("pg_ctl")) else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    return next((path.parent for path in found if (path.parent / "initdb").exists()), None)


BINARIES = _binaries()
needs_postgres = pytest.mark.skipif(
    BINARIES is None or (os.geteuid() == 0 and shutil.which("runuser") is None),
    reason="no PostgreSQL is installed, or this is root and there is no runuser",
)


@contextmanager
def running_postgres() -> Iterator[str]:
    """The address of an empty database."""
    assert BINARIES is not None
    folder = Path(tempfile.mkdtemp(prefix="acl-postgres-", dir="/tmp"))  # pytest's own folders are closed to others
    if os.geteuid() == 0:
        shutil.chown(folder, _USER)
    port = free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    try:
        _run("initdb", "-D", f"{folder}/data", "-U", "prefect", "--auth=trust", "--no-sync")
        _run("pg_ctl", "-D", f"{folder}/data", "-l", f"{folder}/log", "-o", options, "-w", "start")
        try:
            yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/postgres"
        finally:
            _run("pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


def _run(program: str, *arguments: str) -> None:
    assert BINARIES is not None
    command = [str(BINARIES / program), *arguments]
    if os.geteuid() == 0:
        command = ["runuser", "-u", _USER, "--", *command]
    # Not captured by a pipe: the server that pg_ctl leaves behind would hold it open.
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(command, cwd="/tmp", stdout=said, stderr=said, check=False)
        said.seek(0)
        assert done.returncode == 0, said.read()
