"""Each effect comes at the rate that was asked for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acl_core.data.manifest import Plate
from acl_core.sources import synthetic
from acl_core.sources.synthetic.generate import draw_plates
from acl_core.sources.synthetic.layout import Layout, load_layout
from tests.unit.sources.test_synthetic import CLEAN_CAMERA, MAX_SIZE, synthetic_params


@pytest.fixture(scope="module")
def layout() -> Layout:
    """The layout of Korean plates."""
    return load_layout(Path(synthetic.__file__).with_name("korean_plates.json"))


def draw(layout: Layout, n: int = 24, **camera: Any) -> list[Plate]:
    """White plates, clean but for these settings of the camera."""
    settings = {"types": {"P2": 1.0}, "train": n, "validation": 1, "test": 1, "camera": CLEAN_CAMERA | camera}
    return list(draw_plates(layout, synthetic_params(layout, hard=False, **settings), 1, max_size=MAX_SIZE))


def brightness(plates: list[Plate]) -> np.ndarray:
    """Mean level of each picture."""
    return np.array([plate.hr.mean() for plate in plates])


def test_nights_are_dark(layout: Layout) -> None:
    light = {"max_exposure_stops": 3, "night_probability": 0}
    day, night = draw(layout, **light), draw(layout, **light | {"night_probability": 1})
    assert (brightness(night) <= brightness(day) + 1).all()
    assert brightness(night).max() < np.median(brightness(day))
    half = brightness(draw(layout, **light | {"night_probability": 0.5}))
    assert 4 <= (half < brightness(day) - 1).sum() <= 22


def test_reduced_pictures_are_wide_and_have_less_noise(layout: Layout) -> None:
    noise = {"max_noise": 0.1, "max_blur_px": 0}

    def roughness(plates: list[Plate]) -> float:
        return float(np.mean([np.abs(np.diff(plate.hr[:4, :, 0].astype(float), axis=1)).mean() for plate in plates]))

    plain, reduced = draw(layout, **noise), draw(layout, **noise | {"reduced_probability": 1})
    assert len({plate.hr.shape[1] for plate in plain}) > 5
    assert {plate.hr.shape[1] for plate in reduced} == {MAX_SIZE[0]}
    assert roughness(reduced) < 0.8 * roughness(plain)


def test_plates_are_turned_and_sheared_at_their_rates(layout: Layout) -> None:
    def slopes(plates: list[Plate]) -> np.ndarray:
        middles = [(plate.boxes[[3, 6], :2] + plate.boxes[[3, 6], 2:]) / 2 for plate in plates]
        return np.array([abs(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in middles])

    assert slopes(draw(layout)).max() < 0.03
    sheared = slopes(draw(layout, shear_probability=0.5, max_shear_deg=20))
    assert 4 <= (sheared > 0.03).sum() <= 20
    turned = slopes(draw(layout, max_roll_deg=20, turn_probability=1))
    frontal = slopes(draw(layout, max_roll_deg=20, turn_probability=0))
    assert frontal.max() < np.tan(np.radians(20 / 5)) + 0.03 < turned.max()
