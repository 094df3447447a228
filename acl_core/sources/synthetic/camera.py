"""The photograph of a flat plate: geometry, light, lens, sensor. Pictures are (h, w, 3) float32 RGB in [0, 1]."""

import cv2
import numpy as np

from acl_core.data.degradation.kernels import motion_kernel
from acl_core.params_plates import Camera
from acl_core.sources.synthetic.plate import FlatPlate
from acl_core.sources.synthetic.view import View

_OVERSAMPLING = 2  # the picture is sampled this much finer and then averaged, against jagged edges
_OVEREXPOSURE = 0.4  # largest, over the largest underexposure; beyond it nothing is left to read
_NIGHT_EXPOSURE = -0.6  # smallest underexposure at night, over the largest
_NIGHT_NOISE = 2
_SHADE_LEFT = (0.3, 0.75)  # light that is left in a hard shadow
_GLARE_STRENGTH = (0.4, 1.0)
_TINT = 0.4  # casts towards green or magenta are weaker than those towards red or blue
_GREY_MIX = (6.0, 6.0, 2.0)  # red, green, blue that a monochrome camera sees, on average; infra-red ones see more red
_SHARPENING_SIGMA_PX = 0.9
_BEST_JPEG_QUALITY = 100
_COLOUR_NOISE = 0.4  # standard deviation of the noise of each channel over that of the brightness
_COARSE_NOISE_SHARE = 0.4  # of the noise spreads over neighbouring pixels, as after a camera's own noise reduction


def photograph(rng: np.random.Generator, flat: FlatPlate, view: View, camera: Camera) -> np.ndarray:
    """Take the picture.

    Returns:
        (H, W, 3) uint8 RGB of the view's size.
    """
    grey, night = rng.random(2) < (camera.grey_probability, camera.night_probability)
    picture = _light(rng, _sample(flat, view), camera)
    picture = _expose(rng, picture, camera, grey=grey, night=night)
    picture = _lens(rng, picture, camera, view.reduction)
    picture = _sensor(rng, picture, camera, view.reduction, grey=grey, night=night)
    return _compress(rng, np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8), camera, view.reduction)


def _sample(flat: FlatPlate, view: View) -> np.ndarray:
    """The plate as the camera sees it, with the edge of its surroundings drawn out where they end."""
    x, y = view.flat_grid(_OVERSAMPLING)
    scale = np.float32(flat.canvas.px_per_mm)
    shift = np.float32(flat.canvas.pad_px - 0.5)  # OpenCV counts from pixel centres
    fine = cv2.remap(
        flat.picture, x * scale + shift, y * scale + shift, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cv2.resize(fine, view.size_px, interpolation=cv2.INTER_AREA))


def _ramp(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A plane that runs from 0 to 1 across the picture in a direction at random, (h, w) float32."""
    height, width = shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    x = np.linspace(-1, 1, width, dtype=np.float32) * np.float32(np.cos(angle))
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.float32(np.sin(angle))
    return np.asarray((x + y) / np.float32(2 * (abs(np.cos(angle)) + abs(np.sin(angle)))) + np.float32(0.5))


def _light(rng: np.random.Generator, picture: np.ndarray, camera: Camera) -> np.ndarray:
    """Uneven light, shadows with an edge, reflections."""
    light = 1 - rng.uniform(0, camera.max_gradient) * _ramp(rng, picture.shape)
    if rng.random() < camera.shade_probability:
        edge = np.clip((_ramp(rng, picture.shape) - rng.uniform(0.2, 0.8)) / rng.uniform(0.01, 0.15) + 0.5, 0, 1)
        light = light * (1 - (1 - rng.uniform(*_SHADE_LEFT)) * edge)
    picture = picture * light[..., None].astype(np.float32)
    if rng.random() < camera.glare_probability:
        centre, width = rng.uniform(0, 1), rng.uniform(0.05, 0.3)
        glare = rng.uniform(*_GLARE_STRENGTH) * np.exp(-(((_ramp(rng, picture.shape) - centre) / width) ** 2))
        picture = picture + glare[..., None].astype(np.float32) * (1 - picture)
    return np.asarray(picture)


def _expose(rng: np.random.Generator, picture: np.ndarray, camera: Camera, *, grey: bool, night: bool) -> np.ndarray:
    """Amount and colour of the light, haze, and what a monochrome camera makes of colours."""
    stops = camera.max_exposure_stops * rng.uniform(-1, _NIGHT_EXPOSURE if night else _OVEREXPOSURE)
    warmth, tint = camera.max_cast * rng.uniform(-1, 1, 2)
    gains = np.array([1 + warmth, 1 + _TINT * tint, 1 - warmth], np.float32)
    haze, veil = rng.uniform(0, 0 if night else camera.max_haze), rng.uniform(0.2, 0.8)
    picture = picture + np.float32(haze) * (np.float32(veil) - picture)
    if grey:
        mix = rng.dirichlet(_GREY_MIX).astype(np.float32)
        picture, gains = np.repeat((picture @ mix)[..., None], 3, axis=2), np.ones(3, np.float32)
    # Stops count light, pictures are gamma-encoded: a factor of 2 in light is one of 2 ** (1 / 2.2) here.
    return np.asarray(np.clip(picture * gains * np.float32(2 ** (stops / 2.2)), 0, 1))


def _lens(rng: np.random.Generator, picture: np.ndarray, camera: Camera, reduction: float) -> np.ndarray:
    """Blur of the lens and of motion, both smaller in a picture that was reduced."""
    sigma, length, angle = rng.uniform(0, [camera.max_blur_px / reduction, camera.max_motion_px / reduction, np.pi])
    if sigma > 0.1:
        picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    if length > 1:
        picture = cv2.filter2D(picture, -1, motion_kernel(length, angle))
    return picture


def _sensor(
    rng: np.random.Generator, picture: np.ndarray, camera: Camera, reduction: float, *, grey: bool, night: bool
) -> np.ndarray:
    """Noise, then the sharpening that cameras apply to it and to the picture alike; a reduction averages them out."""
    noise, gain = rng.uniform(0, [camera.max_noise / reduction, camera.max_sharpening / reduction])
    noise *= _NIGHT_NOISE if night else 1
    if noise > 0:
        grain = rng.standard_normal((*picture.shape[:2], 4), dtype=np.float32)
        coarse = cv2.blur(grain, (3, 3)) * 3  # the mean of nine draws has a third of their spread
        grain += np.float32(_COARSE_NOISE_SHARE) * (coarse - grain)
        colour_noise = np.float32(0 if grey else _COLOUR_NOISE)
        picture = picture + np.float32(noise) * (grain[..., :1] + colour_noise * grain[..., 1:])
    if gain > 0:
        picture = picture + np.float32(gain) * (picture - cv2.GaussianBlur(picture, (0, 0), _SHARPENING_SIGMA_PX))
    return picture


def _compress(rng: np.random.Generator, picture: np.ndarray, camera: Camera, reduction: float) -> np.ndarray:
    """JPEG artefacts; a quality of 100 leaves the picture as it is."""
    loss = _BEST_JPEG_QUALITY - int(rng.integers(camera.min_jpeg_quality, _BEST_JPEG_QUALITY + 1))
    quality = _BEST_JPEG_QUALITY - round(loss / reduction)
    if quality == _BEST_JPEG_QUALITY:
        return picture
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[..., ::-1])
