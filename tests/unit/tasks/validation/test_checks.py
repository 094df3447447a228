"""Each check with a row that breaks it, beside rows that break none, by the real Great Expectations."""

import html
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from acl_core.data.manifest import DatasetCard, Side, write_plates
from acl_core.params import OnDrift, Validation
from acl_core.params_plates import Direction
from acl_core.statistics.drift import CLASSES, Drift
from acl_core.statistics.frame import PlateRow, frame_of, iter_rows
from tasks.validation.checks import class_checks, drift_checks, plate_checks
from tasks.validation.expectations import LABEL, Result, validate
from tasks.validation.report import drifted, report_of, summary
from tasks.validation.tables import class_table, drift_table, plate_table
from tests.plates import CLASSES as NAMES
from tests.plates import params, toy_plate

BOUNDS = params().validation
CARD = DatasetCard("toy", Direction.LTR, NAMES, scale=4)
HOSTILE = "<script>x</script>&\x1b.png"

# One damage each to a sound train plate, and the check that has to find it; a word of the reason with it.
DAMAGES: dict[str, tuple[Callable[[PlateRow], PlateRow], str, str]] = {
    "truncated": (lambda r: r._replace(picture="does not decode (cut)"), "picture", "does not decode"),
    "narrow": (lambda r: r._replace(width_px=9.0), "width_px", "9 px wide"),
    "low": (lambda r: r._replace(height_px=5.0), "height_px", "5 px high"),
    "long": (lambda r: r._replace(aspect=20.0), "aspect", "20.00 times as wide"),
    "unknown class": (lambda r: r._replace(worst_class=3.0), "class", "(3 classes, 0 to 2)"),
    "negative class": (lambda r: r._replace(worst_class=-1.0), "class", "class -1 is not"),
    "other text": (lambda r: r._replace(text_agrees=False), "text", "not what its characters say"),
    "one character": (lambda r: r._replace(n_characters=1.0), "characters", "1 characters, not 2 to 12"),
    "no character": (lambda r: r._replace(n_characters=0.0), "characters", "0 characters"),
    "too many": (lambda r: r._replace(n_characters=40.0), "characters", "40 characters"),
    "no area": (lambda r: r._replace(box_side_px=-0.001), "box_side_px", "px wide or high"),
    "outside": (lambda r: r._replace(box_outside_px=3.0), "box_outside_px", "3.00 px out"),
    "sliver": (lambda r: r._replace(box_aspect_min=0.01), "box_aspect", "0.01 times as wide"),
    "flat box": (lambda r: r._replace(box_aspect_max=9.0), "box_aspect", "9.00 times as wide"),
    "dark": (lambda r: r._replace(brightness=0.01), "brightness", "brightness 0.010, not 0.05 to 0.95"),
    "bright": (lambda r: r._replace(brightness=0.99), "brightness", "0.990"),
    "dull": (lambda r: r._replace(contrast=0.001), "contrast", "(validation.contrast)"),
    "blurred": (lambda r: r._replace(sharpness=0.5), "sharpness", "sharpness 0.5"),
    "noise": (lambda r: r._replace(sharpness=1e6), "sharpness", "sharpness 1000000.0"),
    "lr": (lambda r: r._replace(lr_off_px=4.0), "lr_size", "4 px away from LR times 4"),
    "same text": (lambda r: r._replace(text="of the test side"), "text_on_two_sides", f"test: {HOSTILE}"),
    "same picture": (lambda r: r._replace(sha256="of the test side"), "picture_on_two_sides", "first: test: "),
    "near": (lambda r: r._replace(phash=b"\x01" + bytes(31)), "near_on_two_sides", "(1 of 256 bits differ)"),
    "repeated": (lambda r: r._replace(sha256="sound 0"), "repeated", "same side: train: sound 0"),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> PlateRow:
    folder = tmp_path_factory.mktemp("set") / "plates"
    write_plates([toy_plate(0)], DatasetCard("toy", Direction.LTR, NAMES), folder)
    return next(iter_rows(folder))._replace(lr_off_px=0.0)


def rows_of(sound: PlateRow) -> list[PlateRow]:
    def plate(name: str, side: Side = Side.TRAIN) -> PlateRow:
        seed = np.random.default_rng(sum(map(ord, name)))
        return sound._replace(name=name, side=side.value, text=name, sha256=name, phash=seed.bytes(32))

    test = plate(HOSTILE, Side.TEST)._replace(text="of the test side", sha256="of the test side", phash=bytes(32))
    rows = [plate("sound 0"), plate("sound 1"), plate("sound 2", Side.VALIDATION), test]
    rows += [damage(plate(name)) for name, (damage, _, _) in DAMAGES.items()]
    return [row._replace(row=i) for i, row in enumerate(rows)]


@pytest.fixture(scope="module")
def frame(sound: PlateRow) -> pd.DataFrame:
    return frame_of(rows_of(sound))


@pytest.fixture(scope="module")
def result(frame: pd.DataFrame) -> Result:
    return validate("plates", plate_table(frame, BOUNDS, show_names=True), plate_checks(BOUNDS, CARD))


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damage_breaks_its_check_alone(name: str, frame: pd.DataFrame, result: Result) -> None:
    row = frame.index[frame["name"] == name].item()
    (broken,) = [b for b in result.broken if b.row == row]
    _, check, words = DAMAGES[name]
    assert broken.check.name == check
    assert words.replace("\x1b", "\\x1b") in html.unescape(broken.reason)
    assert broken.check.rejects == (name != "repeated")


def test_sound_plates_break_nothing(frame: pd.DataFrame, result: Result) -> None:
    assert not {b.row for b in result.broken} & set(frame.index[:4])
    assert {b.check.name for b in result.broken} == {c.name for c in result.checks}


def test_names_of_plates_stay_out_where_they_must(frame: pd.DataFrame) -> None:
    table = plate_table(frame, BOUNDS, show_names=False)
    shown = table[[LABEL, "same_text", "same_picture", "near_picture", "repeated"]].to_numpy().ravel().tolist()
    assert "row 3" in shown
    assert "test: row 3" in shown
    assert not [text for text in map(str, shown) if "sound" in text or "script" in text]


def test_a_flat_picture_is_near_to_no_other(sound: PlateRow) -> None:
    flat = [sound._replace(row=i, name=str(i), text=str(i), sha256=str(i), contrast=0.0) for i in range(2)]
    table = plate_table(frame_of([flat[0], flat[1]._replace(side="test")]), BOUNDS, show_names=True)
    assert table["near_picture"].isna().all()


def test_classes_are_told_and_leave_nothing_out(frame: pd.DataFrame) -> None:
    names = ("a", "<b>", "c")
    few = [(0, Side.TRAIN, BOUNDS.min_class_count), (1, Side.TEST, 2), (2, Side.TRAIN, 3)]
    labels = [(np.full(n, index, np.int32).tobytes(), side.value) for index, side, n in few]
    plates = pd.DataFrame(labels, columns=["labels", "side"])
    result = validate("classes", class_table(plates, names), class_checks(BOUNDS))
    assert [(b.check.name, b.label) for b in result.told()] == [
        ("only_in_test", "&lt;b&gt;"),
        ("rare_in_train", "&lt;b&gt;"),
        ("rare_in_train", "c"),
    ]
    assert result.rejected() == []


@pytest.mark.parametrize("on_drift", OnDrift)
def test_drift_needs_both_a_difference_and_that_chance_does_not_make_it(on_drift: OnDrift) -> None:
    bounds = BOUNDS.model_copy(update={"drift": on_drift})
    rows = [
        Drift("width_px", 0.9, 0.0, 500, 500),
        Drift("height_px", 0.9, 0.5, 3, 3),  # few plates: chance
        Drift("brightness", 0.01, 0.0, 10**6, 10**6),  # many plates: no difference worth the name
        Drift(CLASSES, 0.9, 0.0, 500, 500),
    ]
    result = validate("drift", drift_table(rows, bounds), drift_checks(bounds))
    assert [b.check.column for b in result.broken] == ["width_px", "classes"]
    assert bool(result.rejected()) == (on_drift is OnDrift.STOP)
    assert len(drifted(rows, bounds)) == 2
    assert "KS 0.900 above validation.max_ks (0.2)" in result.broken[0].reason


def test_the_report_is_short_and_names_no_plate(frame: pd.DataFrame, result: Result) -> None:
    classes = validate("classes", class_table(frame, NAMES), class_checks(BOUNDS))
    report = report_of(result, classes, [], {"train": 3, "validation": 1, "test": 1}, BOUNDS)
    assert report["plates"] == {"checked": 28, "rejected": 23, "train": 3, "validation": 1, "test": 1}
    assert report["rejected"]["characters"] == 3
    assert report["rejected"]["near_on_two_sides"] == 1
    assert "repeated" not in report["rejected"]
    assert report["warnings"] == [
        "1 pictures stand on their side already, under another name",
        f"class 0: 0 times in train, below validation.min_class_count ({BOUNDS.min_class_count})",
    ]
    line = summary(report)
    assert line.startswith("28 plates, 23 rejected (picture 1, ")
    assert line.endswith("2 warnings")
    assert "sound" not in str(report)


def test_a_check_that_cannot_be_made_is_no_pass(frame: pd.DataFrame) -> None:
    table = plate_table(frame, BOUNDS, show_names=True).drop(columns=["brightness"])
    with pytest.raises(RuntimeError, match="brightness"):
        validate("plates", table, [check for check in plate_checks(BOUNDS, CARD) if check.name == "brightness"])


def test_bounds_stand_in_order() -> None:
    with pytest.raises(ValidationError, match="first bound must not be above"):
        Validation.model_validate(BOUNDS.model_dump() | {"contrast": (0.5, 0.1)})


def test_nothing_is_left_behind(frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    validate("classes", class_table(frame, NAMES), class_checks(BOUNDS))
    assert list(tmp_path.iterdir()) == []


def test_a_set_of_texts_is_not_held_against_rules_for_boxes() -> None:
    with_boxes, texts = (
        plate_checks(BOUNDS, DatasetCard("toy", Direction.LTR, NAMES, texts_only=t)) for t in (False, True)
    )
    assert {c.name for c in with_boxes} - {c.name for c in texts} == {
        "class",
        "text",
        "characters",
        "box_side_px",
        "box_outside_px",
        "box_aspect",
    }
