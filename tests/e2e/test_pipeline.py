"""The whole pipeline on toy networks: what runs, what is skipped, and what it leaves for a person."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from acl_core.statistics.table import METRICS
from tests.e2e.conftest import dvc, git

pytestmark = pytest.mark.e2e

METHODS = {"bicubic", "bicubic_phase2", "sr", "phase1", "phase2", "hr"}


def ran(output: str) -> list[str]:
    return re.findall(r"Running stage '([^']+)'", output)


def test_the_metrics_file_has_every_method_and_metric_with_an_interval(smoke: Path) -> None:
    results = json.loads((smoke / "reports" / "evaluate.json").read_text(encoding="utf-8"))
    assert set(results) == {"x3", "x4", "meta"}
    assert {"plates", "split", "seed", "commit", "data_sha256"} <= set(results["meta"])
    for scale in ("x3", "x4"):
        assert set(results[scale]) == METHODS
        for method, row in results[scale].items():
            assert set(row) == set(METRICS)
            for metric, interval in row.items():
                assert set(interval) == {"value", "low", "high"}
                if metric in {"psnr_db", "psnr_y_db", "ssim"}:
                    assert (interval["value"] is None) == (method == "hr")
                elif interval["value"] is not None:
                    assert interval["low"] <= interval["value"] + 1e-9
                    assert interval["value"] <= interval["high"] + 1e-9


def test_a_second_run_does_nothing(smoke: Path) -> None:
    assert ran(dvc(smoke, "repro")) == []


def test_the_page_needs_no_other_file(smoke: Path) -> None:
    page = (smoke / "reports" / "index.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert page.count("data:image/png;base64,") == 2 * 3 * 5  # scales, plates, columns
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)


def test_dvc_shows_metrics_and_plots(smoke: Path) -> None:
    shown = json.loads(dvc(smoke, "metrics", "show", "--json").partition("\n")[0])
    values = next(iter(shown.values()))["data"]["reports/evaluate.json"]["data"]
    assert values["x4"]["hr"]["plates_read"]["value"] is not None
    dvc(smoke, "metrics", "diff")
    dvc(smoke, "plots", "show", "--out", "plots")
    page = (smoke / "plots" / "index.html").read_text(encoding="utf-8")
    assert '"title": "plates_read"' in page
    assert '"title": "psnr_db"' in page


def pipelines(client: Any, workspace: Path) -> list[tuple[Any, dict[str, Any]]]:
    """The pipeline runs of a workspace, oldest first, each with the runs below it by name."""
    experiment = client.get_experiment_by_name(workspace.name).experiment_id
    parents = client.search_runs([experiment], "attributes.run_name = 'pipeline'", order_by=["start_time ASC"])
    found = []
    for parent in parents:
        runs = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
        found.append((parent, {run.info.run_name: run for run in runs}))
    return found


def test_every_training_stage_is_a_run_with_its_parameters_curves_and_pictures(smoke: Path, tracking: str) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(tracking)
    parent, runs = pipelines(client, smoke)[0]
    assert {"pretrain_recognizer", "pretrain_sr@4", "phase1@3", "phase2@4", "bicubic_phase2@4", "evaluate@4"} <= set(
        runs
    )
    assert not {"plates", "validate", "degrade@4", "rounds@4", "report"} & set(runs)
    phase1 = runs["phase1@4"]
    assert {run.info.status for run in [parent, *runs.values()]} == {"FINISHED"}
    assert phase1.data.params["phase1.alpha"] == parent.data.params["phase1.alpha"] == "0.01"
    wanted = {"loss", "loss_sr", "loss_char", "psnr_db", "ssim", "plates_read", "map50"}
    assert wanted | {"learning_rate", "plates_per_second", "peak_mib"} <= set(phase1.data.metrics)
    assert len(client.get_metric_history(phase1.info.run_id, "loss_sr")) == 2
    pictures = [Path(file.path).stem for file in client.list_artifacts(phase1.info.run_id, "pictures")]
    assert pictures == ["epoch-000", "epoch-001", "epoch-002", "validation"]
    results = json.loads((smoke / "reports" / "evaluate.json").read_text(encoding="utf-8"))
    read = results["x3"]["phase2"]["plates_read"]["value"]
    assert parent.data.metrics["x3.phase2.plates_read"] == pytest.approx(read)
    plates = yaml.safe_load((smoke / "dvc.lock").read_text(encoding="utf-8"))["stages"]["plates"]["outs"][0]["md5"]
    assert [given.dataset.digest for given in parent.inputs.dataset_inputs] == [plates]
    assert {f.path for f in client.list_artifacts(parent.info.run_id)} == {"evaluate.json", "index.html"}
    evaluated = {f.path for f in client.list_artifacts(runs["evaluate@4"].info.run_id)}
    assert {"table.json", "per_class.json", "confusions.json", "suite.json"} <= evaluated
    assert runs["evaluate@4"].data.metrics["peak_mib"] > 100
    peaks = {name: value for name, value in parent.data.metrics.items() if name.startswith("peak_mib.")}
    assert {f"peak_mib.{name}" for name in ("plates", "validate", "degrade.x3", "degrade.x4", "report")} == set(peaks)
    assert min(peaks.values()) > 100
    assert not (smoke / "runs" / "tracking").exists()


def test_changing_alpha_reruns_phase_1_and_what_follows(smoke: Path, tracking: str) -> None:
    from mlflow import MlflowClient

    params = smoke / "params.yaml"
    before = params.read_text(encoding="utf-8")
    changed = yaml.safe_load(before)
    changed["phase1"]["alpha"] = 1e5  # a toy's recognizer pulls a million times less than the pixels: lost in bf16
    params.write_text(yaml.safe_dump(changed, allow_unicode=True), encoding="utf-8")
    try:
        output = dvc(smoke, "repro")
    finally:
        params.write_text(before, encoding="utf-8")
        back = dvc(smoke, "repro")
    again = {"phase1", "phase2", "rounds", "evaluate"}
    assert set(ran(back)) <= {"report"}  # all that takes time came from the cache
    assert set(ran(output)) == {f"{stage}@{scale}" for stage in again for scale in (3, 4)} | {"report"}
    below = {parent.data.params["phase1.alpha"]: set(runs) for parent, runs in pipelines(MlflowClient(tracking), smoke)}
    trained = again - {"rounds"}  # there is one round, the first; and what was restored did not train
    assert below["100000.0"] == {f"{stage}@{scale}" for stage in trained for scale in (3, 4)}


def test_without_pictures_nothing_is_trained_again_and_no_plate_is_left(smoke: Path) -> None:
    params = smoke / "params.yaml"
    before = params.read_text(encoding="utf-8")
    changed = yaml.safe_load(before)
    changed["privacy"]["show_pictures"] = False
    params.write_text(yaml.safe_dump(changed, allow_unicode=True), encoding="utf-8")
    try:
        output = dvc(smoke, "repro")
        page = (smoke / "reports" / "index.html").read_text(encoding="utf-8")
        evaluated = {path.suffix for path in (smoke / "evaluations").rglob("*") if path.is_file()}
    finally:
        params.write_text(before, encoding="utf-8")
        back = dvc(smoke, "repro")
    assert set(ran(output)) == {"validate", "report", *(f"evaluate@{scale}" for scale in changed["scales"])}
    assert set(ran(back)) <= {"validate", "report"}
    assert "data:image" not in page
    assert "<svg" in page
    assert evaluated == {".json"}


def test_a_bound_that_rejects_nothing_more_only_validates_again(smoke: Path) -> None:
    params = smoke / "params.yaml"
    before = params.read_text(encoding="utf-8")
    changed = yaml.safe_load(before)
    changed["validation"]["max_ks"] = 0.9
    params.write_text(yaml.safe_dump(changed, allow_unicode=True), encoding="utf-8")
    try:
        output = dvc(smoke, "repro")
    finally:
        params.write_text(before, encoding="utf-8")
        dvc(smoke, "repro")
    assert ran(output) == ["validate"]
    report = json.loads((smoke / "reports" / "validation.json").read_text(encoding="utf-8"))
    assert report["plates"] == {"checked": 40, "rejected": 0, "train": 24, "validation": 8, "test": 8}


@pytest.mark.slow
def test_an_experiment_changes_alpha_and_rounds(smoke: Path) -> None:
    changes = ("-S", "phase1.alpha=0", "-S", "rounds.n=2", "-S", "rounds.joint_epochs=1")
    try:
        dvc(smoke, "exp", "run", "--name", "two-rounds", *changes)
        shown = dvc(smoke, "exp", "show", "--csv")
        results = json.loads((smoke / "reports" / "evaluate.json").read_text(encoding="utf-8"))
        curves = pd.read_csv(smoke / "reports" / "curves" / "x4-rounds.csv")
    finally:
        dvc(smoke, "exp", "remove", "two-rounds")
        git(smoke, "checkout", "--", ".")
        dvc(smoke, "checkout")
        dvc(smoke, "repro")  # the page lies in neither git nor DVC's cache
    assert "two-rounds" in shown
    assert set(results["x4"]) == METHODS | {"rounds"}
    assert curves["epoch"].tolist() == [1, 2, 3, 4, 5]  # two of Phase 1, two of Phase 2, one of both networks
    assert curves["round"].tolist() == [2] * 4 + [3]
