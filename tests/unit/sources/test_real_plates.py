"""Real pictures, where they are at hand: a folder with the EALPR character crops in YOLO form, named by EALPR."""

import os
from collections import Counter
from pathlib import Path

import pytest

from acl_core.data.manifest import Plate, Rejected, Side
from acl_core.sources.annotations import plates_of
from acl_core.sources.class_list import read_classes
from acl_core.sources.yolo import open_yolo
from tests.plates import ROOT, params

EALPR = Path(os.environ.get("EALPR", ROOT.parent / "shared" / "data" / "ealpr"))

pytestmark = pytest.mark.skipif(not EALPR.is_dir(), reason=f"no real plates at {EALPR}; set EALPR to their folder")


def test_every_file_is_a_plate_or_has_a_reason_and_no_text_stands_on_two_sides() -> None:
    source = params().plates.model_copy(update={"min_width_px": 96, "max_width_px": 144, "max_height_px": 96})
    items = list(plates_of(open_yolo(EALPR), source, seed=1))
    plates = [item for item in items if isinstance(item, Plate)]
    reasons = Counter(item.reason.split(" (")[0] for item in items if isinstance(item, Rejected))
    assert len(items) == 1631
    assert len(read_classes(EALPR)) == 27
    assert len(plates) == 1547
    assert sum(reasons.values()) == 84
    assert sum(n for reason, n in reasons.items() if "width" in reason) == 78
    texts = {side: {plate.text for plate in plates if plate.split is side} for side in Side}
    assert not texts[Side.TRAIN] & texts[Side.TEST]
    assert not texts[Side.TRAIN] & texts[Side.VALIDATION]
    assert not texts[Side.VALIDATION] & texts[Side.TEST]
