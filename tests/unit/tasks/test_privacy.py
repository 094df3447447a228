"""``privacy.show_pictures: false``: no picture and no text of a plate leaves data/ and models/."""

from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from acl_core.device import Compute
from acl_core.evaluate.methods import RECOGNIZER_FILE, SR_FILE
from acl_core.models.build import build_recognizer, build_sr
from acl_core.models.weights import save_weights
from acl_core.params import Architecture, Common, Params, Privacy, RecognizerParams
from acl_core.train.checkpoint import Checkpoint
from acl_core.train.loop import Job
from acl_core.train.tracker import Silent, write_curves
from tasks.stages import _main, evaluate, report
from tests.plates import CLASSES, params, write_pairs


def small(*, show_pictures: bool) -> Params:
    known = params()
    suite = known.evaluate.suite.model_copy(update={"severities": ["clean"]})
    return known.model_copy(
        update={
            "sr": known.sr.model_copy(update={"channels": 4, "features": 8}),
            "recognizer": RecognizerParams(architecture=Architecture.PAPER, input_px=64),
            "evaluate": known.evaluate.model_copy(update={"bootstrap": 5, "gallery": 2, "suite": suite}),
            "privacy": Privacy(show_pictures=show_pictures),
        }
    )


def evaluated(folder: Path, chosen: Params) -> None:
    """Evaluations and a page of networks that never learnt anything."""
    torch.manual_seed(1)
    save_weights(build_sr(4, chosen.sr), folder / "models" / SR_FILE, {})
    save_weights(build_recognizer(chosen.recognizer, len(CLASSES)), folder / "models" / RECOGNIZER_FILE, {})
    names = ("recognizer_hr", "sr_alone", "phase1", "phase2", "final", "bicubic_phase2")
    job = Job("evaluate@4", Compute(torch.device("cpu"), bf16=False), Silent(), Checkpoint(folder / "runs", "key"))
    sections = (chosen.sr, chosen.recognizer, chosen.rounds, chosen.evaluate, chosen.privacy, chosen.common)
    pairs, out = write_pairs(folder / "data/x4"), folder / "evaluations/x4"
    evaluate.run(*sections, scale=4, pairs=pairs, out=out, job=job, **dict.fromkeys(names, folder / "models"))
    write_curves([{"epoch": 1, "plates_read": 0.5}], folder / "reports/curves/x4-phase1.csv")
    paths = {"evaluations": folder / "evaluations", "curves": folder / "reports/curves"}
    reports = {"metrics": "evaluate.json", "suite": "suite.json", "page": "index.html"}
    made = {name: folder / "reports" / file for name, file in reports.items()}
    report.run([4], chosen.privacy, **paths, **made)


def left(folder: Path) -> dict[str, str]:
    """All that lies outside of data/ and models/, as text."""
    files = [path for name in ("evaluations", "reports") for path in (folder / name).rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8", errors="replace") for path in files}


def test_no_picture_and_no_text_of_a_plate_is_left(tmp_path: Path) -> None:
    evaluated(tmp_path, small(show_pictures=False))
    found = left(tmp_path)
    assert not [name for name in found if name.endswith(".png")]
    assert not [name for name, text in found.items() if "data:image" in text or "plate-" in text]
    assert set(found) == {
        *(f"evaluations/x4/{name}.json" for name in ("confusions", "meta", "outcomes", "per_class", "suite", "table")),
        *("reports/curves/x4-phase1.csv", "reports/evaluate.json", "reports/suite.json", "reports/index.html"),
    }
    page = found["reports/index.html"]
    assert "No plate is shown: <code>privacy.show_pictures</code> is false" in page
    assert "Phase 2" in page
    assert "<svg" in page


def test_with_pictures_they_are_there(tmp_path: Path) -> None:
    evaluated(tmp_path, small(show_pictures=True))
    found = left(tmp_path)
    assert "plate-" in found["evaluations/x4/plates.csv"]
    assert "evaluations/x4/gallery/00-hr.png" in found
    assert found["reports/index.html"].count("data:image/png;base64,") == 2 * 5
    assert "No plate is shown" not in found["reports/index.html"]


class Recorder(Silent):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def metrics(self, values: Mapping[str, float], epoch: int) -> None:
        self.seen.append("metrics")

    def picture(self, name: str, image: np.ndarray) -> None:
        self.seen.append("picture")

    def artifact(self, path: Path) -> None:
        self.seen.append("artifact")


@pytest.mark.parametrize(
    ("show_pictures", "seen"), [(True, ["metrics", "picture", "artifact"]), (False, ["metrics", "artifact"])]
)
def test_a_training_stage_sends_pictures_only_when_asked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, show_pictures: bool, seen: list[str]
) -> None:
    recorder = Recorder()

    @contextmanager
    def opened(*_: object):
        yield recorder

    def run(common: Common, *, job: Job) -> Mapping[str, float]:
        job.tracker.metrics({"loss": 1.0}, 1)
        job.tracker.picture("validation", np.zeros((4, 4, 3), np.uint8))
        job.tracker.artifact(tmp_path / "curve.csv")
        return {}

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_main, "open_tracker", opened)
    _main._run(run, "phase1@4", {}, small(show_pictures=show_pictures))
    assert recorder.seen == seen
