"""What an operator does, and what goes wrong on a night without one: the real server, a real worker, real kills."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tasks.processes import end_group
from tasks.workspace import new_workspace
from tests.e2e.browser import browse, needs_browser
from tests.e2e.conftest import dvc
from tests.e2e.prefect_server import Prefect, wait_until
from tests.e2e.test_kill import processes_in

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SMALL = {"scales": [4], "evaluate": {"bootstrap": 20}}


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory, tracking: str) -> Iterator[Prefect]:
    prefect = Prefect.up(tmp_path_factory.mktemp("prefect"), tracking)
    yield prefect
    prefect.down()


@pytest.fixture
def long(tmp_path: Path) -> Path:
    """A workspace whose first training takes hours."""
    return workspace(tmp_path / "long", {"pretrain_sr": {"epochs": 100000}})


def workspace(folder: Path, changes: dict[str, Any]) -> Path:
    made = new_workspace(folder, "smoke", SMALL | changes)
    dvc(made, "cache", "dir", "--unset")
    return made


def is_training(folder: Path) -> bool:
    return bool(list(folder.glob("runs/pretrain_sr@4/*/last.pt")))


@pytest.fixture(scope="module")
def trained(prefect: Prefect, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, UUID]:
    """A workspace of the smoke profile and the run that trained it, asked for at the deployment."""
    folder = workspace(tmp_path_factory.mktemp("ws") / "seen", {"promote": {"min_plates_read": 0.5}})
    run_id = prefect.ask("train/train", workspace=str(folder), promote=True)
    run = prefect.wait(run_id)
    assert run.state is not None
    assert run.state.is_completed(), run.state.message
    return folder, run_id


def test_a_deployment_runs_every_stage_and_asks_the_gate(prefect: Prefect, trained: tuple[Path, UUID]) -> None:
    tasks = prefect.tasks(trained[1])
    assert {"plates", "validate", "phase1@4", "evaluate@4", "report"} <= set(tasks)
    released = [task.state_name for name, task in tasks.items() if name.startswith("promote")]
    assert released == ["Held"]  # toy networks read nothing, and the floor says so


def test_a_nightly_run_with_nothing_new_is_green_and_short(prefect: Prefect, trained: tuple[Path, UUID]) -> None:
    run_id = prefect.ask("retrain/retrain", workspace=str(trained[0]))
    run = prefect.wait(run_id)
    assert prefect.state(run_id) == "Nothing new"
    assert run.total_run_time.total_seconds() < 30
    assert "phase1@4" not in prefect.tasks(run_id)


@needs_browser
def test_the_run_page_shows_stages_and_artifacts(
    prefect: Prefect, trained: tuple[Path, UUID], tmp_path_factory: pytest.TempPathFactory
) -> None:
    shots = Path(os.environ.get("SCREENSHOTS", tmp_path_factory.mktemp("screenshots")))
    n_tasks = len(prefect.tasks(trained[1]))
    for name, path, shown in (
        (
            "run",
            f"runs/flow-run/{trained[1]}",
            ["Completed", f"{n_tasks} Task runs"],
        ),  # the stages are drawn, not written
        ("artifacts", "artifacts", ["plan", "results", "promotion", "progress-phase1-4"]),
    ):
        shot = shots / f"{name}.png"
        address = f"http://127.0.0.1:{prefect.port}/{path}"
        page = browse(address, "--virtual-time-budget=20000", f"--screenshot={shot}", "--dump-dom")
        assert [text for text in shown if text not in page] == []
        assert shot.stat().st_size > 20_000


def test_cancel_ends_every_child_and_the_next_run_goes_on(prefect: Prefect, long: Path) -> None:
    run_id = prefect.ask("train/train", workspace=str(long))
    wait_until("the first checkpoint", lambda: is_training(long))
    prefect.cancel(run_id)
    prefect.wait(run_id)
    assert prefect.state(run_id) == "Cancelled"
    wait_until("the training to end", lambda: not processes_in(long), 30)
    assert "up to date" in dvc(long, "status", "plates")

    following = prefect.ask("train/train", workspace=str(long))
    wait_until("the checkpoint to be taken up", lambda: "goes on after" in prefect.log(following))
    assert prefect.tasks(following)["plates"].state_name == "Up to date"
    prefect.cancel(following)
    prefect.wait(following)


def test_two_runs_asked_for_at_once_run_one_after_the_other(prefect: Prefect, long: Path) -> None:
    first = prefect.ask("train/train", workspace=str(long))
    wait_until("the first to run", lambda: prefect.state(first) == "Running")
    second = prefect.ask("train/train", workspace=str(long))
    wait_until("the second to be refused its slot", lambda: prefect.state(second) == "AwaitingConcurrencySlot")
    assert not prefect.tasks(second)
    prefect.cancel(second)
    prefect.cancel(first)
    prefect.wait(first)


def test_a_training_outlives_a_restart_of_the_server(prefect: Prefect, tmp_path: Path) -> None:
    folder = workspace(tmp_path / "steady", {"pretrain_sr": {"epochs": 40}})
    run_id = prefect.ask("train/train", workspace=str(folder))
    wait_until("the first checkpoint", lambda: is_training(folder))
    prefect.restart_server()
    run = prefect.wait(run_id)
    assert run.state is not None
    assert run.state.is_completed(), run.state.message
    assert prefect.tasks(run_id)["pretrain_sr@4"].state_name == "Completed"


def test_a_bad_set_is_not_tried_again(prefect: Prefect, tmp_path: Path) -> None:
    narrow = {"max_width_px": 60, "synthetic": {"width_px": [100, 120]}}
    run_id = prefect.ask("train/train", workspace=str(workspace(tmp_path / "broken", {"plates": narrow})))
    run = prefect.wait(run_id)
    assert run.state is not None
    assert run.state.is_failed()
    plates = prefect.tasks(run_id)["plates"]
    assert plates.run_count == 1
    assert plates.state is not None
    assert "leaves no width up to max_width_px 60" in str(plates.state.message)


def test_a_lost_machine_is_noticed_and_another_worker_takes_the_next_run(prefect: Prefect, long: Path) -> None:
    run_id = prefect.ask("train/train", workspace=str(long))
    wait_until("the first checkpoint", lambda: is_training(long))
    for pid in [*processes_below(prefect.worker.pid), prefect.worker.pid]:
        os.kill(pid, signal.SIGKILL)
    end_group(prefect.worker)
    wait_until("the processes to be gone", lambda: not processes_in(long), 30)
    assert prefect.state(run_id) == "Running"
    prefect.start_worker()
    prefect.wait(run_id)
    assert prefect.state(run_id) == "Crashed"
    following = prefect.ask("train/train", workspace=str(long))
    wait_until("the checkpoint to be taken up", lambda: "goes on after" in prefect.log(following))
    prefect.cancel(following)
    prefect.wait(following)


def processes_below(pid: int) -> list[int]:
    """Children and their children, whatever session they are in."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text(encoding="utf-8").split():
            found += [*processes_below(int(child)), int(child)]
    return found
