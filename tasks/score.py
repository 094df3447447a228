"""How well the networks of a workspace read pictures of which the text alone is known."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from acl_core.data.batches import PairSet
from acl_core.data.manifest import DatasetCard, Plate, Rejected, text_of
from acl_core.device import compute_of
from acl_core.errors import DataError
from acl_core.evaluate.method_names import MethodName
from acl_core.evaluate.methods import RECOGNIZER_FILE, TrainedMethods, method_names
from acl_core.evaluate.outcome import Method, readings, run_method
from acl_core.evaluate.texts import TextScores, score_texts
from acl_core.files import write_atomically
from acl_core.models.build import load_recognizer
from acl_core.models.weights import read_card
from acl_core.params import Params, load_params
from acl_core.sources.annotations import plates_of
from acl_core.sources.csv_texts import open_csv
from acl_core.statistics.table import Interval, text_table
from tasks.outs import reading_rule, stage_out

_HELD = 512  # plates in memory at once

AS_IT_IS = "hr"  # the recognizer of HR plates, on the picture as it is


@dataclass(frozen=True)
class Scored:
    """What was read.

    Attributes:
        tables: Of each group of pictures (``hr``, or ``x4``, ...): metrics of each method, with intervals.
        plates: Pictures in each group.
        rejected: Rows that could not be used.
        unknown: Letters of the texts that no class stands for, and in how many plates they occur.
    """

    tables: dict[str, dict[str, dict[str, Interval]]]
    plates: dict[str, int]
    rejected: list[Rejected]
    unknown: dict[str, int]


@dataclass
class _Group:
    """Pictures of one group so far."""

    texts: list[str] = field(default_factory=list)
    found: dict[str, list[np.ndarray]] = field(default_factory=lambda: defaultdict(list))
    names: list[str] = field(default_factory=list)


def score_folder(src: Path, models: Path, readings_to: Path | None = None) -> Scored:
    """Read the pictures of a table with each method of a workspace, and compare texts.

    A picture narrower than the workspace's ``plates.min_width_px`` is taken for a low-resolution one and enlarged by
    each method of each scale; any other is read as it is by the recognizer of HR plates.

    Args:
        src: A folder with a CSV table of pictures and texts.
        models: A workspace after its run.
        readings_to: CSV to write: what each method read on each plate.

    Raises:
        DataError: The table is unusable, or no row of it is usable.
        AclError: The workspace has not run to its end.
    """
    nets = _Networks(models)
    rejected: list[Rejected] = []
    groups: dict[str, _Group] = defaultdict(_Group)
    stream = _usable(plates_of(open_csv(src, nets.params.plates.direction), nets.params.plates, 0), rejected)
    while held := list(islice(stream, _HELD)):
        for name, plates in _grouped(held, nets.params).items():
            group = groups[name]
            group.texts += [plate.text for plate in plates]
            group.names += [plate.name for plate in plates]
            for method, found in nets.read(name, plates).items():
                group.found[method] += found
    if not groups:
        raise DataError(f"{src}: no usable row. The first: {rejected[0].file}: {rejected[0].reason}.")
    if readings_to is not None:
        write_atomically(readings_to, lambda path: _write(path, groups, nets.classes))
    letters = Counter(c for group in groups.values() for text in group.texts for c in set(text))
    known = set("".join(nets.classes))
    return Scored(
        tables={name: _table(groups[name], nets) for name in sorted(groups)},
        plates={name: len(groups[name].texts) for name in sorted(groups)},
        rejected=rejected,
        unknown={letter: n for letter, n in letters.most_common() if letter not in known},
    )


class _Networks:
    """The trained networks of a workspace, and the rules by which it reads."""

    def __init__(self, workspace: Path) -> None:
        self.params = load_params(workspace / "params.yaml")
        self._compute = compute_of(self.params.common)
        self._workspace = workspace
        first = stage_out(workspace, "pretrain_recognizer") / RECOGNIZER_FILE
        self.classes: tuple[str, ...] = tuple(read_card(first).get("classes", ()))
        self._methods = {f"x{scale}": self._of_scale(scale) for scale in self.params.scales}
        self._rules = {f"x{scale}": reading_rule(workspace, scale) for scale in self.params.scales}
        self._rules[AS_IT_IS] = self._rules[f"x{self.params.scales[0]}"]
        on_hr = load_recognizer(self.params.recognizer, self.classes, first, self._compute)
        self._methods[AS_IT_IS] = {AS_IT_IS: Method(None, on_hr)}

    def read(self, group: str, plates: Sequence[Plate]) -> dict[str, list[np.ndarray]]:
        """Class indices that each method reads on each plate of a group."""
        card = DatasetCard("scored", self.params.plates.direction, self.classes)
        pairs = PairSet(plates, card, 1 if group == AS_IT_IS else int(group[1:]))
        found = {}
        for method, (enlarger, recognizer) in self._methods[group].items():
            outcome = run_method(enlarger, recognizer, pairs, self._compute, self.params.sr.bucket_px)
            found[method] = [d.classes for d in readings(outcome, self._rules[group], card.direction)]
        return found

    def _of_scale(self, scale: int) -> dict[str, Method]:
        """All methods but HR, of which there is no picture here."""
        made = partial(stage_out, self._workspace, scale=scale)
        trained = TrainedMethods(scale, self.params.sr, self.params.recognizer, self.classes, made, self._compute)
        names = [name for name in method_names(self.params.rounds) if name is not MethodName.HR]
        return {name.value: trained.method(name) for name in names}


def _grouped(plates: Sequence[Plate], params: Params) -> dict[str, list[Plate]]:
    """Plates by how they are read; a small one stands in the group of each scale."""
    groups: dict[str, list[Plate]] = defaultdict(list)
    for plate in plates:
        if plate.hr.shape[1] >= params.plates.min_width_px:
            groups[AS_IT_IS].append(replace(plate, lr=plate.hr))
            continue
        for scale in params.scales:
            groups[f"x{scale}"].append(replace(plate, lr=plate.hr, hr=_enlarged(plate.hr, scale)))
    return groups


def _enlarged(lr: np.ndarray, scale: int) -> np.ndarray:
    """Stands in for the HR picture that is not known; it gives the batch its size."""
    size = (lr.shape[1] * scale, lr.shape[0] * scale)
    return np.asarray(Image.fromarray(lr).resize(size, Image.Resampling.BICUBIC))


def _usable(stream: Iterator[Plate | Rejected], rejected: list[Rejected]) -> Iterator[Plate]:
    for item in stream:
        if isinstance(item, Plate):
            yield item
        else:
            rejected.append(item)


def _table(group: _Group, nets: _Networks) -> dict[str, dict[str, Interval]]:
    scores: Mapping[str, TextScores] = {
        method: score_texts(found, group.texts, nets.classes) for method, found in group.found.items()
    }
    return text_table(scores, nets.params.evaluate.bootstrap, nets.params.common.seed)


def _write(path: Path, groups: Mapping[str, _Group], classes: Sequence[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "group", "method", "true", "read"])
        for name, group in sorted(groups.items()):
            for method, found in group.found.items():
                for row in zip(group.names, group.texts, found, strict=True):
                    writer.writerow([row[0], name, method, row[1], text_of(row[2], classes)])
