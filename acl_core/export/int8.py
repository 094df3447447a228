"""Layers in 8 bits, calibrated on plates; nothing is trained."""

import logging
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from acl_core.export.libraries import need
from acl_core.export.onnx_model import INPUT, LAYERS
from acl_core.export.transposed import MOVES, as_convolutions

if TYPE_CHECKING:
    import onnx


def quantize(model: "onnx.ModelProto", plates: Iterable[np.ndarray]) -> "onnx.ModelProto":
    """Put the layers that bear it into 8 bits: weights signed and by channel, activations unsigned and by tensor.

    Transposed convolutions become plain ones first, because OpenVINO runs them in float32 whatever they are told.

    Args:
        model: From :func:`acl_core.export.onnx_model.build_model`; it is not changed.
        plates: (h, w, 3) uint8 RGB each, LR, of any sizes; the ranges of activations are taken from them.

    Returns:
        A model with the same inputs, outputs and metadata.
    """
    quantization = need("onnxruntime.quantization")
    given = as_convolutions(model)  # a copy: the library moves the weights of what it is given into a file
    with tempfile.TemporaryDirectory() as folder, _silent():
        out = Path(folder) / "int8.onnx"
        quantization.quantize_static(
            given,
            out,
            _Plates(plates),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            op_types_to_quantize=[*LAYERS, *MOVES],
            nodes_to_quantize=layers_in_8_bits(given),
            # OpenVINO then joins a layer with the activation behind it and rounds once; ONNX Runtime pays for it.
            extra_options={"OpTypesToExcludeOutputQuantization": list(LAYERS)},
        )
        quantized: onnx.ModelProto = need("onnx").load(out)
    del quantized.metadata_props[:]
    quantized.metadata_props.extend(model.metadata_props)
    return quantized


def layers_in_8_bits(model: "onnx.ModelProto") -> list[str]:
    """Names of all layers but those behind a Softmax, and of what brings a layer's channels to their places.

    A layer behind a Softmax (ultralytics' DFL) is no filter but the mean of a distribution, for which 8 bits look too
    coarse (not tried). No other was found to need float32, the first and the last of each network included
    (docs/LOG.md).
    """
    made_by = {output: node.op_type for node in model.graph.node for output in node.output}
    layers = [n.name for n in model.graph.node if n.op_type in LAYERS and made_by.get(n.input[0]) != "Softmax"]
    moves = [n.name for n in model.graph.node if n.op_type in MOVES and n.name.startswith(tuple(layers))]
    return layers + moves


class _Plates:
    """Plates as onnxruntime's calibration asks for them."""

    def __init__(self, plates: Iterable[np.ndarray]) -> None:
        self._plates = iter(plates)

    def get_next(self) -> dict[str, np.ndarray] | None:
        plate = next(self._plates, None)
        return None if plate is None else {INPUT: plate[None]}


@contextmanager
def _silent() -> Iterator[None]:
    """The library warns through the root logger that the model was not prepared by its own tool; the exporter's is."""
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logging.root.setLevel(level)
