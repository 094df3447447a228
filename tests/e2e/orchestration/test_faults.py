"""What goes wrong on a night without an operator: a real server, a real worker, real kills."""

import shutil
from pathlib import Path
from uuid import UUID

import pytest

from tests.arrivals import arrive
from tests.e2e.conftest import dvc, end_group, running_mlflow
from tests.e2e.orchestration.conftest import change, small_workspace
from tests.e2e.prefect_server import Prefect, free_port
from tests.e2e.waiting import processes_in, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

USER = "somebody:their-password"
HOURS = {"pretrain_sr": {"epochs": 100000}, "sr": {"blocks": 4, "channels": 32}}


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose first training takes hours; all before it is done."""
    folder = small_workspace(tmp_path_factory.mktemp("long") / "long", HOURS)
    dvc(folder, "repro", "degrade@4")
    return folder


def train_until_checkpoint(prefect: Prefect, folder: Path) -> UUID:
    run_id = prefect.ask("train/train", workspace=str(folder))
    wait_until("a training with a checkpoint", lambda: "epoch" in prefect.log(run_id) and checkpoints(folder))
    return run_id


def checkpoints(folder: Path) -> list[Path]:
    return list(folder.glob("runs/pretrain_sr@4/*/last.pt"))


def goes_on(prefect: Prefect, run_id: UUID) -> bool:
    return "pretrain_sr@4 goes on after" in prefect.log(run_id)


def end(prefect: Prefect, run_id: UUID, folder: Path) -> None:
    own = set(processes_in(folder))
    assert own
    prefect.cancel(run_id)
    prefect.wait(run_id)
    assert prefect.state(run_id) == "Cancelled"
    wait_until("the training to end", lambda: not own & set(processes_in(folder)), 30)


def test_cancel_ends_every_child_and_the_run_that_waited_goes_on(prefect: Prefect, long: Path) -> None:
    first = train_until_checkpoint(prefect, long)
    second = prefect.ask("train/train", workspace=str(long))
    wait_until("the second to be held back", lambda: prefect.state(second) == "Late")
    assert not prefect.tasks(second)
    end(prefect, first, long)
    wait_until("the second to take up the checkpoint", lambda: goes_on(prefect, second))
    assert prefect.tasks(second)["degrade@4"].state_name == "Up to date"
    end(prefect, second, long)
    assert "up to date" in dvc(long, "status", "plates")  # the lock is free


def test_a_run_ends_with_its_worker_and_another_worker_takes_the_next(prefect: Prefect, long: Path) -> None:
    lost = train_until_checkpoint(prefect, long)
    assert goes_on(prefect, lost)
    prefect.lose_worker()  # alone: nothing below it is killed by us
    wait_until("the training to end", lambda: not processes_in(long), 30)
    assert "up to date" in dvc(long, "status", "plates")  # the lock is free
    prefect.start_worker()
    following = prefect.ask("train/train", workspace=str(long))
    run = prefect.wait(lost)
    assert run.state is not None
    assert run.state.is_crashed() or run.state.is_failed(), run.state  # as far as it came before its worker was missed
    wait_until("the checkpoint to be taken up", lambda: goes_on(prefect, following))
    end(prefect, following, long)


def test_a_training_outlives_its_servers(prefect: Prefect, trained: tuple[Path, UUID], tmp_path: Path) -> None:
    folder = trained[0]
    change(folder, "phase2", epochs=20)  # and with it the control's, which finds no MLflow when it starts
    with running_mlflow(tmp_path) as (address, mlflow):
        given = {"MLFLOW_TRACKING_URI": address.replace("//", f"//{USER}@")}
        run_id = prefect.ask("train/train", given, workspace=str(folder))
        wait_until("Phase 2 to train", lambda: "phase2@4 epoch" in prefect.log(run_id), 120)
        end_group(mlflow)
        prefect.restart_server(down_s=10)
    run = prefect.wait(run_id)
    assert run.state is not None
    assert run.state.is_completed(), run.state.message
    tasks = prefect.tasks(run_id)
    assert {tasks[name].state_name for name in ("phase2@4", "bicubic_phase2@4", "evaluate@4")} == {"Completed"}
    said = prefect.log(run_id)
    assert " phase2@4 ERROR MLflow" in said  # away in the middle of a stage
    assert " bicubic_phase2@4 ERROR MLflow" in said  # and at the start of the next
    kept = (folder / "dvc.lock").read_text(encoding="utf-8")
    assert [secret for secret in USER.split(":") if secret in said + kept + str(prefect.artifacts(run_id))] == []


def test_a_bad_set_is_not_tried_again(prefect: Prefect, tmp_path: Path) -> None:
    narrow = {"max_width_px": 60, "synthetic": {"width_px": [100, 120]}}
    run_id = prefect.ask("train/train", workspace=str(small_workspace(tmp_path / "broken", {"plates": narrow})))
    run = prefect.wait(run_id)
    assert run.state is not None
    assert run.state.is_failed()
    plates = prefect.tasks(run_id)["plates"]
    assert plates.run_count == 1
    assert plates.state is not None
    assert "leaves no width up to max_width_px 60" in str(plates.state.message)


def test_a_remote_that_is_away_costs_nothing_that_was_trained(
    prefect: Prefect, trained: tuple[Path, UUID], tmp_path: Path
) -> None:
    folder, store = trained[0], tmp_path / "store"
    dvc(folder, "remote", "add", "--force", "--default", "store", "s3://nowhere/dvc")
    dvc(folder, "remote", "modify", "store", "endpointurl", f"http://127.0.0.1:{free_port()}")
    keys = {"AWS_ACCESS_KEY_ID": "a-key", "AWS_SECRET_ACCESS_KEY": "a-secret"}
    change(folder, "evaluate", bootstrap=22)
    run_id = prefect.ask("train/train", keys, workspace=str(folder))
    run = prefect.wait(run_id)
    tasks = prefect.tasks(run_id)
    assert tasks["evaluate@4"].state_name == "Completed"
    assert run.state is not None
    assert "dvc push failed" in str(run.state.message)

    dvc(folder, "remote", "add", "--force", "--default", "store", str(store))  # it is back
    following = prefect.ask("train/train", workspace=str(folder))
    assert prefect.wait(following).state_name == "Completed"
    assert prefect.tasks(following)["evaluate@4"].state_name == "Up to date"
    assert list(store.rglob("*.dir"))
    dvc(folder, "remote", "remove", "store")


def test_plates_that_nobody_pushed_are_named(prefect: Prefect, tmp_path: Path) -> None:
    folder = small_workspace(tmp_path / "unpushed", {"plates": {"source": "raw", "format": "yolo"}})
    arrive(folder / "raw", 0, 3)
    dvc(folder, "add", "--quiet", "raw")
    dvc(folder, "remote", "add", "--default", "store", str(tmp_path / "store"))
    for lost in ("raw", ".dvc/cache"):
        shutil.rmtree(folder / lost)
    run = prefect.wait(prefect.ask("retrain/retrain", workspace=str(folder)))
    assert run.state is not None
    assert run.state.is_failed()
    assert "dvc pull failed" in str(run.state.message)
    assert "raw" in str(run.state.message)
