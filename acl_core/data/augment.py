"""Random changes of an HR plate; LR is made from the changed HR, so a pair stays a pair."""

import cv2
import numpy as np

from acl_core.params import Augment


def augment(
    hr: np.ndarray, boxes: np.ndarray, params: Augment, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Warp, blur and relight a plate. The size stays, characters that leave the picture in part are clipped.

    Args:
        hr: (H, W, 3) uint8 RGB.
        boxes: (n, 4) float32 xyxy in pixels.
        params: Largest changes.
        rng: Source of randomness.

    Returns:
        The changed picture and the boxes in it.
    """
    if params.warp > 0:
        hr, boxes = _warp(hr, boxes, params.warp, rng)
    sigma = rng.uniform(0, params.blur_px)
    if sigma > 0.3:  # below, the kernel is a single pixel
        hr = cv2.GaussianBlur(hr, (0, 0), sigma)
    table = _tone_table(params, float(hr.mean()) / 255, rng)
    return np.asarray(cv2.LUT(hr, table)), boxes


def flip(hr: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The plate in a mirror. For SR only: a recognizer would learn letters that do not exist."""
    width = hr.shape[1]
    mirrored = boxes[:, [2, 1, 0, 3]] * np.array([-1, 1, -1, 1], np.float32) + np.array(
        [width, 0, width, 0], np.float32
    )
    return np.ascontiguousarray(hr[:, ::-1]), mirrored


def _warp(hr: np.ndarray, boxes: np.ndarray, share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Move the four corners: rotation, shear, zoom, shift and perspective in one."""
    height, width = hr.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + rng.uniform(-share, share, (4, 2)).astype(np.float32) * np.array([width, height], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, moved)
    warped = cv2.warpPerspective(hr, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped), warp_boxes(boxes, matrix, width, height)


def warp_boxes(boxes: np.ndarray, matrix: np.ndarray, width: int, height: int) -> np.ndarray:
    """Boxes (n, 4) float32 xyxy after a (3, 3) warp of corner coordinates, clipped to the picture.

    The box round a warped box is too large, since no character fills its corners; the box through the middles of its
    sides is too small. The truth lies between, and their mean is taken.
    """
    if len(boxes) == 0:
        return boxes
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 1, 2)
    moved = cv2.perspectiveTransform(corners, matrix).reshape(-1, 4, 2)
    outer = np.concatenate([moved.min(axis=1), moved.max(axis=1)], axis=1)
    left, right = moved[:, [0, 3], 0].mean(axis=1), moved[:, [1, 2], 0].mean(axis=1)
    top, bottom = moved[:, [0, 1], 1].mean(axis=1), moved[:, [2, 3], 1].mean(axis=1)
    inner = np.stack([left, top, right, bottom], axis=1)
    limit = np.array([width, height, width, height], np.float32)
    return np.asarray(((outer + inner) / 2).clip(0, limit), dtype=np.float32)


def _tone_table(params: Augment, mean: float, rng: np.random.Generator) -> np.ndarray:
    """(1, 256, 3) uint8 look-up table of gamma, colour, contrast round the mean, and brightness."""
    gamma = np.exp(rng.uniform(-params.gamma, params.gamma))
    colour = 1 + rng.uniform(-params.colour, params.colour, 3)
    contrast = 1 + rng.uniform(-params.contrast, params.contrast)
    brightness = rng.uniform(-params.brightness, params.brightness)
    level = (np.arange(256) / 255) ** gamma
    toned = (level[:, None] * colour - mean) * contrast + mean + brightness
    return np.asarray((toned * 255).round().clip(0, 255), dtype=np.uint8)[None]
