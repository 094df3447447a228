"""One Prefect server with a worker, and workspaces of the smoke profile, for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml

from tasks.workspace import new_workspace
from tests.e2e.conftest import dvc
from tests.e2e.prefect_server import Prefect

SMALL = {"scales": [4], "evaluate": {"bootstrap": 20}}


@pytest.fixture(scope="package")
def prefect(tmp_path_factory: pytest.TempPathFactory, tracking: str) -> Iterator[Prefect]:
    prefect = Prefect.up(tmp_path_factory.mktemp("prefect"), {"MLFLOW_TRACKING_URI": tracking})
    yield prefect
    prefect.down()


def small_workspace(folder: Path, changes: dict[str, Any]) -> Path:
    made = new_workspace(folder, "smoke", SMALL | changes)
    dvc(made, "cache", "dir", "--unset")
    return made


@pytest.fixture(scope="package")
def trained(prefect: Prefect, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, UUID]:
    """A workspace of the smoke profile and the run that trained it, asked for at the deployment."""
    folder = small_workspace(tmp_path_factory.mktemp("ws") / "seen", {"promote": {"min_plates_read": 0.5}})
    run_id = prefect.ask("train/train", workspace=str(folder), promote=True)
    run = prefect.wait(run_id)
    assert run.state is not None
    assert run.state.is_completed(), run.state.message
    return folder, run_id


def change(folder: Path, section: str, **values: object) -> None:
    file = folder / "params.yaml"
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    raw[section] |= values
    file.write_text(yaml.safe_dump(raw, allow_unicode=True, sort_keys=False), encoding="utf-8")
