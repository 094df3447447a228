"""A plate that hangs askew."""

import cv2
import numpy as np

from acl_core.data.augment import warp_boxes


def rotate(picture: np.ndarray, boxes: np.ndarray, angle_deg: float) -> tuple[np.ndarray, np.ndarray]:
    """Turn a plate in the plane of the picture, which grows until it holds all of it, as a detector's crop would.

    The corners that appear repeat the picture's edge.

    Args:
        picture: (H, W, 3) uint8 RGB.
        boxes: (n, 4) float32 xyxy in pixels.
        angle_deg: Clockwise, within 45; 0 changes nothing.

    Returns:
        The picture and the boxes in it, level again and a little larger than before.
    """
    if angle_deg == 0:
        return picture, boxes
    height, width = picture.shape[:2]
    angle = np.radians(angle_deg)
    cosine, sine = np.cos(angle), np.sin(angle)
    grown = (round(width * cosine + height * abs(sine)), round(width * abs(sine) + height * cosine))
    turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    matrix = _shift(grown[0] / 2, grown[1] / 2) @ turn @ _shift(-width / 2, -height / 2)
    # cv2 counts from the centre of the first pixel, this project from its corner.
    pixels = _shift(-0.5, -0.5) @ matrix @ _shift(0.5, 0.5)
    turned = cv2.warpAffine(picture, pixels[:2], grown, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned), warp_boxes(boxes, matrix, *grown)


def _shift(x: float, y: float) -> np.ndarray:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])
