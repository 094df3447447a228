"""The model card of a version: what it was made from, how well it reads, what it is not good for."""

from pathlib import Path
from typing import Any

import numpy as np

from acl_core.params import load_params
from acl_core.reader.card import ReaderCard
from acl_core.reader.sizing import largest_enlarged
from acl_core.statistics.paired import bootstrap_interval
from tasks.outs import evaluation
from tasks.report.labels import METRICS, cell

_WATTS = 100  # to have an idea; nothing meters the machine
_COLUMNS = ("plates_read", "map50", "map50_95", "cer", "psnr_db", "ssim")
_METHODS = {"bicubic": "Bicubic, the same plates without this model", "hr": "HR (ceiling)"}


def summary(card: ReaderCard) -> str:
    """A few lines for the version's page in the registry."""
    known = card.provenance
    return (
        f"Reads plates of {len(card.classes)} classes, super-resolved x{card.scale} where they are small. "
        f"Workspace {known['workspace']}, {known['plates'].get('train', 0)} training plates "
        f"({known['data']}), commit {known['commit']}. The model card is in the run: model_card.md."
    )


def model_card(workspace: Path, scale: int, card: ReaderCard) -> str:
    """The whole card as Markdown.

    Raises:
        DataError: The workspace has not been evaluated.
    """
    parts = [_head(card), _data(card), _metrics(workspace, scale, card), _calibration(card)]
    return "\n".join([*parts, _limits(workspace, scale, card), _LICENCE, _cost(card)])


def final_row(table: dict[str, Any]) -> str:
    """The method of the final pair: the last round, where there are several."""
    return "rounds" if "rounds" in table else "phase2"


def _head(card: ReaderCard) -> str:
    return (
        f"# acl-plate-reader, x{card.scale}\n\n"
        "Reads a picture of **one plate, cropped and upright**, of any size: text, and a calibrated confidence for\n"
        "each character. Two networks that were trained together, a super-resolver for small plates and a recognizer\n"
        "behind it (alternative collaborative learning, doi 10.1109/ACCESS.2022.3153116). They fit each other and\n"
        "no other.\n"
    )


def _data(card: ReaderCard) -> str:
    known = card.provenance
    plates = ", ".join(f"{number} {side}" for side, number in known["plates"].items())
    classes = " ".join(card.classes)
    return (
        f"## Data\n\n{known['data']}: {plates} plates, split by plate string. SHA-256 of the pairs: "
        f"`{known['data_sha256']}`.\n\n{len(card.classes)} classes, read {card.direction.value}: {classes}\n\n"
        f"Training seed {known['seed']}, code {known['commit']}.\n"
    )


def _metrics(workspace: Path, scale: int, card: ReaderCard) -> str:
    table = evaluation(workspace, scale, "table.json")
    final = final_row(table)
    names = {"bicubic": _METHODS["bicubic"], final: "**This model**", "hr": _METHODS["hr"]}
    lines = [
        "## How well it reads",
        "",
        f"Test plates at x{card.scale}, one seed; in brackets the 95 % bootstrap interval over plates.",
        "",
        f"| | {' | '.join(METRICS[metric][0] for metric in _COLUMNS)} |",
        "|---" * (len(_COLUMNS) + 1) + "|",
    ]
    lines += [
        f"| {name} | {' | '.join(cell(table[method], metric) for metric in _COLUMNS)} |"
        for method, name in names.items()
        if method in table
    ]
    return "\n".join([*lines, "", *_by_kind(workspace, scale, final), *_by_degradation(workspace, scale, final)])


def _by_kind(workspace: Path, scale: int, final: str) -> list[str]:
    """Plates read of each plate type, with 95 % bootstrap intervals; imported plates have no types."""
    outcomes = evaluation(workspace, scale, "outcomes.json")
    params = load_params(workspace / "params.yaml")
    kinds, read = np.array(outcomes.get("kind", [])), np.array(outcomes["read"][final], np.float64)
    lines = []
    for kind in sorted(set(kinds.tolist()) - {""}):
        hits = read[kinds == kind]
        low, high = bootstrap_interval(hits, np.ones(len(hits)), params.evaluate.bootstrap, params.common.seed)
        shares = f"{100 * hits.mean():.1f} ({100 * low:.1f} to {100 * high:.1f})"
        lines.append(f"| {kind} | {len(hits)} | {shares} |")
    head = ["| plate type | plates | read without a mistake, % |", "|---|---|---|"]
    return [*head, *lines, ""] if lines else ["By plate type: these plates have none.", ""]


def _by_degradation(workspace: Path, scale: int, final: str) -> list[str]:
    """The same plates under the named severities of the evaluation; docs/METHOD.md has their recipes."""
    suite = evaluation(workspace, scale, "suite.json")
    lines = [f"| degradation | {METRICS['plates_read'][0]} | {METRICS['map50'][0]} |", "|---|---|---|"]
    for severity, table in suite.items():
        cells = " | ".join(cell(table[final], metric) for metric in ("plates_read", "map50"))
        lines.append(f"| {severity} | {cells} |")
    return [*lines, ""]


def _calibration(card: ReaderCard) -> str:
    measured = card.provenance["calibration_on_validation"]
    before, after = (measured[f"expected_error_{when}"] for when in ("before", "after"))
    if before is None:
        return "## Confidence\n\nNot calibrated: no character was read on validation.\n"
    return (
        f"## Confidence\n\nLog-odds / {card.calibration.temperature:.3f} + {card.calibration.shift:.3f}, fitted on the "
        f"{measured['characters']} characters read on validation. Expected calibration error there (10 bins): "
        f"{before:.3f} before, {after:.3f} after. A plate's confidence is the product of its characters'; a character "
        "that was missed does not lower it.\n"
    )


def _limits(workspace: Path, scale: int, card: ReaderCard) -> str:
    real = not evaluation(workspace, scale, "meta.json").get("aligned", True)
    lr, hr, most = card.sizes.lr_max_px, card.sizes.hr_max_px, largest_enlarged(card.sizes)
    return (
        "## Limits\n\n"
        f"- Trained on plates of at most {lr[0]} x {lr[1]} px, "
        f"{'taken beside' if real else 'made by reduction from'} plates of at most {hr[0]} x {hr[1]} px.\n"
        f"  Plates up to {most[0]} x {most[1]} px are super-resolved, larger ones are read as they are.\n"
        "- Blur, noise, compression and motion beyond those of its plates are not covered.\n"
        "- Finds no plates in pictures of cars; reads no class that is not in the list above.\n"
        "- No language model and no rule of plate formats corrects the text.\n"
        "- Confidence was calibrated on plates like those of training; on others it may be too high.\n"
        "- Plates are personal data: know the law of the place before you read them.\n"
    )


_LICENCE = (
    "## Licence\n\n"
    "AGPL-3.0. The recognizer is built and trained with ultralytics, which is AGPL-3.0, and so is this project.\n"
    "Whoever passes the model on, or lets others use it over a network (an HTTP service, for example), offers\n"
    "them the source of the program that runs it under the same licence; use that reaches nobody outside obliges to\n"
    "nothing. Those who cannot live with that need a commercial licence of ultralytics and an agreement with\n"
    "the authors of this project. This is no legal advice.\n"
)


def _cost(card: ReaderCard) -> str:
    seconds = card.provenance.get("training_seconds")
    time = "not recorded" if seconds is None else f"{seconds / 60:.1f} minutes for the epochs of its trainings"
    energy = "" if seconds is None else f" A machine of {_WATTS} W would have taken {seconds * _WATTS / 3.6e6:.2g} kWh."
    return f"## Cost\n\nTraining time: {time}. Energy: not metered.{energy}\n"
