"""How the champion reads plates that came in since it was trained, and whether new pictures look like the old ones."""

import logging
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from acl_core.data.batches import PairSet
from acl_core.data.degrade import degrade
from acl_core.data.manifest import DatasetCard, Plate
from acl_core.data.sizes import check_sizes
from acl_core.errors import DataError
from acl_core.params import Monitor, Params, load_params
from acl_core.reader.package import lr_pictures
from acl_core.reader.reader import PlateReader
from acl_core.sources.annotations import plates_of
from acl_core.sources.pictures import fit_within, read_picture
from acl_core.sources.yolo import open_yolo
from acl_core.statistics.appearance import appearance
from acl_core.statistics.drift import Drift, compared, drift
from acl_core.statistics.frame import read_frame
from tasks import dvc_client
from tasks.inbox import fetch_new
from tasks.registry.store import MODEL, Alias, Registry

log = logging.getLogger(__name__)

_Z = 1.96  # of a two-sided 95 % interval


@dataclass(frozen=True)
class Quality:
    """The champion on new labelled plates.

    Attributes:
        version: The champion.
        plates: How many it read.
        rejected: New plates that cannot be used.
        read: How many it read without a mistake.
        expected: Share that it read of the test plates when it was promoted; of a champion that no gate saw, the floor.
    """

    version: str
    plates: int
    rejected: int
    read: int
    expected: float

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the share of plates read (Wilson); all of [0, 1] without plates."""
        n = self.plates
        if not n:
            return 0.0, 1.0
        share, spread = self.read / n, _Z**2 / n
        middle = (share + spread / 2) / (1 + spread)
        half = _Z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
        return middle - half, middle + half

    def fell(self, limits: Monitor) -> bool:
        """Whether even the best of the interval is too far below what was expected."""
        return self.plates >= limits.min_plates and self.interval[1] < self.expected - limits.max_fall


@dataclass(frozen=True)
class Health:
    """What a look at an inbox found.

    Attributes:
        quality: None where there is no champion, or no new labelled plate.
        drift: Of the pictures without labels, a row a measure; empty where there are too few.
        unlabelled: How many of those there are.
        limits: What counts as a fall and as a drift.
    """

    quality: Quality | None
    drift: Sequence[Drift]
    unlabelled: int
    limits: Monitor

    @property
    def fell(self) -> bool:
        """Whether the champion reads new plates worse than it should."""
        return self.quality is not None and self.quality.fell(self.limits)

    @property
    def drifted(self) -> list[Drift]:
        """Measures in which new pictures are others."""
        return [row for row in self.drift if row.statistic > self.limits.max_ks and row.p < self.limits.max_p]


def look(inbox: str, workspace: Path, registry: Registry | None = None) -> Health:
    """Read what is new in an inbox with the champion; nothing of the workspace or the inbox changes.

    Args:
        inbox: As for :func:`tasks.inbox.collect`.
        workspace: Whose source lacks what is new, and whose plates the champion was trained on.
        registry: Of the champion; None for the usual one.

    Raises:
        AclError: The inbox cannot be read, or the registry does not answer.
    """
    params = load_params(workspace / "params.yaml")
    limits = params.monitor
    with tempfile.TemporaryDirectory() as temporary:
        labelled, unlabelled = Path(temporary, "labelled"), Path(temporary, "unlabelled")
        found = fetch_new(inbox, workspace, labelled, unlabelled, limits.max_plates)
        log.info("%s: %s", inbox, found)
        quality = _quality(labelled, params, registry or Registry()) if found.new else None
        rows = _drift(unlabelled, workspace, params) if len(found.waiting) >= limits.min_plates else []
        return Health(quality, rows, len(found.waiting), limits)


def _quality(folder: Path, params: Params, registry: Registry) -> Quality | None:
    """The champion on a YOLO folder."""
    number = registry.version_of(Alias.CHAMPION)
    if number is None:
        return None
    with tempfile.TemporaryDirectory() as temporary:
        reader = PlateReader.load(registry.fetch(f"models:/{MODEL}/{number}", Path(temporary)))
    pairs, rejected = _pairs(folder, params, reader.card.scale)
    texts = [plate.text for plate in reader.read(lr_pictures(pairs))] if pairs.plates else []
    read = sum(text == plate.text for text, plate in zip(texts, pairs.plates, strict=True))
    expected = float(registry.version(number).tags.get("plates_read", params.promote.min_plates_read))
    return Quality(number, len(texts), rejected, read, expected)


def _pairs(folder: Path, params: Params, scale: int) -> tuple[PairSet, int]:
    """Plates with LR as the workspace makes it, and how many cannot be used."""
    found = open_yolo(folder)
    plates: list[Plate] = []
    rejected = 0
    for item in plates_of(found, params.plates, params.common.seed):
        try:
            if not isinstance(item, Plate):
                raise DataError(item.reason)
            plates.append(check_sizes(degrade(item, scale, params.degrade.steps, params.common.seed), scale))
        except DataError as error:
            rejected += 1
            log.warning("%s: left out, %s", item.name if isinstance(item, Plate) else item.file, error)
    card = DatasetCard("inbox", params.plates.direction, found.characters(params.plates.plate_class), scale)
    return PairSet(plates, card, scale), rejected


def _drift(folder: Path, workspace: Path, params: Params) -> list[Drift]:
    """Sizes and looks of pictures against those of the training plates; none where these are not here."""
    reference = workspace / dvc_client.outs(workspace, "validate")[0]
    if not reference.is_dir():
        return []
    rows = []
    for file in sorted(folder.iterdir()):
        try:
            picture = read_picture(file)
        except DataError as error:
            log.warning("%s: left out, %s", file.name, error)
            continue
        hr, _ = fit_within(picture, params.plates.max_width_px, params.plates.max_height_px)
        rows.append({"width_px": float(hr.shape[1]), "height_px": float(hr.shape[0])} | appearance(hr)._asdict())
    new, known = compared(pd.DataFrame(rows), read_frame(reference))
    return drift(new, known, np.zeros((2, 1), dtype=np.int64)) if rows else []
