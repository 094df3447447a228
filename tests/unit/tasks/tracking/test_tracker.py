"""The real MLflow store, and a store that cannot be reached for a while."""

import logging
import shutil
from concurrent.futures import ProcessPoolExecutor
from errno import ENOSPC
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
import torch
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INTERNAL_ERROR, INVALID_PARAMETER_VALUE, PERMISSION_DENIED, ErrorCode
from typer.testing import CliRunner

from acl_core.device import Compute
from acl_core.params import Rounds
from acl_core.train.checkpoint import Checkpoint
from acl_core.train.loop import Job
from acl_core.train.stopping import Stopped
from tasks import cli
from tasks.stages import rounds
from tasks.tracking import attach, open_tracker
from tasks.tracking.journal import FOLDER, REFUSED, Journal
from tasks.tracking.sender import Sender, is_refusal
from tasks.tracking.tracker import sync
from tests.plates import write_pairs
from tests.readers import save_pair, toy_params

PICTURE = np.zeros((4, 6, 3), np.uint8)
AWAY = "http://127.0.0.1:9"  # the port of "discard": nobody listens


def runs(store: Path) -> dict[str, Any]:
    """Runs by name."""
    client = MlflowClient(f"sqlite:///{store}/mlruns/mlflow.db")
    experiment = client.get_experiment_by_name("workspace")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id])
    assert len({run.info.run_name for run in found}) == len(found), [run.info.run_name for run in found]
    return {run.info.run_name: run for run in found}


def train(store: Path, stage: str = "phase1@4") -> None:
    with open_tracker(stage, store, {"phase1.alpha": 0.01}) as tracker:
        tracker.begin()
        tracker.metrics({"loss": 2.0}, 1)
        tracker.metrics({"loss": 1.0}, 2)
        tracker.picture("epoch-001", PICTURE)


def test_a_pipeline_run_has_a_run_below_it_for_each_stage_and_what_is_compared(store: Path) -> None:
    train(store)
    with open_tracker("evaluate@4", store, {}) as tracker:
        tracker.begin()
        tracker.metrics({"phase2.plates_read": 0.75}, 1)
    (Path("page.html")).write_text("page", encoding="utf-8")
    attach(store, Path("page.html"), metrics={"peak_mib.plates": 690.0})
    found = runs(store)
    assert set(found) == {"pipeline", "phase1@4", "evaluate@4"}
    parent, child = found["pipeline"], found["phase1@4"]
    assert {run.info.status for run in found.values()} == {"FINISHED"}
    assert {found[name].data.tags["mlflow.parentRunId"] for name in ("phase1@4", "evaluate@4")} == {parent.info.run_id}
    assert parent.data.params["phase1.alpha"] == "0.01"
    assert parent.data.params["common.seed"] == "1"
    assert parent.data.metrics == {"x4.phase2.plates_read": 0.75, "peak_mib.plates": 690.0}
    wanted = {"dvc.plates": "abc.dir", "plates.train": "12", "classes": "3", "profile": "cpu"}
    assert wanted.items() <= parent.data.tags.items()
    assert {"dvc.lock", "machine", "torch", "mlflow.source.git.commit"} <= set(child.data.tags)
    assert [given.dataset.digest for given in parent.inputs.dataset_inputs] == ["abc.dir"]
    client = MlflowClient(f"sqlite:///{store}/mlruns/mlflow.db")
    assert [point.value for point in client.get_metric_history(child.info.run_id, "loss")] == [2.0, 1.0]
    assert [file.path for file in client.list_artifacts(child.info.run_id, "pictures")] == ["pictures/epoch-001.png"]
    assert [file.path for file in client.list_artifacts(parent.info.run_id)] == ["page.html"]
    assert not Path("runs").exists()


def test_other_parameters_are_another_pipeline_run_and_a_page_alone_is_none(store: Path) -> None:
    attach(store, Path("params.yaml"), metrics={"peak_mib.plates": 690.0})
    client = MlflowClient(f"sqlite:///{store}/mlruns/mlflow.db")
    assert client.search_runs([e.experiment_id for e in client.search_experiments()]) == []
    train(store)
    text = Path("params.yaml").read_text(encoding="utf-8").replace("alpha: 0.01", "alpha: 0.1")
    Path("params.yaml").write_text(text, encoding="utf-8")
    train(store, "phase2@4")
    experiment = client.get_experiment_by_name("workspace")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id], "attributes.run_name = 'pipeline'")
    assert {run.data.params["phase1.alpha"] for run in found} == {"0.01", "0.1"}


@pytest.mark.parametrize("n", [1, 2])
def test_rounds_make_a_run_where_they_train_alone(store: Path, n: int) -> None:
    known = toy_params()
    write_pairs(Path("data/pairs"))
    save_pair(Path())
    phase1, phase2 = (phase.model_copy(update={"epochs": 1}) for phase in (known.phase1, known.phase2))
    with open_tracker("rounds@4", store, {"rounds.n": n}) as tracker:
        job = Job("rounds@4", Compute(torch.device("cpu"), bf16=False), tracker, Checkpoint(Path("points"), "key"))
        rounds.run(
            *(
                known.sr,
                known.recognizer,
                known.augment,
                known.reading,
                phase1,
                phase2,
                Rounds(n=n, joint_epochs=0),
                known.common,
            ),
            scale=4,
            pairs=Path("data/pairs"),
            from_sr=Path(),
            from_recognizer=Path(),
            out=Path("final"),
            curves=Path("rounds.csv"),
            job=job,
        )
    assert Path("final/sr.safetensors").is_file()
    client = MlflowClient(f"sqlite:///{store}/mlruns/mlflow.db")
    made = client.search_runs([e.experiment_id for e in client.search_experiments()])
    assert len(made) == (0 if n == 1 else 2)
    if made:
        assert {"loss_sr", "ssim", "plates_read"} <= set(runs(store)["rounds@4"].data.metrics)


def test_how_a_stage_ended_is_how_its_run_and_the_pipeline_end(store: Path) -> None:
    with pytest.raises(RuntimeError, match="broke"), open_tracker("phase1@4", store, {}):
        raise RuntimeError("broke")
    assert {name: run.info.status for name, run in runs(store).items()} == {"pipeline": "FAILED", "phase1@4": "FAILED"}
    with pytest.raises(Stopped), open_tracker("phase2@4", store, {}):
        raise Stopped("SIGTERM")
    found = runs(store)
    assert (found["pipeline"].info.status, found["phase2@4"].info.status) == ("KILLED", "KILLED")


def test_what_a_server_missed_is_kept_said_once_and_sent_by_the_next_stage(
    store: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", AWAY)
    with caplog.at_level(logging.ERROR):
        train(store)
    said = [record.getMessage() for record in caplog.records if "nothing is lost" in record.getMessage()]
    assert len(said) == 2  # at the first failure and at the end
    assert len(list(FOLDER.iterdir())) == 1
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    train(store, "phase2@4")
    found = runs(store)
    assert set(found) == {"pipeline", "phase1@4", "phase2@4"}
    assert found["phase1@4"].data.metrics["loss"] == 1.0
    assert found["phase1@4"].info.end_time < found["phase2@4"].info.start_time + 1
    assert not Path("runs").exists()


def test_a_server_that_leaves_in_the_middle_gets_the_rest_by_the_command_and_nothing_twice(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_tracker("phase1@4", store, {"phase1.alpha": 0.01}) as tracker:
        tracker.begin()
        tracker.metrics({"loss": 2.0}, 1)
        (store / "mlruns").rename(store / "elsewhere")
        (store / "mlruns").write_text("in the way", encoding="utf-8")
        tracker.metrics({"loss": 1.0}, 2)
        tracker.picture("epoch-002", PICTURE)
    assert len(list(FOLDER.iterdir())) == 1
    (store / "mlruns").unlink()
    (store / "elsewhere").rename(store / "mlruns")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store}/mlruns/mlflow.db")
    done = CliRunner().invoke(cli.app, ["track", "sync"])
    assert done.exit_code == 0, done.output
    assert "sent 1 journal" in done.output
    found = runs(store)
    client = MlflowClient(f"sqlite:///{store}/mlruns/mlflow.db")
    history = client.get_metric_history(found["phase1@4"].info.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(1, 2.0), (2, 1.0)]
    assert found["phase1@4"].info.status == "FINISHED"
    assert "sent 0 journals" in CliRunner().invoke(cli.app, ["track", "sync"]).output


def test_a_killed_process_leaves_a_run_that_ends_as_killed_and_a_living_one_is_left_alone(store: Path) -> None:
    train(store)
    pipeline = {"key": "k", "params": {}, "tags": {}, "dataset": {"name": "w", "digest": "d", "source": "s"}}
    pipeline["dataset"] |= {"plates": {}, "classes": 0}
    begin = {"stage": "phase2@4", "child": True, "experiment": "workspace", "tags": {}, "pipeline": pipeline}
    journal = Journal.begin("phase2@4", begin)
    journal.write({"do": "metrics", "values": {"loss": 3.0}, "epoch": 1})
    with (journal.folder / "events.jsonl").open("a", encoding="utf-8") as file:
        file.write('\n{"do": "met')  # cut short
    assert sync(Path(), store) == 0  # its process lives
    journal.release()
    assert sync(Path(), store) == 1
    client = MlflowClient(f"sqlite:///{store}/mlruns/mlflow.db")
    experiment = client.get_experiment_by_name("workspace")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id], "attributes.run_name = 'phase2@4'")
    assert (run.info.status, run.data.metrics["loss"]) == ("KILLED", 3.0)


def test_what_mlflow_refuses_is_set_aside_whole_and_holds_nothing_up(
    store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = MlflowClient(f"sqlite:///{store}/mlruns/mlflow.db")
    with open_tracker("phase1@4", store, {}) as tracker:
        tracker.begin()
        tracker.metrics({"loss": 2.0}, 1)
        deleted = runs(store)["phase1@4"].info.run_id
        client.delete_run(deleted)  # as the page of MLflow does
        tracker.metrics({"loss": 1.0}, 2)
        tracker.picture("epoch-002", PICTURE)
    (kept,) = FOLDER.iterdir()
    caplog.clear()
    train(store, "phase2@4")
    found = runs(store)
    assert (found["phase2@4"].info.status, found["phase2@4"].data.metrics["loss"]) == ("FINISHED", 1.0)
    assert not FOLDER.exists()
    (said,) = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
    assert f"kept in {REFUSED / kept.name}" in said
    assert "must be in the 'active' state" in said

    client.restore_run(deleted)
    FOLDER.mkdir()
    shutil.move(REFUSED / kept.name, FOLDER)
    assert sync(Path(), store) == 1
    assert [point.value for point in client.get_metric_history(deleted, "loss")] == [2.0, 1.0]
    assert [file.path for file in client.list_artifacts(deleted, "pictures")] == ["pictures/epoch-002.png"]


def test_a_journal_that_fails_waits_and_those_behind_it_are_sent(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", AWAY)
    for stage in ("phase1@4", "phase2@4", "evaluate@4"):
        train(store, stage)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    send = Sender.send

    def fails(sender: Sender, journal: Journal) -> None:
        if "phase1@4" in journal.folder.name:
            raise MlflowException("an answer that is no refusal")
        send(sender, journal)

    monkeypatch.setattr(Sender, "send", fails)
    with pytest.raises(MlflowException, match="no refusal"):
        sync(Path(), store)
    assert set(runs(store)) == {"pipeline", "phase2@4", "evaluate@4"}
    assert ["phase1@4" in path.name for path in FOLDER.iterdir()] == [True]
    monkeypatch.setattr(Sender, "send", send)
    assert sync(Path(), store) == 1
    assert "phase1@4" in runs(store)


def test_a_server_that_is_away_is_asked_about_one_journal_alone(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", AWAY)
    train(store)
    train(store, "phase2@4")
    tried: list[str] = []
    send = Sender.send
    monkeypatch.setattr(Sender, "send", lambda s, journal: [tried.append(journal.folder.name), send(s, journal)])
    with pytest.raises(MlflowException, match="Connection refused"):
        sync(Path(), store)
    assert len(tried) == 1
    assert len(list(FOLDER.iterdir())) == 2
    assert not REFUSED.exists()


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        (MlflowException("deleted", INVALID_PARAMETER_VALUE), True),
        (MlflowException("no such run", ErrorCode.Value("RESOURCE_DOES_NOT_EXIST")), True),
        (MlflowException("a password is missing", PERMISSION_DENIED), False),
        (MlflowException("a proxy's page: 404", ErrorCode.Value("ENDPOINT_NOT_FOUND")), False),
        (MlflowException("connection refused", INTERNAL_ERROR), False),
        (OSError("disk"), False),
    ],
)
def test_an_answer_is_told_from_a_lost_connection(error: Exception, refusal: bool) -> None:
    assert is_refusal(error) is refusal


@pytest.mark.parametrize(("status", "refusal"), [(413, True), (401, False), (503, False)])
def test_a_file_that_is_too_large_is_refused(status: int, refusal: bool) -> None:
    response = requests.Response()
    response.status_code = status
    assert is_refusal(requests.HTTPError(response=response)) is refusal


def test_a_journal_whose_end_found_no_room_is_kept(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Journal.write

    def full(journal: Journal, event: dict[str, Any]) -> None:
        if event["do"] == "end":
            raise OSError(ENOSPC, "No space left on device")
        write(journal, event)

    with monkeypatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", AWAY)
        patch.setattr(Journal, "write", full)
        train(store)
    (kept,) = FOLDER.iterdir()
    assert len(Journal(kept).events()) > 3
    assert sync(Path(), store) == 1
    assert runs(store)["phase1@4"].data.metrics["loss"] == 1.0


def test_stages_that_begin_at_once_have_one_pipeline_run(store: Path) -> None:
    with ProcessPoolExecutor(2, get_context("fork")) as two:
        list(two.map(train, [store] * 2, ["pretrain_sr@4", "pretrain_recognizer"]))
    assert set(runs(store)) == {"pipeline", "pretrain_sr@4", "pretrain_recognizer"}
