"""DVC stage: is the set sound? Plates that are not are left out, each with its reasons."""

import html
import json
import logging
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from acl_core.data.manifest import DatasetCard, Rejected, read_card
from acl_core.data.subset import copy_without
from acl_core.errors import DataError
from acl_core.files import write_atomically
from acl_core.params import OnDrift, Privacy, Validation
from acl_core.params_plates import Plates
from acl_core.statistics.drift import Drift
from acl_core.statistics.frame import frame_of, iter_rows
from tasks.stages._main import main
from tasks.stages._rejected import Rejections
from tasks.validation.checks import class_checks, drift_checks, plate_checks
from tasks.validation.docs import write_docs
from tasks.validation.expectations import Result, validate
from tasks.validation.report import drifted, report_of, summary
from tasks.validation.tables import class_table, drift_rows, drift_table, plate_table

log = logging.getLogger(__name__)


def run(
    validation: Validation,
    plates: Plates,
    privacy: Privacy,
    *,
    hr: Path,
    out: Path,
    rejected: Path,
    docs: Path,
    report: Path,
) -> Mapping[str, float]:
    """Check every plate and the set as a whole; what is written says all that was found, also when the run stops here.

    Args:
        validation: The bounds.
        plates: The share of plates that may be left out.
        privacy: Whether the pages call plates by their names.
        hr: Shards of HR plates.
        out: Folder of shards to make: the same without the rejected plates.
        rejected: CSV of the plates that were left out, a line for each reason.
        docs: Folder of pages to write.
        report: JSON to write.

    Raises:
        DataError: Too many plates were left out, a side lost all its plates, or the set drifted and may not.
    """
    card = read_card(hr)
    bar = tqdm(iter_rows(hr), desc="validate", unit="plate", total=sum(card.plates.values()), disable=None)
    frame = frame_of(bar)
    checked = validate(
        "plates",
        plate_table(frame, validation, show_names=privacy.show_pictures),
        plate_checks(validation, card),
    )
    left_out = {broken.row for broken in checked.rejected()}
    left = frame.drop(index=list(left_out))
    drifts = drift_rows(left, card, validation)
    results = [checked, *_of_the_set(left, card, validation, drifts)]
    sides = {side: int((left["side"] == side).sum()) for side in card.plates}
    found = report_of(checked, results[1], drifts, sides, validation)
    _write_json(report, found)
    log.info("%s; open %s", summary(found), write_docs(docs, card.source, results, found).resolve())
    for warning in found["warnings"]:
        log.warning("%s", warning)
    _judge(checked, frame, sides, rejected, plates.max_rejected_share)
    if validation.drift is OnDrift.STOP and (beyond := drifted(drifts, validation)):
        raise DataError(
            f"{hr}: {'; '.join(beyond)}. Look at {docs}, then change the plates, or validation.drift to warn."
        )
    card = copy_without(hr, left_out, out)
    return {name: float(count) for name, count in card.plates.items()} | {"rejected": float(len(left_out))}


def _of_the_set(left: pd.DataFrame, card: DatasetCard, bounds: Validation, drifts: list[Drift]) -> list[Result]:
    return [
        validate("classes", class_table(left, card.classes), class_checks(bounds)),
        validate("drift", drift_table(drifts, bounds), drift_checks(bounds)),
    ]


def _judge(checked: Result, frame: pd.DataFrame, sides: Mapping[str, int], rejected: Path, max_share: float) -> None:
    """List what is left out, and stop where it is too much: of the plates, or all of a side."""
    reasons: dict[int, list[str]] = {}
    for broken in checked.rejected():
        reasons.setdefault(broken.row, []).append(html.unescape(broken.reason))
    rejections = Rejections(rejected, max_share)
    for row in sorted(reasons):
        rejections.add(Rejected(str(frame.loc[row, "name"]), "; ".join(reasons[row])))
    rejections.write()
    rejections.judge(sum(sides.values()))
    before = frame["side"].value_counts()
    for side, n in sides.items():
        if before.get(side, 0) and not n:
            raise DataError(
                f"{rejected}: no plate of the {side} side is left. Fix what is listed there, or the bounds."
            )


def _write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


if __name__ == "__main__":
    main(run)
