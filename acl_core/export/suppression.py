"""From candidates to characters as an ONNX graph: what :mod:`acl_core.evaluate.decode` does, but for reading order."""

from typing import TYPE_CHECKING

import numpy as np

from acl_core.evaluate.decode import FLOOR, MOST_CANDIDATES, MOST_CHARACTERS, SAME_CLASS_OVERLAP
from acl_core.params import Reading

if TYPE_CHECKING:
    import onnx

# n plates, a candidates, c classes, m characters in all. Scores below the rule's confidence become 0, which
# NonMaxSuppression leaves out; such boxes cannot suppress any above it.
_GRAPH = """
<ir_version: {ir}, opset_import: ["": {opset}]>
suppression (float[n, a, 4] candidate_boxes, float[n, a, c] candidate_scores)
    => (float[m, 4] boxes, int64[m] classes, float[m] scores, int64[m] plate)
<int64[1] looked_at = {{{looked_at}}}, int64 most_boxes = {{{looked_at}}}, int64[1] kept_at_most = {{{characters}}},
 int64 most_characters = {{{characters}}}, float confidence = {{{confidence}}}, float zero = {{0.0}},
 float same_class_overlap = {{{same_class}}}, float overlap = {{{overlap}}},
 int64[1] first = {{0}}, int64[1] second = {{1}}, int64[1] last = {{-1}}, int64[1] class_axis = {{2}},
 int64[2] plate_and_box = {{0, 2}}, float[2] off_on = {{0.0, 1.0}}>
{{
    best = ReduceMax <keepdims = 0> (candidate_scores, class_axis)
    names = ArgMax <axis = 2, keepdims = 0> (candidate_scores)
    top_scores, top = TopK <axis = 1> (best, looked_at)
    top_index = Unsqueeze (top, last)
    top_boxes = GatherND <batch_dims = 1> (candidate_boxes, top_index)
    top_names = GatherElements <axis = 1> (names, top)

    is_sure = GreaterOrEqual (top_scores, confidence)
    sure = Where (is_sure, top_scores, zero)
    all_shape = Shape (candidate_scores)
    n_classes = Gather <axis = 0> (all_shape, class_axis)
    one_hot = OneHot <axis = 1> (top_names, n_classes, off_on)
    sure_row = Unsqueeze (sure, second)
    sure_of_class = Mul (one_hot, sure_row)
    distinct = NonMaxSuppression (top_boxes, sure_of_class, most_boxes, same_class_overlap, zero)

    distinct_at = Gather <axis = 1> (distinct, plate_and_box)
    distinct_scores = GatherND (sure, distinct_at)
    nothing = Mul (sure, zero)
    sparse_scores = ScatterND (nothing, distinct_at, distinct_scores)
    few_scores, few = TopK <axis = 1> (sparse_scores, kept_at_most)
    few_index = Unsqueeze (few, last)
    few_boxes = GatherND <batch_dims = 1> (top_boxes, few_index)
    few_names = GatherElements <axis = 1> (top_names, few)
    few_row = Unsqueeze (few_scores, second)
    chosen = NonMaxSuppression (few_boxes, few_row, most_characters, overlap, zero)

    at = Gather <axis = 1> (chosen, plate_and_box)
    boxes = GatherND (few_boxes, at)
    classes = GatherND (few_names, at)
    scores = GatherND (few_scores, at)
    plate_column = Gather <axis = 1> (at, first)
    plate = Squeeze (plate_column, second)
}}
"""


def suppression(rule: Reading, n_candidates: int, opset: int, ir_version: int) -> "onnx.ModelProto":
    """The graph for one reading rule.

    Args:
        rule: Confidence and overlap.
        n_candidates: Boxes that the recognizer proposes for a plate.
        opset: Version of ONNX's operators.
        ir_version: Version of ONNX's files.
    """
    import onnx.parser

    least = max(rule.confidence, float(np.nextafter(np.float32(FLOOR), np.float32(1))))
    looked_at = min(MOST_CANDIDATES, n_candidates)
    return onnx.parser.parse_model(
        _GRAPH.format(
            ir=ir_version,
            opset=opset,
            looked_at=looked_at,
            characters=min(MOST_CHARACTERS, looked_at),
            confidence=repr(least),
            same_class=repr(SAME_CLASS_OVERLAP),
            overlap=repr(rule.overlap),
        )
    )
