"""Raw plates and what stages made, in a remote: pushed, lost here and pulled, by the commands of DATA-VERSIONS.md."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.e2e.conftest import dvc, git
from tests.unit.sources.importing import picture

pytestmark = pytest.mark.e2e

KEY_ID, SECRET = "an-access-key", "a-secret-that-stays-here"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A DVC repository in a git repository, with plates and with what a stage made of them."""
    root = tmp_path / "mine"
    root.mkdir()
    git(tmp_path, "init", "--quiet")
    dvc(root, "init", "--quiet", "--subdir")
    for name in ("a 1", "가"):
        picture(root / "raw" / "images" / f"{name}.png")
    stage = "stages:\n  plates:\n    cmd: cp -r raw data\n    deps: [raw]\n    outs: [data]\n"
    (root / "dvc.yaml").write_text(stage, encoding="utf-8")
    dvc(root, "add", "--quiet", "raw")
    dvc(root, "repro", "--quiet")
    return root


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an S3 server on this machine, with a bucket."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    running = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    address = f"http://{host}:{port}"
    keys = {"aws_access_key_id": KEY_ID, "aws_secret_access_key": SECRET, "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=address, **keys).create_bucket(Bucket="plates")
    yield address
    running.stop()


def contents(folder: Path) -> dict[str, str]:
    files = (p for name in ("raw", "data") for p in (folder / name).rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def push_lose_and_pull(folder: Path) -> None:
    before = contents(folder)
    assert len(before) == 4
    dvc(folder, "push")
    for lost in ("raw", "data", ".dvc/cache"):
        shutil.rmtree(folder / lost)
    dvc(folder, "pull")
    assert contents(folder) == before


def test_an_s3_server_and_no_credentials_in_what_git_sees(folder: Path, server: str) -> None:
    dvc(folder, "remote", "add", "--default", "store", "s3://plates/mine")
    dvc(folder, "remote", "modify", "store", "endpointurl", server)
    dvc(folder, "remote", "modify", "--local", "store", "access_key_id", KEY_ID)
    dvc(folder, "remote", "modify", "--local", "store", "secret_access_key", SECRET)
    push_lose_and_pull(folder)
    git(folder, "add", "--all")
    seen = [p for p in (folder / ".dvc").glob("config*") if SECRET in p.read_text(encoding="utf-8")]
    assert [p.name for p in seen] == ["config.local"]
    assert "config.local" in (folder / ".dvc/.gitignore").read_text(encoding="utf-8")


def test_a_folder(folder: Path, tmp_path: Path) -> None:
    dvc(folder, "remote", "add", "--default", "store", str(tmp_path / "elsewhere"))
    push_lose_and_pull(folder)
