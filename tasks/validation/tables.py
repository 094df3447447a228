"""The tables that are checked: plates, classes, drift."""

import html
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from acl_core.data.manifest import DatasetCard, read_card
from acl_core.errors import DataError
from acl_core.params import Validation
from acl_core.statistics.drift import CLASSES, MEASURES, Drift, compared, drift, in_both
from acl_core.statistics.frame import class_counts, read_frame
from acl_core.statistics.near import near_on_stronger_side, repeated_on_same_side, same_on_stronger_side
from tasks.data.printable import printable
from tasks.validation.expectations import LABEL


def plate_table(frame: pd.DataFrame, bounds: Validation, *, show_names: bool) -> pd.DataFrame:
    """The frame of a set with what of it stands elsewhere, as columns that are empty where nothing does.

    Args:
        frame: Of :func:`~acl_core.statistics.frame.read_frame`.
        bounds: Bits that near pictures may differ by, and the contrast below which a hash says nothing of a picture.
        show_names: Whether plates are called by their names, otherwise by the numbers of their rows.
    """
    labels = frame["name"].map(label) if show_names else "row " + frame["row"].astype(str)
    called = frame["side"] + ": " + labels
    same = same_on_stronger_side(frame, "sha256")
    near = near_on_stronger_side(frame[frame["contrast"] >= bounds.contrast[0]], bounds.near_bits).reindex(frame.index)
    near_rows = near["row"].where(same.isna())
    distance = near["bits"].map(lambda bits: "" if pd.isna(bits) else f" ({bits:.0f} of 256 bits differ)")
    columns = {
        "same_text": same_on_stronger_side(frame, "text").map(called),
        "same_picture": same.map(called),
        "near_picture": near_rows.map(called) + distance,
        "repeated": repeated_on_same_side(frame).map(called),
    }
    none = {name: values.astype(object).where(values.notna(), None) for name, values in columns.items()}
    return frame.drop(columns=["phash", "labels"]).assign(**{LABEL: labels}, **none)


def class_table(frame: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Characters of each class on each side, and those on the test side of classes that train lacks."""
    counts = class_counts(frame, classes)
    only = counts["test"].where(counts["train"] == 0, 0)
    return counts.assign(**{LABEL: counts["class"].map(label), "only_in_test": only})


def drift_rows(frame: pd.DataFrame, card: DatasetCard, bounds: Validation) -> list[Drift]:
    """How far the plates are from the reference, or without one the test side from the train side.

    Raises:
        DataError: The reference holds no plates to learn from.
    """
    reference, names = None, card.classes
    if bounds.reference is not None:
        reference, names = read_frame(Path(bounds.reference)), read_card(Path(bounds.reference)).classes
    new, old = compared(frame, reference)
    if reference is not None and old.empty:
        raise DataError(f"{bounds.reference}: no plates on its train side. Set validation.reference to another set.")
    sums = [class_counts(part, known) for part, known in ((new, card.classes), (old, names))]
    totals = [counts[["train", "validation", "test"]].sum(axis=1).to_numpy() for counts in sums]
    return drift(new, old, in_both(card.classes, names, totals))


def drift_table(rows: Sequence[Drift], bounds: Validation) -> pd.DataFrame:
    """One row with the statistic of each measure; 0 where chance explains it, so that it breaks no bound."""
    told = {row.measure: row.statistic if row.p <= bounds.max_p else 0.0 for row in rows}
    values = {measure: told.get(measure, float("nan")) for measure in (*MEASURES, CLASSES)}
    return pd.DataFrame([{LABEL: "new plates", **values}])


def label(name: str) -> str:
    """A name as a page may hold it: Great Expectations puts the values of a table into its page as they are."""
    return html.escape(printable(name))
