"""Recipes: steps one after the other, with what is random drawn anew for each plate."""

from collections.abc import Sequence

import numpy as np

from acl_core.data.degradation.blur import defocus, gaussian, motion
from acl_core.data.degradation.sensor import compress, noise, tone
from acl_core.data.degradation.size import reduce
from acl_core.data.degradation.turn import rotate
from acl_core.params_degrade import (
    CameraStep,
    Defocus,
    Gaussian,
    Jpeg,
    Kernel,
    Motion,
    Noise,
    Recipe,
    Reduce,
    Rotate,
    SceneStep,
    Tone,
    Webp,
)

# The default of params.yaml, and what a set without a recipe in its card was made by.
PAPER: Recipe = (Reduce(kind="reduce", kernels=(Kernel.BICUBIC_ANTIALIASED,), relative_scale=(1.0, 1.0)),)


def photograph(recipe: Sequence[CameraStep], hr: np.ndarray, scale: int, rng: np.random.Generator) -> np.ndarray:
    """The LR picture that a recipe makes of an HR picture.

    Args:
        recipe: Steps in their order, ``reduce`` among them.
        hr: (H, W, 3) uint8 RGB; the sides are multiples of the scale.
        scale: HR size over LR size.
        rng: Source of randomness; the same state gives the same picture.

    Returns:
        (H / scale, W / scale, 3) uint8 RGB.
    """
    picture = hr
    for step in recipe:
        if isinstance(step, Reduce):
            kernel = step.kernels[int(rng.integers(len(step.kernels)))]
            picture = reduce(picture, scale, kernel, _drawn(step.relative_scale, rng))
        elif rng.random() < step.probability:
            picture = _taken(step, picture, rng)
    return picture


def stage(
    scene: Sequence[SceneStep], hr: np.ndarray, boxes: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The HR picture and its boxes in another place and light.

    Args:
        scene: Steps in their order.
        hr: (H, W, 3) uint8 RGB.
        boxes: (n, 4) float32 xyxy in pixels.
        rng: Source of randomness.

    Returns:
        The picture, which may have grown, and the boxes in it.
    """
    for step in scene:
        if rng.random() >= step.probability:
            continue
        match step:
            case Rotate():
                hr, boxes = rotate(hr, boxes, _drawn(step.angle_deg, rng))
            case Tone():
                hr = _taken(step, hr, rng)
    return hr, boxes


def _taken(
    step: Gaussian | Motion | Defocus | Noise | Tone | Jpeg | Webp, picture: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    match step:
        case Gaussian():
            amounts = _drawn(step.sigma_px, rng), _drawn(step.ratio, rng), _drawn(step.angle_deg, rng)
            picture = gaussian(picture, *amounts)
        case Motion():
            picture = motion(picture, _drawn(step.length_px, rng), _drawn(step.angle_deg, rng))
        case Defocus():
            picture = defocus(picture, _drawn(step.radius_px, rng))
        case Noise():
            picture = noise(picture, _drawn(step.shot, rng), _drawn(step.read, rng), rng)
        case Tone():
            picture = tone(picture, _drawn(step.gamma, rng), _drawn(step.exposure_stops, rng))
        case Jpeg():
            picture = compress(picture, "JPEG", _drawn_quality(step.quality, rng))
        case Webp():
            picture = compress(picture, "WEBP", _drawn_quality(step.quality, rng))
    return picture


def _drawn(ends: tuple[float, float], rng: np.random.Generator) -> float:
    return float(rng.uniform(*ends))


def _drawn_quality(ends: tuple[int, int], rng: np.random.Generator) -> int:
    return int(rng.integers(ends[0], ends[1] + 1))
