"""The whole reader as one ONNX model that says of itself what it takes and gives."""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch

import acl_core
from acl_core.errors import WeightsError
from acl_core.export.candidates import PlateCandidates
from acl_core.export.libraries import need
from acl_core.export.suppression import suppression
from acl_core.files import write_atomically
from acl_core.params import Reading
from acl_core.params_plates import Direction

if TYPE_CHECKING:
    import onnx

OPSET = 20
INPUT = "plates"
OUTPUTS = ("boxes", "classes", "scores", "plate")
_NAME = "plate-acl"
_CANDIDATES = ("candidate_boxes", "candidate_scores")
# The sizes of the trace: 2 and more, all different, so that none is taken for another or for the only one.
_EXAMPLE = (2, 13, 34)
_LARGEST = 1024  # of each size while tracing; the model has no such limit
LAYERS = ("Conv", "ConvTranspose")
_IN_WORDS = {
    "input": "plates: uint8 (n, h, w, 3), RGB, n low-resolution plates of one size, not resized, not normalised",
    "output": (
        "boxes: float32 (m, 4), x1 y1 x2 y2 in pixels of the input; classes: int64 (m), index into the metadata's "
        "classes; scores: float32 (m), 0 to 1; plate: int64 (m), index of the plate in the batch"
    ),
    "order": (
        "by plate, then the most certain first. To read: lines from top to bottom, in a line by the centre's x, "
        "ascending for direction ltr and descending for rtl"
    ),
}


@dataclass(frozen=True)
class Facts:
    """What the model's metadata says; all values are text there, ``classes`` and ``reading_rule`` JSON.

    Attributes:
        classes: Class names in the order of the recognizer's output.
        scale: SR size over LR size.
        rule: Built into the model.
        direction: Of the script; what brings characters into reading order.
        method: Which networks these are.
        source: Where they come from: hashes of weights, data.
    """

    classes: tuple[str, ...]
    scale: int
    rule: Reading
    direction: Direction
    method: str
    source: dict[str, str]

    def to_metadata(self) -> dict[str, str]:
        """The metadata of the model."""
        return _IN_WORDS | {
            "producer_version": acl_core.__version__,
            "classes": json.dumps(self.classes, ensure_ascii=False),
            "scale": str(self.scale),
            "reading_rule": json.dumps(self.rule.model_dump()),
            "direction": self.direction.value,
            "method": self.method,
            "source": json.dumps(self.source),
        }

    @classmethod
    def of(cls, model: "onnx.ModelProto", path: Path) -> Self:
        """Those of a loaded model.

        Raises:
            WeightsError: The model was not written by this project.
        """
        said = {entry.key: entry.value for entry in model.metadata_props}
        try:
            return cls(
                tuple(json.loads(said["classes"])),
                int(said["scale"]),
                Reading(**json.loads(said["reading_rule"])),
                Direction(said["direction"]),
                said["method"],
                json.loads(said["source"]),
            )
        except (KeyError, ValueError) as error:
            raise WeightsError(f"{path}: is no model of `acl export` ({error}). Export it again.") from error


def build_model(candidates: PlateCandidates, facts: Facts) -> "onnx.ModelProto":
    """Trace the networks, put suppression behind them, and describe the result.

    Args:
        candidates: Networks with weights.
        facts: For the metadata; its rule is built in.

    Returns:
        A model with one input and four outputs, as its metadata describes; checked.
    """
    need("onnxscript")  # torch.onnx asks for it late, and in many lines
    compose, checker = need("onnx.compose"), need("onnx.checker")
    network = _trace(candidates)
    n_candidates = int(network.graph.output[0].type.tensor_type.shape.dim[1].dim_value)
    tail = suppression(facts.rule, n_candidates, OPSET, network.ir_version)
    model: onnx.ModelProto = compose.merge_models(network, tail, io_map=[(name, name) for name in _CANDIDATES])
    del model.opset_import[1:]  # merging lists ONNX's own operators twice
    _tidy(model)
    describe(model, facts)
    checker.check_model(model, full_check=True)
    return model


def describe(model: "onnx.ModelProto", facts: Facts) -> None:
    """Write a model's metadata anew."""
    del model.metadata_props[:]
    model.producer_name, model.producer_version = _NAME, acl_core.__version__
    for key, value in facts.to_metadata().items():
        model.metadata_props.add(key=key, value=value)


def write_model(model: "onnx.ModelProto", path: Path) -> None:
    """Write a model to one file, which appears under its name only when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda temporary: temporary.write_bytes(model.SerializeToString()))


def _trace(candidates: PlateCandidates) -> "onnx.ModelProto":
    batch, height, width = (torch.export.Dim(name, min=2, max=_LARGEST) for name in ("n", "h", "w"))
    with _silent():
        program = torch.onnx.export(
            candidates.eval(),
            (torch.zeros(*_EXAMPLE, 3, dtype=torch.uint8),),
            dynamo=True,
            dynamic_shapes=({0: batch, 1: height, 2: width},),
            input_names=[INPUT],
            output_names=list(_CANDIDATES),
            opset_version=OPSET,
            verbose=False,
        )
    if program is None:  # the exporter's type allows for it; it raises instead
        raise RuntimeError("torch.onnx.export gave no model")
    return program.model_proto


def _tidy(model: "onnx.ModelProto") -> None:
    """Call layers by their names in the networks, and drop what the exporter notes of this machine's files."""
    for node in model.graph.node:
        del node.metadata_props[:]
        if node.op_type in LAYERS:
            node.name = node.input[1].removesuffix(".weight")
    for value in (*model.graph.input, *model.graph.value_info, *model.graph.output, *model.graph.initializer):
        del value.metadata_props[:]
    del model.graph.metadata_props[:]


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the exporter's remarks on its own workings from the user."""
    loggers = [
        logging.getLogger(name) for name in ("torch.onnx", "torch.export", "torch.__trace", "onnxscript", "onnx_ir")
    ]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
