"""Synthetic plates against real ones, where they are at hand: a folder in COCO form, named by KARPLATE."""

import os
from pathlib import Path

import numpy as np
import pytest
import yaml

from acl_core.data.manifest import Plate, Rejected
from acl_core.evaluate.transfer import half_of
from acl_core.params import Params
from acl_core.sources.annotations import plates_of
from acl_core.sources.coco import open_coco
from acl_core.sources.synthetic.generate import draw_plates
from acl_core.sources.synthetic.layout import Layout, Slot, load_layout
from acl_core.statistics.appearance import appearance
from tasks.workspace import merge, read_profile
from tests.plates import ROOT

KARPLATE = Path(os.environ.get("KARPLATE", ROOT.parent / "shared" / "data" / "karplate"))

pytestmark = pytest.mark.skipif(not KARPLATE.is_dir(), reason=f"no real plates at {KARPLATE}; set KARPLATE to them")


@pytest.fixture(scope="module")
def profile() -> Params:
    """The parameters of the profile that is to look real."""
    base = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    return Params.model_validate(merge(base, read_profile("paper")))


@pytest.fixture(scope="module")
def layout(profile: Params) -> Layout:
    """The layout of Korean plates."""
    return load_layout(ROOT / profile.plates.source)


@pytest.fixture(scope="module")
def real(profile: Params) -> list[Plate]:
    """Real plates that are wide enough for HR."""
    source = profile.plates.model_copy(update={"min_width_px": 96})
    items = list(plates_of(open_coco(KARPLATE), source, seed=1))
    assert len(items) == 113
    assert sum(isinstance(item, Rejected) for item in items) == 3
    return [item for item in items if isinstance(item, Plate)]


def test_the_generator_can_write_what_real_plates_say(real: list[Plate], layout: Layout) -> None:
    letters = set(layout.choices("P1-1", Slot.LETTER))
    for plate in real:
        assert len(plate.text) == 7
        assert plate.text[2] in letters
        assert (plate.text[:2] + plate.text[3:]).isdigit()
    halves = [half_of(plate.text) for plate in real]
    assert (halves.count("look"), halves.count("final")) == (56, 54)


def test_synthetic_pictures_look_like_real_ones(real: list[Plate], layout: Layout, profile: Params) -> None:
    """Medians of synthetic one-line plates lie among the middle three fifths of real plates."""
    few = profile.plates.synthetic.model_copy(update={"types": {"P1-1": 1.0}, "train": 60, "validation": 1, "test": 1})
    drawn = list(draw_plates(layout, few, seed=1, max_size=(144, 96)))
    looks = [np.array([_looks(plate) for plate in plates]) for plates in (real, drawn)]
    low, high = np.percentile(looks[0], [20, 80], axis=0)
    middle = np.median(looks[1], axis=0)
    assert ((middle >= low) & (middle <= high)).all(), (low, middle, high)


def _looks(plate: Plate) -> tuple[float, ...]:
    """Brightness, contrast, sharpness over contrast squared, and aspect."""
    looks, (height, width) = appearance(plate.hr), plate.hr.shape[:2]
    return looks.brightness, looks.contrast, looks.sharpness / (255 * looks.contrast) ** 2, width / height
