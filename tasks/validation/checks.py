"""What is checked, as data: a column of a table, a rule, and the words for a value that breaks it."""

from dataclasses import dataclass

from acl_core.data.manifest import DatasetCard
from acl_core.params import OnDrift, Validation
from acl_core.statistics.drift import CLASSES, MEASURES

_OUTSIDE_TOLERANCE_PX = 0.01  # boxes are float32
_OF_BOXES = {"class", "text", "characters", "box_side_px", "box_outside_px", "box_aspect"}  # not of a set of texts


@dataclass(frozen=True)
class Between:
    """Values from ``low`` to ``high``; None is no bound. A missing value breaks no bound."""

    low: float | None
    high: float | None


@dataclass(frozen=True)
class OneOf:
    """One of a few values."""

    values: tuple[str | bool, ...]


@dataclass(frozen=True)
class Empty:
    """No value at all: the column names what is wrong where something is."""


@dataclass(frozen=True)
class Check:
    """One expectation.

    Attributes:
        name: Key in ``reports/validation.json``.
        column: Of the table that is checked.
        rule: What its values have to be.
        reason: What is wrong with a row whose value breaks the rule; ``{value}`` stands for it.
        rejects: Whether such a row is left out; otherwise it is only told.
    """

    name: str
    column: str
    rule: Between | OneOf | Empty
    reason: str
    rejects: bool = True


def plate_checks(bounds: Validation, card: DatasetCard) -> list[Check]:
    """What every plate has to be, one row of the table a plate."""
    last = len(card.classes) - 1
    checks = [
        Check("picture", "picture", OneOf(("ok",)), "the picture {value}"),
        _bounded("width_px", "picture {value:g} px wide", bounds.width_px),
        _bounded("height_px", "picture {value:g} px high", bounds.height_px),
        _bounded("aspect", "picture {value:.2f} times as wide as high", bounds.aspect),
        Check(
            "class",
            "worst_class",
            Between(0, last),
            f"class {{value:g}} is not in classes.txt ({last + 1} classes, 0 to {last})",
        ),
        Check("text", "text_agrees", OneOf((True,)), "its text is not what its characters say"),
        _bounded("characters", "{value:g} characters", bounds.characters, "n_characters"),
        _bounded("box_side_px", "a character's box {value:.2f} px wide or high", bounds.box_side_px),
        Check(
            "box_outside_px",
            "box_outside_px",
            Between(None, _OUTSIDE_TOLERANCE_PX),
            "a character's box reaches {value:.2f} px out of the picture",
        ),
        _bounded(
            "box_aspect", "a character's box {value:.2f} times as wide as high", bounds.box_aspect, "box_aspect_min"
        ),
        _bounded(
            "box_aspect", "a character's box {value:.2f} times as wide as high", bounds.box_aspect, "box_aspect_max"
        ),
        _bounded("brightness", "brightness {value:.3f}", bounds.brightness),
        _bounded("contrast", "contrast {value:.3f}", bounds.contrast),
        _bounded("sharpness", "sharpness {value:.1f}", bounds.sharpness),
        Check("text_on_two_sides", "same_text", Empty(), "its text stands on a side that comes first: {value}"),
        Check(
            "picture_on_two_sides", "same_picture", Empty(), "its picture stands on a side that comes first: {value}"
        ),
        Check(
            "near_on_two_sides",
            "near_picture",
            Empty(),
            "nearly its picture stands on a side that comes first: {value}",
        ),
        Check("repeated", "repeated", Empty(), "its picture stands on the same side: {value}", rejects=False),
    ]
    if card.texts_only:
        checks = [check for check in checks if check.name not in _OF_BOXES]
    if card.scale is not None:
        off = f"HR is {{value:g}} px away from LR times {card.scale}"
        checks.append(Check("lr_size", "lr_off_px", Between(0, 0), off))
    return checks


def class_checks(bounds: Validation) -> list[Check]:
    """What should hold of every class, one row of the table a class."""
    return [
        Check(
            "only_in_test", "only_in_test", Between(None, 0), "{value:g} times in test, never in train", rejects=False
        ),
        Check(
            "rare_in_train",
            "train",
            Between(bounds.min_class_count, None),
            f"{{value:g}} times in train, below validation.min_class_count ({bounds.min_class_count})",
            rejects=False,
        ),
    ]


def drift_checks(bounds: Validation) -> list[Check]:
    """How far plates may be from those that they are held against, one row of the table a measure."""
    stop = bounds.drift is OnDrift.STOP
    return [
        Check("drift", measure, Between(None, bounds.max_ks), _above("KS", "max_ks", bounds.max_ks), stop)
        for measure in MEASURES
    ] + [
        Check(
            "drift",
            CLASSES,
            Between(None, bounds.max_cramers_v),
            _above("V", "max_cramers_v", bounds.max_cramers_v),
            stop,
        )
    ]


def _bounded(name: str, what: str, bounds: tuple[float, float], column: str | None = None) -> Check:
    low, high = bounds
    return Check(name, column or name, Between(low, high), f"{what}, not {low:g} to {high:g} (validation.{name})")


def _above(what: str, name: str, bound: float) -> str:
    return f"{what} {{value:.3f}} above validation.{name} ({bound:g})"
