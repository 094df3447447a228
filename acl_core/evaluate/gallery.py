"""Plates as each method sees them, and what each one read."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from acl_core.data.batches import PairSet
from acl_core.device import Compute
from acl_core.evaluate.decode import Detections
from acl_core.evaluate.outcome import Method, enlarge_plates
from acl_core.statistics.alignment import align


def write_gallery(
    folder: Path,
    pairs: PairSet,
    chosen: Sequence[int],
    methods: Mapping[str, Method],
    found: Mapping[str, Sequence[Detections]],
    compute: Compute,
    bucket_px: int,
) -> None:
    """Write a PNG a plate and method (and of LR), and ``gallery.json`` with the texts.

    Args:
        folder: To write to.
        pairs: The plates.
        chosen: Those of them that are shown.
        methods: Whose pictures.
        found: What each method read, of all plates.
        compute: Where the networks run.
        bucket_px: LR sizes are padded up to a multiple of this.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shown = PairSet([pairs.plates[i] for i in chosen], pairs.card, pairs.scale)
    pictures = {name: enlarge_plates(m.enlarger, shown, compute, bucket_px) for name, m in methods.items()}
    pictures["lr"] = [plate.lr for plate in shown.plates if plate.lr is not None]
    names = pairs.card.classes
    entries = []
    for row, index in enumerate(chosen):
        for column, images in pictures.items():
            Image.fromarray(images[row]).save(folder / f"{row:02d}-{column}.png")
        true = [names[c] for c in pairs.facts[index].classes]
        texts = {m: align([names[c] for c in rows[index].classes], true) for m, rows in found.items()}
        entries.append({"name": pairs.facts[index].name, "true": true, "texts": texts})
    text = json.dumps(entries, ensure_ascii=False, indent=2) + "\n"
    (folder / "gallery.json").write_text(text, encoding="utf-8")
