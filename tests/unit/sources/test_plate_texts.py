"""Every type and every letter that it bears turn up, region names flat and stacked."""

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
import yaml

from acl_core.params import Params
from acl_core.params_plates import Synthetic
from acl_core.sources import synthetic
from acl_core.sources.synthetic.layout import Layout, Slot, load_layout
from acl_core.sources.synthetic.plate import draw_flat_plate
from acl_core.sources.synthetic.texts import draw_orders
from tasks.workspace import merge, read_profile
from tests.plates import ROOT


@pytest.fixture(scope="module")
def layout() -> Layout:
    """The layout of Korean plates."""
    return load_layout(Path(synthetic.__file__).with_name("korean_plates.json"))


@pytest.fixture(scope="module")
def paper() -> Synthetic:
    """The paper profile's generator."""
    base = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    return Params.model_validate(merge(base, read_profile("paper"))).plates.synthetic


def test_the_paper_profile_draws_every_letter_of_every_type(layout: Layout, paper: Synthetic) -> None:
    assert set(paper.types) == set(layout.types)
    assert paper.train + paper.validation >= 11_428
    assert paper.test == 1_999
    seen: dict[tuple[str, Slot], Counter[str]] = defaultdict(Counter)
    for order in draw_orders(layout.with_letters(paper.letters), paper, seed=1):
        for slot, name in zip(layout.types[order.kind].slots, order.names, strict=True):
            seen[order.kind, Slot(slot)][name] += 1
    for kind, plate_type in layout.types.items():
        for slot in {Slot(slot) for slot in plate_type.slots}:
            assert set(seen[kind, slot]) == set(layout.choices(kind, slot)), (kind, slot)
            assert min(seen[kind, slot].values()) >= 10, (kind, slot)
    drawn = {name for counter in seen.values() for name in counter}
    assert drawn == set("0123456789") | set("".join(layout.usage_letters.values())) | set(layout.regions)


@pytest.mark.parametrize(("kind", "stacked"), [("P3", False), ("P4", True), ("P5", False)])
def test_regions_stand_flat_or_stacked_as_their_box_asks(
    layout: Layout, paper: Synthetic, kind: str, stacked: bool
) -> None:
    plate_type = layout.types[kind]
    for region in layout.choices(kind, Slot.REGION):
        names = (region, *"12", layout.choices(kind, Slot.LETTER)[0], *"3456")
        flat = draw_flat_plate(np.random.default_rng(1), paper, plate_type, names, px_per_mm=0.5)
        width, height = np.ptp(flat.outlines[0], axis=0)
        assert (height > width) == stacked, region


def test_the_realism_profile_draws_the_papers_plates() -> None:
    paper, realism = (read_profile(name)["plates"] for name in ("paper", "realism"))
    counts = ("train", "validation", "test")
    for plates in (paper, realism):
        for count in counts:
            plates["synthetic"].pop(count)
    assert realism == paper
