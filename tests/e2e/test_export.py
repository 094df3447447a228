"""``acl export`` on a trained workspace, and the exported networks on real plates."""

import os
from itertools import islice
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from acl_core.data.degrade import degrade
from acl_core.data.manifest import Plate, Side, read_plates
from acl_core.evaluate.method_names import MethodName
from acl_core.export.onnx_model import build_model, write_model
from acl_core.export.reader import OnnxReader
from acl_core.params import load_params
from acl_core.sources.annotations import plates_of
from acl_core.sources.yolo import open_yolo
from benchmarks.export import main as benchmark
from tasks import cli
from tasks.export.trained import load_trained
from tasks.outs import stage_out
from tests.plates import ROOT, params, toy_plate
from tests.unit.export import networks as toy
from tests.unit.export.parity import check_parity

pytestmark = pytest.mark.e2e

EALPR = Path(os.environ.get("EALPR", ROOT.parent / "shared" / "data" / "ealpr"))
TRAINED = Path(os.environ.get("TRAINED", ROOT))  # a workspace after `make run`
N_PLATES = 24


def real_plates(scale: int) -> list[Plate]:
    """Some of the Egyptian plates, which differ in size; toy plates where those are not at hand."""
    if not EALPR.is_dir():
        return [degrade(toy_plate(i, size=(24 + 4 * (i % 5), 60 + 8 * (i % 7))), scale) for i in range(N_PLATES)]
    items = plates_of(open_yolo(EALPR), params().plates, seed=1)
    found = [degrade(item, scale) for item in islice(items, 2 * N_PLATES) if isinstance(item, Plate)]
    assert len({plate.hr.shape for plate in found}) > 4
    return found[:N_PLATES]


@pytest.mark.skipif(not (TRAINED / "models/x4/phase2").is_dir(), reason=f"no networks in {TRAINED}: run `make run`")
@pytest.mark.slow
def test_trained_networks_read_the_same_texts(tmp_path: Path) -> None:
    out = tmp_path / "model.onnx"
    done = CliRunner().invoke(cli.app, ["export", "--workspace", str(TRAINED), "--scale", "4", "--out", str(out)])
    assert done.exit_code == 0, done.output
    its_params = load_params(TRAINED / "params.yaml")
    trained = load_trained(TRAINED, its_params, 4, MethodName.PHASE2)
    synthetic = list(islice(read_plates(stage_out(TRAINED, "degrade", 4), Side.TEST), N_PLATES))
    plates = synthetic + real_plates(4)
    assert check_parity(out, trained.enlarger, trained.recognizer, plates, its_params.sr.bucket_px) > 6 * N_PLATES


@pytest.mark.skipif(not EALPR.is_dir(), reason=f"no real plates in {EALPR}: name their folder by EALPR")
def test_real_plates_need_no_training_to_be_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    write_model(build_model(toy.candidates(), toy.facts()), path)
    n_read = check_parity(path, toy.dbpn(), toy.recognizer(), real_plates(toy.SCALE), toy.BUCKET_PX)
    assert n_read > N_PLATES


def test_every_workspace_can_be_exported(smoke: Path) -> None:
    done = CliRunner().invoke(cli.app, ["export", "--workspace", str(smoke), "--scale", "3", "--int8", "--plates", "4"])
    assert done.exit_code == 0, done.output
    path = smoke / "exports" / "x3-phase2-int8.onnx"
    assert done.output.split() == [str(path)]
    reader = OnnxReader(path)
    assert reader.facts.scale == 3
    assert reader.facts.method == "phase2"
    assert len(reader.facts.source["sr_sha256"]) == 64
    plate = next(read_plates(smoke / "data/pairs/x3", Side.TEST))
    assert plate.lr is not None
    assert isinstance(reader.read(plate.lr).text, str)


def test_the_benchmark_prints_a_row_a_reader(smoke: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = torch.get_num_threads()
    try:
        benchmark(
            [
                "--workspace",
                str(smoke),
                "--scale",
                "4",
                "--plates",
                "3",
                "--timed",
                "2",
                "--calibrate",
                "2",
                "--threads",
                "2",
            ]
        )
    finally:
        torch.set_num_threads(before)
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")][1:]
    names = ["torch, float32", "onnxruntime, float32", "openvino, float32", "onnxruntime, 8 bits", "openvino, 8 bits"]
    assert [row[0].removeprefix("| ") for row in rows] == names
    assert len({row[1] for row in rows[:3]}) == 1
    assert all(float(row[2]) > 0 for row in rows)
