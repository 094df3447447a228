"""Reading order: from boxes round characters to a line of text, for plates of one line or several, straight or tilted.

Only ratios along one axis are used, so boxes in pixels and boxes as shares of the plate give the same order.
"""

import numpy as np

from acl_core.params_plates import Direction

# Two boxes stand on one line when they share this much of the lower one's height. Lines of real plates do not overlap
# once the tilt is taken out, letters of one line (a low "د" beside a tall "أ") share a third of their height or more.
_SAME_LINE_OVERLAP = 0.3


def reading_order(boxes: np.ndarray, direction: Direction) -> np.ndarray:
    """Order in which the characters of a plate are read: lines from top to bottom, each in the script's direction.

    Args:
        boxes: (n, 4) xyxy, any unit.
        direction: Direction within a line.

    Returns:
        (n,) int64, indices into ``boxes``.
    """
    if len(boxes) == 0:
        return np.zeros(0, dtype=np.int64)
    centre_x = (boxes[:, 0] + boxes[:, 2]) / 2
    drop = _tilt(boxes) * centre_x
    top, bottom = boxes[:, 1] - drop, boxes[:, 3] - drop
    line = _lines(top, bottom)
    along = centre_x if direction is Direction.LTR else -centre_x
    return np.lexsort((along, line)).astype(np.int64)


def _lines(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """The line, counted from the top, of each box; boxes are taken from the top down and joined to the last line."""
    line = np.zeros(len(top), dtype=np.int64)
    order = np.argsort(top + bottom, kind="stable")
    current, members = 0, [order[0]]
    for index in order[1:]:
        line_top, line_bottom = np.median(top[members]), np.median(bottom[members])
        shared = min(bottom[index], line_bottom) - max(top[index], line_top)
        if shared < _SAME_LINE_OVERLAP * min(bottom[index] - top[index], line_bottom - line_top):
            current, members = current + 1, []
        members.append(index)
        line[index] = current
    return line


def _tilt(boxes: np.ndarray) -> float:
    """Fall of a line of text along x (dy / dx): the median over each box and its next neighbour to the right."""
    centre_x, centre_y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    height = boxes[:, 3] - boxes[:, 1]
    slopes = []
    for i in range(len(boxes)):
        right = centre_x - centre_x[i]
        level = np.abs(centre_y - centre_y[i]) < 0.5 * np.minimum(height, height[i])
        candidates = np.flatnonzero((right > 0) & level)
        if len(candidates):
            j = candidates[np.argmin(right[candidates])]
            slopes.append((centre_y[j] - centre_y[i]) / right[j])
    return float(np.median(slopes)) if slopes else 0.0
