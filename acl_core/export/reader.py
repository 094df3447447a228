"""Run an exported model: an LR plate goes in, its text comes out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from acl_core.data.manifest import text_of
from acl_core.errors import DataError, WeightsError
from acl_core.export.libraries import compile_openvino, need
from acl_core.export.onnx_model import INPUT, OUTPUTS, Facts
from acl_core.reading import reading_order

_Run = Callable[[np.ndarray], list[np.ndarray]]


class Backend(StrEnum):
    """What runs a model, on a CPU."""

    ONNX_RUNTIME = "onnxruntime"
    OPENVINO = "openvino"


@dataclass(frozen=True)
class PlateText:
    """What a model reads on one plate.

    Attributes:
        text: Class names in reading order.
        boxes: (n, 4) float32 xyxy in LR pixels, in reading order.
        classes: (n,) int64.
        scores: (n,) float32 in [0, 1].
    """

    text: str
    boxes: np.ndarray
    classes: np.ndarray
    scores: np.ndarray


class OnnxReader:
    """An exported model that is ready to read.

    Args:
        path: The model.
        backend: What runs it.
        threads: Of the processor; None leaves it to the backend.
        sizes: (h, w) of plates that come one at a time and often. OpenVINO prepares itself for each, in one to four
            seconds, and then reads a plate of that size faster; ONNX Runtime would gain nothing.

    Raises:
        WeightsError: The file is missing, damaged or was not written by this project.
        AclError: The backend is not installed.
    """

    def __init__(
        self,
        path: Path,
        backend: Backend = Backend.ONNX_RUNTIME,
        threads: int | None = None,
        sizes: Sequence[tuple[int, int]] = (),
    ) -> None:
        onnx, broken = need("onnx"), need("google.protobuf.message").DecodeError
        try:
            self.facts = Facts.of(onnx.load(path), path)
        except FileNotFoundError as error:
            raise WeightsError(f"{path}: not found. `acl export` makes it.") from error
        except broken as error:
            raise WeightsError(f"{path}: damaged ({error}). Export it again.") from error
        match backend:
            case Backend.ONNX_RUNTIME:
                self._run = _onnx_runtime(path, threads)
            case Backend.OPENVINO:
                self._run = _openvino(path, threads, sizes)

    def read(self, plate: np.ndarray) -> PlateText:
        """Read one plate, (h, w, 3) uint8 RGB."""
        return self.read_batch(plate[None])[0]

    def read_batch(self, plates: np.ndarray) -> list[PlateText]:
        """Read plates of one size.

        Args:
            plates: (N, h, w, 3) uint8 RGB.

        Raises:
            DataError: The array has another shape or type.
        """
        if plates.ndim != 4 or plates.shape[3] != 3 or plates.dtype != np.uint8 or 0 in plates.shape:
            raise DataError(f"plates: {plates.dtype} of shape {plates.shape}. Give RGB as uint8 of shape (h, w, 3).")
        boxes, classes, scores, owner = self._run(plates)
        return [self._in_order(boxes[owner == i], classes[owner == i], scores[owner == i]) for i in range(len(plates))]

    def _in_order(self, boxes: np.ndarray, classes: np.ndarray, scores: np.ndarray) -> PlateText:
        order = reading_order(boxes, self.facts.direction)
        text = text_of(classes[order], self.facts.classes)
        return PlateText(text, boxes[order], classes[order], scores[order])


def _onnx_runtime(path: Path, threads: int | None) -> _Run:
    onnxruntime = need("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda plates: list(session.run(list(OUTPUTS), {INPUT: plates}))


def _openvino(path: Path, threads: int | None, sizes: Sequence[tuple[int, int]]) -> _Run:
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}  # bf16 where the CPU has it, else
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = str(threads)
    of_any_size = compile_openvino(path, settings)
    prepared = {shape: compile_openvino(path, settings, shape) for shape in ((1, h, w, 3) for h, w in sizes)}

    def run(plates: np.ndarray) -> list[np.ndarray]:
        compiled = prepared.get(plates.shape, of_any_size)
        found = compiled([plates])
        return [np.array(found[compiled.output(name)]) for name in OUTPUTS]

    return run
