"""Transposed convolutions as plain ones, which OpenVINO has in 8 bits (docs/LOG.md)."""

from typing import TYPE_CHECKING, Any

import numpy as np

from acl_core.export.libraries import need

if TYPE_CHECKING:
    import onnx

MOVES = ("DepthToSpace", "Slice")  # what follows the plain convolution
_POINTWISE = ("PRelu", "LeakyRelu", "Relu")
_TO_THE_END = np.iinfo(np.int64).max


def as_convolutions(model: "onnx.ModelProto") -> "onnx.ModelProto":
    """Replace transposed convolutions by plain ones that give a whole block of pixels for each pixel of their input.

    A kernel of k pixels with stride s reaches an output pixel with t = ceil(k / s) pixels of the input in each
    direction. Where q counts blocks of s x s and r the pixels in one, ``out[s q + r] = sum over j < t of in[q - j]
    kernel[s j + r]``: t x t taps from C to s^2 C' channels, as many products as before, then the channels move to their
    places and the rim of the first and last blocks, which is padding of the transposed convolution, is cut. An
    activation that follows is moved before that, to the convolution, which runtimes join it with.

    Args:
        model: It is not changed. Transposed convolutions with groups, dilation or output padding stay, and so do those
            without a bias.

    Returns:
        A model with the same inputs, outputs, metadata and layer names, and the same numbers but for rounding.
    """
    out: onnx.ModelProto = need("onnx").ModelProto()
    out.CopyFrom(model)
    tensors = {tensor.name: tensor for tensor in out.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    moved: list[str] = []  # outputs of activations that went to their layer
    for node in out.graph.node:
        if node.output[0] in moved:
            continue
        if not _can_be_replaced(node):
            nodes.append(node)
            continue
        activation = _activation_behind(node, out.graph, tensors)
        moved += [] if activation is None else activation.output
        nodes += _replacement(node, activation, out.graph, tensors)
    needed = {name for node in nodes for name in node.input}
    _keep(out.graph.node, nodes)
    _keep(out.graph.initializer, [tensor for tensor in out.graph.initializer if tensor.name in needed])
    _keep(out.graph.value_info, [value for value in out.graph.value_info if value.name in needed])
    return out


def _keep(field: Any, entries: list[Any]) -> None:
    del field[:]
    field.extend(entries)


def _can_be_replaced(node: "onnx.NodeProto") -> bool:
    if node.op_type != "ConvTranspose" or len(node.input) != 3:
        return False
    said = _attributes(node)
    stride, pads, kernel = said["strides"], said.get("pads", [0] * 4), said["kernel_shape"]
    is_square = len(set(stride)) == len(set(pads)) == len(set(kernel)) == 1 and len(stride) == 2
    is_dense = said.get("group", 1) == 1 and set(said.get("dilations", [1])) == {1}
    return is_square and is_dense and not any(said.get("output_padding", [0])) and "output_shape" not in said


def _activation_behind(
    node: "onnx.NodeProto", graph: "onnx.GraphProto", tensors: "dict[str, onnx.TensorProto]"
) -> "onnx.NodeProto | None":
    """What alone uses a layer's output, if it does the same to each channel."""
    users = [user for user in graph.node if node.output[0] in user.input]
    if len(users) != 1 or users[0].op_type not in _POINTWISE:
        return None
    slopes = [np.prod(tensors[name].dims) if name in tensors else np.inf for name in users[0].input[1:]]
    return users[0] if all(n == 1 for n in slopes) else None


def _replacement(
    node: "onnx.NodeProto",
    activation: "onnx.NodeProto | None",
    graph: "onnx.GraphProto",
    tensors: "dict[str, onnx.TensorProto]",
) -> "list[onnx.NodeProto]":
    """Convolution, activation, moving to places, cutting the rim; their weights are added to the graph."""
    helper, arrays = need("onnx.helper"), need("onnx.numpy_helper")
    said = _attributes(node)
    stride, padding, kernel = said["strides"][0], said.get("pads", [0])[0], said["kernel_shape"][0]
    taps = -(-kernel // stride)
    weight, bias = (arrays.to_array(tensors[name]) for name in node.input[1:])
    end = kernel - padding - stride * taps  # seen from the end: stride * (in + taps - 1) pixels are there
    added = {
        "weight": _by_block(weight, stride, taps),
        "bias": np.tile(bias, stride**2),
        "starts": np.array([padding] * 2, np.int64),
        "ends": np.array([end or _TO_THE_END] * 2, np.int64),
        "axes": np.array([2, 3], np.int64),
    }
    names = {part: f"{node.output[0]}_{part}" for part in (*added, "blocks", "active", "whole")}
    graph.initializer.extend(arrays.from_array(array, names[part]) for part, array in added.items())
    geometry = {"kernel_shape": [taps] * 2, "pads": [taps - 1] * 4, "strides": [1, 1]}
    blocks, last = names["blocks"], node.output[0]
    inputs = [node.input[0], names["weight"], names["bias"]]
    made = [helper.make_node("Conv", inputs, [blocks], node.name, **geometry)]
    if activation is not None:
        blocks, last = names["active"], activation.output[0]
        made.append(_rewired(activation, [names["blocks"], *activation.input[1:]], blocks))
    places, rim = f"{node.name}.places", f"{node.name}.rim"
    made.append(helper.make_node(MOVES[0], [blocks], [names["whole"]], places, blocksize=stride, mode="DCR"))
    cut = [names[part] for part in ("whole", "starts", "ends", "axes")]
    return [*made, helper.make_node(MOVES[1], cut, [last], rim)]


def _rewired(node: "onnx.NodeProto", inputs: list[str], output: str) -> "onnx.NodeProto":
    """The same operation between other values."""
    made: onnx.NodeProto = need("onnx").NodeProto()
    made.CopyFrom(node)
    made.input[:] = inputs
    made.output[:] = [output]
    return made


def _by_block(weight: np.ndarray, stride: int, taps: int) -> np.ndarray:
    """(in, out, k, k) of a transposed convolution to (s * s * out, in, t, t), place in the block first."""
    n_in, n_out, kernel, _ = weight.shape
    missing = taps * stride - kernel
    padded = np.pad(weight, ((0, 0), (0, 0), (0, missing), (0, missing)))
    apart = padded.reshape(n_in, n_out, taps, stride, taps, stride)
    apart = apart[:, :, ::-1, :, ::-1]  # in[q - j]: the last tap first
    return np.ascontiguousarray(apart.transpose(3, 5, 1, 0, 2, 4).reshape(stride**2 * n_out, n_in, taps, taps))


def _attributes(node: "onnx.NodeProto") -> dict[str, Any]:
    value_of = need("onnx.helper").get_attribute_value
    return {attribute.name: value_of(attribute) for attribute in node.attribute}
