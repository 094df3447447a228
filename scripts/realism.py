"""How many real plates a recognizer reads that was trained on synthetic ones alone, at HR.

The real plates are a workspace that was imported, the recognizer is that of a synthetic workspace. The reading rule is
chosen on synthetic validation plates. Real plates are told apart by their text into one half to look at while the
generator is tuned and one half that is only counted.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from acl_core.data.batches import PairSet
from acl_core.data.manifest import Side, read_card
from acl_core.device import compute_of
from acl_core.errors import DataError
from acl_core.evaluate.methods import RECOGNIZER_FILE
from acl_core.evaluate.outcome import run_method
from acl_core.evaluate.transfer import half_of, read_elsewhere
from acl_core.models.build import load_recognizer
from acl_core.params import load_params
from acl_core.sources.synthetic.layout import load_layout
from acl_core.statistics.table import choose_rule
from tasks import dvc_client
from tasks.environment import one_line_errors, prepare
from tasks.workspace import find_workspace

_BUCKET_PX = 16


def realism(trained: Path, real: Path) -> list[tuple[str, str, str]]:
    """What the synthetic workspace's recognizer reads on the real workspace's plates, of all sides.

    Returns:
        Half, true text and read text of each plate.
    """
    params = load_params(trained / "params.yaml")
    synthetic, weights = _out(trained, "plates"), _out(trained, "pretrain_recognizer") / RECOGNIZER_FILE
    compute = compute_of(params.common)
    validation = PairSet.load(synthetic, Side.VALIDATION)
    classes = validation.card.classes
    recognizer = load_recognizer(params.recognizer, classes, weights, compute)
    on_validation = run_method(None, recognizer, validation, compute, _BUCKET_PX)
    grid = params.evaluate
    rule = choose_rule([on_validation], validation, grid.confidences, grid.overlaps)
    plates = _all_sides(_out(real, "plates"))
    regions = load_layout(trained / params.plates.source).regions
    unlabelled = set(regions) - set(plates.card.classes)
    texts = read_elsewhere(recognizer, classes, plates, rule, compute, unlabelled=unlabelled)
    return [(half_of(plate.text), plate.text, text) for plate, text in zip(plates.plates, texts, strict=True)]


def _out(workspace: Path, stage: str) -> Path:
    return workspace / dvc_client.outs(workspace, stage)[0]


def _all_sides(folder: Path) -> PairSet:
    card = read_card(folder)
    plates = [plate for side in Side if card.plates.get(side.value) for plate in PairSet.load(folder, side).plates]
    if not plates:
        raise DataError(f"{folder}: no plates. Import some with `acl import FORMAT SRC`.")
    return PairSet(plates, card, 1)


def table(rows: Sequence[tuple[str, str, str]]) -> str:
    """Plates read without a mistake in each half and in all, as Markdown."""
    lines = ["| plates | read | of | % |", "|---|---|---|---|"]
    for name, halves in (("look", {"look"}), ("final", {"final"}), ("all", {"look", "final"})):
        right = [true == found for half, true, found in rows if half in halves]
        lines.append(f"| {name} | {sum(right)} | {len(right)} | {100 * sum(right) / max(1, len(right)):.1f} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and print the table."""
    parser = argparse.ArgumentParser(description="Score a recognizer trained on synthetic plates on real ones, at HR.")
    parser.add_argument("--trained", default=".", help="synthetic workspace, after `dvc repro pretrain_recognizer`")
    parser.add_argument("--real", required=True, help="workspace of imported plates")
    parser.add_argument("--wrong", action="store_true", help="also list the misread plates of the half `look`")
    options = parser.parse_args(arguments)
    prepare("realism")
    logging.getLogger().setLevel(logging.WARNING)
    with one_line_errors():
        rows = realism(find_workspace(options.trained), find_workspace(options.real))
    sys.stdout.write(table(rows) + "\n")
    if options.wrong:
        sys.stdout.writelines(f"{t}: {f}\n" for half, t, f in rows if half == "look" and t != f)


if __name__ == "__main__":
    main()
