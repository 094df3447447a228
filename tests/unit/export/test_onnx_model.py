"""One exported toy pair, run by both backends on plates of many sizes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from acl_core.data.degrade import degrade
from acl_core.data.manifest import Plate
from acl_core.errors import AclError, DataError, WeightsError
from acl_core.export import libraries
from acl_core.export.int8 import layers_in_8_bits, quantize
from acl_core.export.onnx_model import INPUT, OUTPUTS, build_model, write_model
from acl_core.export.reader import Backend, OnnxReader
from tests.plates import CLASSES, toy_plate
from tests.unit.export.networks import BUCKET_PX, RULE, candidates, dbpn, facts, recognizer
from tests.unit.export.parity import check_parity

SIZES = [(20, 44), (24, 48), (36, 100), (16, 36), (8, 8), (64, 144), (96, 60)]


@pytest.fixture(scope="module")
def model() -> onnx.ModelProto:
    return build_model(candidates(), facts())


@pytest.fixture(scope="module")
def path(model: onnx.ModelProto, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exports") / "toy" / "model.onnx"
    write_model(model, out)
    return out


def plates(n: int) -> list[Plate]:
    return [degrade(toy_plate(i, size=SIZES[i % len(SIZES)]), 4) for i in range(n)]


def test_both_backends_read_what_the_networks_read(path: Path) -> None:
    assert check_parity(path, dbpn(), recognizer(), plates(2 * len(SIZES)), BUCKET_PX) > 20


def test_a_signal_handler_still_works_after_openvino_has_compiled(path: Path) -> None:
    """It did not: the handler ran on a signal stack that was too small, and the process died."""
    code = f"""
import os, signal
from pathlib import Path
from acl_core.export.reader import Backend, OnnxReader
OnnxReader(Path({str(path)!r}), Backend.OPENVINO, threads=1)
signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
os.kill(os.getpid(), signal.SIGTERM)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 7


@pytest.mark.parametrize("backend", list(Backend))
def test_a_batch_reads_as_its_plates_alone(path: Path, backend: Backend) -> None:
    reader = OnnxReader(path, backend, threads=1)
    batch = np.stack([degrade(toy_plate(i), 4).lr for i in range(3)])
    together, alone = reader.read_batch(batch), [reader.read(plate) for plate in batch]
    assert [found.text for found in together] == [found.text for found in alone]
    assert len({found.text for found in together}) > 1
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_allclose(a.boxes, b.boxes, atol=1e-3)


def test_a_size_that_openvino_is_prepared_for_reads_as_any_other(path: Path) -> None:
    known, other = degrade(toy_plate(0, size=SIZES[0]), 4).lr, degrade(toy_plate(1, size=SIZES[1]), 4).lr
    assert known is not None
    assert other is not None
    prepared = OnnxReader(path, Backend.OPENVINO, 1, sizes=[(known.shape[0], known.shape[1])])
    plain = OnnxReader(path, Backend.OPENVINO, 1)
    for plate in (known, other):
        assert prepared.read(plate).text == plain.read(plate).text
        np.testing.assert_allclose(prepared.read(plate).boxes, plain.read(plate).boxes, atol=1e-3)
    together = np.stack([known, known])
    assert [found.text for found in prepared.read_batch(together)] == [prepared.read(known).text] * 2


def test_it_says_what_it_takes_and_gives(model: onnx.ModelProto, path: Path) -> None:
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert {"input", "output", "order", "classes", "scale", "direction", "reading_rule", "method"} <= set(said)
    assert [value.name for value in model.graph.input] == [INPUT]
    assert tuple(value.name for value in model.graph.output) == OUTPUTS
    assert [d.dim_param or d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim] == ["n", "h", "w", 3]
    assert OnnxReader(path).facts == facts()
    assert facts().rule == RULE


def test_it_holds_no_path_of_this_machine(model: onnx.ModelProto) -> None:
    assert str(Path(__file__).parents[3]).encode() not in model.SerializeToString()


def test_a_model_takes_the_place_of_an_older_one_whole(model: onnx.ModelProto, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"old")
    write_model(model, tmp_path / "model.onnx")
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]
    assert onnx.load(tmp_path / "model.onnx").graph == model.graph


@pytest.mark.parametrize("backend", list(Backend))
def test_in_8_bits_it_reads_nearly_the_same(
    model: onnx.ModelProto, path: Path, backend: Backend, tmp_path: Path
) -> None:
    quantized = quantize(model, [plate.lr for plate in plates(4) if plate.lr is not None])
    assert layers_in_8_bits(model)
    assert any(node.op_type == "QuantizeLinear" for node in quantized.graph.node)
    assert not any(node.op_type == "QuantizeLinear" for node in model.graph.node)
    rounded = {node.output[0] for node in quantized.graph.node if node.op_type == "DequantizeLinear"}
    layers = [node for node in quantized.graph.node if node.op_type in {"Conv", "ConvTranspose"}]
    assert all(node.op_type == "Conv" and set(node.input[:2]) <= rounded for node in layers)
    write_model(quantized, tmp_path / "int8.onnx")
    exact, coarse = OnnxReader(path, backend, 1), OnnxReader(tmp_path / "int8.onnx", backend, 1)
    assert coarse.facts == exact.facts
    lr = plates(1)[0].lr
    assert lr is not None
    assert abs(len(coarse.read(lr).text) - len(exact.read(lr).text)) <= 2


@pytest.mark.parametrize(
    "wrong", [np.zeros((4, 9, 3), np.float32), np.zeros((4, 9), np.uint8), np.zeros((0, 9, 3), np.uint8)]
)
def test_another_array_than_a_plate_is_refused(path: Path, wrong: np.ndarray) -> None:
    with pytest.raises(DataError, match="Give RGB as uint8"):
        OnnxReader(path).read(wrong)


def test_files_that_are_no_exported_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="not found"):
        OnnxReader(tmp_path / "none.onnx")
    (tmp_path / "damaged.onnx").write_bytes(b"\xff\xfe no protobuf")
    with pytest.raises(WeightsError, match="damaged"):
        OnnxReader(tmp_path / "damaged.onnx")
    onnx.save(onnx.ModelProto(), tmp_path / "other.onnx")
    with pytest.raises(WeightsError, match="no model of `acl export`"):
        OnnxReader(tmp_path / "other.onnx")


def test_a_missing_library_is_named() -> None:
    with pytest.raises(AclError, match=r"no_such_library: not installed.*pip install no_such_library"):
        libraries.need("no_such_library.part")
    assert CLASSES
