"""Synthetic plates: the same for a seed, legal for their type, distinct, and boxed where the ink is."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acl_core.data.manifest import Plate, Side
from acl_core.errors import DataError, ParamsError
from acl_core.params_plates import Synthetic
from acl_core.sources import synthetic
from acl_core.sources.synthetic.generate import draw_plates
from acl_core.sources.synthetic.hand import Hand, jamo
from acl_core.sources.synthetic.layout import Layout, Slot, load_layout
from acl_core.sources.synthetic.lettering import Font, font_paths

LAYOUT_FILE = Path(synthetic.__file__).with_name("korean_plates.json")
MAX_SIZE = (144, 96)
CLEAN_CAMERA = {
    "max_yaw_deg": 0,
    "max_pitch_deg": 0,
    "max_roll_deg": 0,
    "turn_probability": 1,
    "shear_probability": 0,
    "max_shear_deg": 0,
    "max_margin": 0,
    "max_exposure_stops": 0,
    "max_gradient": 0,
    "max_cast": 0,
    "max_haze": 0,
    "night_probability": 0,
    "shade_probability": 0,
    "glare_probability": 0,
    "grey_probability": 0,
    "reduced_probability": 0,
    "max_blur_px": 0,
    "max_motion_px": 0,
    "max_noise": 0,
    "max_sharpening": 0,
    "min_jpeg_quality": 100,
}
HARD_CAMERA = {
    "max_yaw_deg": 60,
    "max_pitch_deg": 30,
    "max_roll_deg": 12,
    "turn_probability": 0.8,
    "shear_probability": 0.5,
    "max_shear_deg": 8,
    "max_margin": 0.3,
    "max_exposure_stops": 3,
    "max_gradient": 0.5,
    "max_cast": 0.2,
    "max_haze": 0.3,
    "night_probability": 0.3,
    "shade_probability": 0.5,
    "glare_probability": 0.5,
    "grey_probability": 0.5,
    "reduced_probability": 0.5,
    "max_blur_px": 1.2,
    "max_motion_px": 3,
    "max_noise": 0.03,
    "max_sharpening": 1.5,
    "min_jpeg_quality": 30,
}
CLEAN_STYLE = dict.fromkeys(
    ["max_weight", "max_stretch", "max_slant_deg", "max_bend_per_m", "max_relief", "fittings_probability"], 0.0
)
HARD_STYLE = {
    "max_weight": 0.25,
    "max_stretch": 0.12,
    "max_slant_deg": 4,
    "max_bend_per_m": 0.4,
    "max_relief": 0.3,
    "fittings_probability": 0.8,
}


def synthetic_params(layout: Layout, *, hard: bool, **changes: Any) -> Synthetic:
    """Params for a few plates of every type: 'clean' without any effect, or 'hard' with all of them."""
    values: dict[str, Any] = {
        "train": 18,
        "validation": 6,
        "test": 6,
        "types": dict.fromkeys(layout.types, 1.0),
        "letters": "",
        "width_px": (96, 144),
        "hand_share": 0.5,
        "dirt_probability": 0.5 if hard else 0.0,
        "camera": HARD_CAMERA if hard else CLEAN_CAMERA,
        **(HARD_STYLE if hard else CLEAN_STYLE),
    }
    return Synthetic.model_validate(values | changes)


def draw(layout: Layout, params: Synthetic, seed: int = 1, workers: int = 1) -> list[Plate]:
    """All plates."""
    return list(draw_plates(layout, params, seed, max_size=MAX_SIZE, workers=workers))


def one_type(layout: Layout, **facts: Any) -> Layout:
    """The layout with one white type of these facts and no other."""
    only = {"background": "white", "ink": "black", "use": "test", **facts}
    return Layout.model_validate(layout.model_dump(mode="json") | {"types": {"only": only}})


@pytest.fixture(scope="module")
def layout() -> Layout:
    """The layout of Korean plates."""
    return load_layout(LAYOUT_FILE)


@pytest.fixture(scope="module")
def hard_plates(layout: Layout) -> list[Plate]:
    """Thirty plates with all effects."""
    return draw(layout, synthetic_params(layout, hard=True))


def test_same_seed_same_bytes_with_any_number_of_workers(layout: Layout, hard_plates: list[Plate]) -> None:
    again = draw(layout, synthetic_params(layout, hard=True), workers=2)
    assert [(p.name, p.kind, p.text, p.split) for p in again] == [
        (p.name, p.kind, p.text, p.split) for p in hard_plates
    ]
    for one, other in zip(again, hard_plates, strict=True):
        assert one.hr.tobytes() == other.hr.tobytes()
        assert one.boxes.tobytes() == other.boxes.tobytes()
        assert one.classes.tobytes() == other.classes.tobytes()


def test_another_seed_gives_other_plates(layout: Layout, hard_plates: list[Plate]) -> None:
    other = draw(layout, synthetic_params(layout, hard=True), seed=2)
    assert not {plate.text for plate in other} & {plate.text for plate in hard_plates}


def test_plates_come_lazily(layout: Layout) -> None:
    many = synthetic_params(layout, hard=False, train=10**6)
    assert len(list(islice(draw_plates(layout, many, 1, max_size=MAX_SIZE), 2))) == 2


def test_strings_are_distinct_and_sides_follow_each_other(hard_plates: list[Plate]) -> None:
    assert len({plate.text for plate in hard_plates}) == len({plate.name for plate in hard_plates}) == 30
    assert [plate.split for plate in hard_plates] == [Side.TRAIN] * 18 + [Side.VALIDATION] * 6 + [Side.TEST] * 6


def test_pictures_and_boxes_stay_within_limits(hard_plates: list[Plate]) -> None:
    for plate in hard_plates:
        height, width = plate.hr.shape[:2]
        assert plate.hr.shape[2] == 3
        assert plate.hr.dtype == np.uint8
        assert 96 <= width <= MAX_SIZE[0]
        assert height <= MAX_SIZE[1]
        assert plate.boxes.dtype == np.float32
        assert (plate.boxes[:, :2] >= 0).all()
        assert (plate.boxes[:, 2:] <= [width, height]).all()
        assert (plate.boxes[:, 2:] - plate.boxes[:, :2] > 1).all()


@pytest.mark.parametrize("hand_share", [0.0, 1.0])
def test_boxes_lie_tight_around_the_ink(layout: Layout, hand_share: float) -> None:
    types = {name: 1.0 for name in layout.types if name != "P1-4"}  # a strip is no ink, and has the same contrast
    for plate in draw(layout, synthetic_params(layout, hard=False, hand_share=hand_share, types=types)):
        grey = plate.hr.astype(np.float64).mean(axis=2)
        paper = np.median(grey)
        ink = np.abs(grey - paper) > 0.4 * np.abs(grey - paper).max()
        for box in plate.boxes:
            left, top = np.floor(box[:2]).astype(int)
            right, bottom = np.ceil(box[2:]).astype(int)
            rows, columns = np.nonzero(ink[top:bottom, left:right])
            found = np.array([left + columns.min(), top + rows.min(), left + columns.max() + 1, top + rows.max() + 1])
            assert np.abs(found - box).max() <= 1.5, (plate.kind, plate.text)


def test_boxes_follow_a_turned_and_bent_plate(layout: Layout) -> None:
    turned = CLEAN_CAMERA | {"max_yaw_deg": 50, "max_pitch_deg": 25, "max_roll_deg": 15}
    lone = one_type(layout, size=[120, 110], slots="D", letters=[], chars=[[40, 30, 40, 50]])
    params = synthetic_params(lone, hard=False, camera=turned, max_bend_per_m=4, train=8, validation=1, test=1)
    for plate in draw(lone, params):
        left, top = np.floor(plate.boxes[0, :2] - 4).astype(int)
        right, bottom = np.ceil(plate.boxes[0, 2:] + 4).astype(int)
        rows, columns = np.nonzero(plate.hr[top:bottom, left:right].mean(axis=2) < 128)
        found = np.array([left + columns.min(), top + rows.min(), left + columns.max() + 1, top + rows.max() + 1])
        assert np.abs(found - plate.boxes[0]).max() <= 1.5, plate.text


def test_every_type_can_be_drawn_with_its_legal_characters(layout: Layout) -> None:
    for kind, plate_type in layout.types.items():
        params = synthetic_params(layout, hard=False, types={kind: 1.0}, train=3, validation=1, test=1)
        classes = layout.classes_of([kind])
        for plate in draw(layout, params):
            names = [classes[index] for index in plate.classes]
            assert plate.kind == kind
            assert "".join(names) == plate.text
            assert len(plate.boxes) == len(names) == len(plate_type.slots)
            for name, slot in zip(names, plate_type.slots, strict=True):
                assert name in layout.choices(kind, Slot(slot))


def test_letters_of_types(layout: Layout) -> None:
    assert set(layout.choices("P2", Slot.LETTER)) == set(
        layout.usage_letters["private"] + layout.usage_letters["rental"]
    )
    assert set(layout.choices("P4", Slot.LETTER)) == set("바사아자배")
    assert set(layout.choices("P6", Slot.LETTER)) == set(layout.usage_letters["private"])
    assert "세종" in layout.choices("P3", Slot.REGION)
    assert "세종" not in layout.choices("P5", Slot.REGION)


def test_classes_have_a_fixed_order(layout: Layout) -> None:
    classes = layout.classes_of(["P3", "P2"])
    assert classes == layout.classes_of(["P2", "P3"])
    letters = "".join(layout.usage_letters.values())
    assert classes == (*"0123456789", *letters, *layout.regions)
    assert layout.classes_of(["P2"]) == (
        *"0123456789",
        *layout.usage_letters["private"],
        *layout.usage_letters["rental"],
    )
    with pytest.raises(DataError, match="P9"):
        layout.classes_of(["P9"])


def test_every_typeface_can_write_every_class(layout: Layout) -> None:
    signs = set("".join(layout.classes_of(layout.types)))
    faces = [Font(path) for path in font_paths()] + [Hand(n, square=True, waist=0.0, bar_one=False) for n in (0, 65535)]
    assert len(font_paths()) >= 8
    for face in faces:
        masks = {sign: face.mask(sign, (40, 60), 6.0).tobytes() for sign in signs}
        assert len(set(masks.values())) == len(signs)
        assert all(any(mask) for mask in masks.values())


def test_syllables_fall_into_jamo() -> None:
    assert [jamo(syllable) for syllable in "서울원"] == [("ㅅ", "ㅓ", ""), ("ㅇ", "ㅜ", "ㄹ"), ("ㅇ", "ㅝ", "ㄴ")]


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (["types", "P2", "slots"], "DDHDDD", "types.P2.*chars"),
        (["types", "P2", "background"], "pink", "types.P2.background"),
        (["types", "P2", "size"], [400, 200], "types.P2.*chars.6"),
        (["types", "P5", "regions_left_out"], ["평양"], "types.P5.regions_left_out"),
        (["types", "P5", "letters"], ["secret"], "types.P5.letters"),
        (["regions"], [], "types.P3.slots"),
        (["surprise"], 1, "surprise"),
    ],
)
def test_a_wrong_layout_is_refused_by_name(tmp_path: Path, path: list[str], value: Any, named: str) -> None:
    raw = json.loads(LAYOUT_FILE.read_text(encoding="utf-8"))
    place = raw
    for key in path[:-1]:
        place = place[key]
    if path == ["regions"]:
        raw["types"]["P5"]["regions_left_out"] = []
    place[path[-1]] = value
    file = tmp_path / "layout.json"
    file.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(DataError, match=named) as caught:
        load_layout(file)
    assert "\n" not in str(caught.value)


def test_a_layout_that_is_no_json_or_missing(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="broken"):
        load_layout(tmp_path / "broken.json")
    with pytest.raises(DataError, match="not found"):
        load_layout(tmp_path / "none.json")


def test_too_few_strings_are_refused(layout: Layout) -> None:
    boxes = [[10, 10, 40, 80], [60, 10, 40, 80]]
    tiny = one_type(layout, size=[120, 110], slots="DH", letters=["delivery"], chars=boxes)
    few = synthetic_params(tiny, hard=False, train=8, validation=1, test=1)
    assert {plate.text for plate in draw(tiny, few)} == {f"{digit}배" for digit in range(10)}
    with pytest.raises(DataError, match="10 plate strings"):
        draw(tiny, few.model_copy(update={"test": 2}))


def test_impossible_params_are_refused(layout: Layout) -> None:
    with pytest.raises(ParamsError, match="width_px"):
        draw(layout, synthetic_params(layout, hard=False, width_px=(200, 300)))
    with pytest.raises(ParamsError, match="types"):
        draw(layout, synthetic_params(layout, hard=False, types={"P2": 0.0}))


def test_only_some_letters_are_drawn_when_asked(layout: Layout) -> None:
    few = layout.with_letters("가나바")
    assert few.classes_of(["P2"]) == (*"0123456789", "가", "나")
    assert few.classes_of(["P3"])[10:11] == ("바",)
    plates = draw(few, synthetic_params(layout, hard=False, types={"P2": 1.0}))
    assert {plate.text[2] for plate in plates} == {"가", "나"}
    assert layout.with_letters("") == layout
    with pytest.raises(DataError, match="X"):
        layout.with_letters("가X")
