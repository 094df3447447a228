"""A workspace of the smoke profile in a folder of its own, with the real DVC and the real MLflow store."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasks.workspace import new_workspace

Dvc = Callable[..., str]


@pytest.fixture(scope="session")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A tracking store that only the tests use."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"
    before = os.environ.get("MLFLOW_TRACKING_URI")
    os.environ["MLFLOW_TRACKING_URI"] = uri
    yield uri
    os.environ.pop("MLFLOW_TRACKING_URI")
    if before is not None:
        os.environ["MLFLOW_TRACKING_URI"] = before


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory, tracking: str) -> Path:
    """A git repository with one workspace of the smoke profile, after a first `dvc repro`."""
    root = tmp_path_factory.mktemp("repository")
    git(root, "init", "--quiet")
    workspace = new_workspace(root / "smoke", "smoke", {"evaluate": {"bootstrap": 20}})
    dvc(workspace, "cache", "dir", "--unset")
    dvc(workspace, "repro")
    git(root, "add", ".")
    git(root, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "smoke")
    return workspace


def dvc(workspace: Path, *arguments: str) -> str:
    """Run DVC as a user would and return what it printed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=workspace,
        env=environment | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)
