"""Time and memory of bringing plates in, by their number: `python -m benchmarks.storage --plates 1000 10000`.

A YOLO folder is made of a few hundred drawn plates under many names (hard links: the disk is not what is measured), and
the stages that DVC would run are run on it, with the commands of dvc.yaml.
"""

import argparse
import os
import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from acl_core.data.manifest import encode_png
from acl_core.params import Params, load_params
from acl_core.sources.synthetic.generate import draw_plates
from acl_core.sources.synthetic.layout import load_layout
from benchmarks.measure import ROOT, Usage, run_python
from tasks.workspace import merge

STAGES = ("plates", "degrade")
_SCALE = 4
_HEADER = "| plates | stage | wall, s | processor, s | peak memory, MiB |\n|---|---|---|---|---|"


def main(arguments: Sequence[str] | None = None) -> list[Usage]:
    """Print a Markdown table and return its rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plates", type=int, nargs="+", required=True, help="numbers of plates, each a run of its own")
    parser.add_argument("--stages", nargs="+", default=STAGES, help="stages of dvc.yaml, in their order")
    parser.add_argument("--pictures", type=int, default=300, help="different pictures among them")
    parser.add_argument("--width-px", type=int, default=144, help="width of the widest picture; small ones are faster")
    parser.add_argument("--keep", type=Path, help="folder to keep the last set in; without it nothing is kept")
    given = parser.parse_args(arguments)
    print(_HEADER)
    used = []
    for n_plates in given.plates:
        with tempfile.TemporaryDirectory() as temporary:
            folder = given.keep or Path(temporary)
            prepare(folder, n_plates, given.pictures, given.width_px)
            for stage in given.stages:
                usage = run_python(_command(stage), folder)
                cells = f"{usage.wall_s:.0f} | {usage.cpu_s:.0f} | {usage.peak_mib:.0f}"
                print(f"| {n_plates:,} | {stage} | {cells} |", flush=True)
                used.append(usage)
    return used


def prepare(folder: Path, n_plates: int, n_pictures: int, width_px: int) -> None:
    """Parameters, and a YOLO folder of drawn plates beside them; labels name characters at random."""
    base = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    own = {"code": str(ROOT), "scales": [_SCALE], "plates": {"source": "yolo", "format": "yolo", "min_width_px": 16}}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(merge(base, own), allow_unicode=True), encoding="utf-8")
    for name in ("drawn", "yolo/images", "yolo/labels"):
        (folder / name).mkdir(parents=True)
    classes, boxes = _draw(folder / "drawn", load_params(ROOT / "params.yaml"), min(n_pictures, n_plates), width_px)
    (folder / "yolo/classes.txt").write_text("".join(f"{name}\n" for name in classes), encoding="utf-8")
    rng = np.random.default_rng(1)
    for i in range(n_plates):
        shares = boxes[i % len(boxes)]
        labels = rng.integers(0, len(classes), len(shares))
        rows = [f"{k} {x:.5f} {y:.5f} {w:.5f} {h:.5f}\n" for k, (x, y, w, h) in zip(labels, shares, strict=True)]
        os.link(folder / f"drawn/{i % len(boxes)}.png", folder / f"yolo/images/{i}.png")
        (folder / f"yolo/labels/{i}.txt").write_text("".join(rows), encoding="utf-8")


def _draw(folder: Path, params: Params, n: int, width_px: int) -> tuple[Sequence[str], list[np.ndarray]]:
    """Plates as files, and the boxes of each as shares: centre x and y, width, height."""
    sizes = {"train": n, "validation": 1, "test": 1, "width_px": (width_px * 5 // 6, width_px)}
    drawn = params.plates.synthetic.model_copy(update=sizes)
    layout = load_layout(ROOT / params.plates.source).with_letters(drawn.letters)
    boxes = []
    size = (params.plates.max_width_px, params.plates.max_height_px)
    for i, plate in zip(range(n), draw_plates(layout, drawn, 1, max_size=size, workers=1), strict=False):
        (folder / f"{i}.png").write_bytes(encode_png(plate.hr))
        height, width = plate.hr.shape[:2]
        corners = plate.boxes / np.array([width, height] * 2)
        boxes.append(np.hstack([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]]))
    return layout.classes_of(k for k, weight in drawn.types.items() if weight > 0), boxes


def _command(stage: str) -> list[str]:
    """A stage's command for x4, without the name of the interpreter."""
    raw = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
    words = shlex.split(raw["stages"][stage]["cmd"].replace("${item.scale}", str(_SCALE)))
    # The few pictures repeat on all sides, and `validate` would leave most of them out: degrade takes them as they are.
    return [word.replace("data/valid", "data/plates") for word in words[1:]]


if __name__ == "__main__":
    main()
