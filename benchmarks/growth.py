"""``python -m benchmarks.growth``: time and memory of each stage as the number of plates grows.

Toy networks, because it is growth that is measured: every part runs in a process of its own, which reports its wall
time, its processor time and its peak memory. Linear: the processor time a plate stays. Flat: the peak stays.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from acl_core.data.batches import PairSet
from acl_core.data.degrade import degrade
from acl_core.data.manifest import DatasetCard, Side, read_card, read_plates, write_plates
from acl_core.device import Compute
from acl_core.evaluate.outcome import Compare, run_method
from acl_core.params import Params, load_params
from acl_core.sources.synthetic.generate import draw_plates
from acl_core.sources.synthetic.layout import load_layout
from acl_core.train.phases import TrainingData, phase1, phase2, pretrain_recognizer, pretrain_sr
from benchmarks.clock import markdown
from benchmarks.material import ROOT, SCALE, Material, job, one_epoch

_VALIDATION = 8  # plates, whatever the number of training plates
_BATCH = 16
_NUMBERS = 4  # that a part prints


def main() -> None:
    """Print the table, or run one part of it."""
    options = _options()
    if options.part:
        _measure(options.part, options.folder, options.sizes[0])
        return
    print(f"toy networks, one epoch a training, batches of {_BATCH}, {torch.get_num_threads()} threads")
    rows: list[dict[str, str]] = []
    for n_plates in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            named = [{"part": part, "plates": f"{n_plates:,}"} for part in _PARTS]
            rows += [row | _in_a_process(row["part"], Path(folder), n_plates) for row in named]
    print(markdown(sorted(rows, key=lambda row: list(_PARTS).index(row["part"]))))


def _in_a_process(part: str, folder: Path, n_plates: int) -> dict[str, str]:
    command = [sys.executable, "-m", "benchmarks.growth", "--part", part, "--folder", str(folder), "--sizes"]
    done = subprocess.run([*command, str(n_plates)], cwd=ROOT, check=True, capture_output=True, text=True)
    wall, cpu, start, peak = (float(word) for word in done.stdout.split()[-_NUMBERS:])
    return {
        "wall, s": f"{wall:.1f}",
        "processor, s": f"{cpu:.1f}",
        "processor, ms a plate": f"{cpu / n_plates * 1e3:.1f}",
        "peak memory, MiB": f"{peak:.0f}",
        "of that before the first plate": f"{start:.0f}",
    }


def _measure(part: str, folder: Path, n_plates: int) -> None:
    run = _PARTS[part](folder, n_plates)
    start = _peak_mib()
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    print(time.perf_counter() - wall, time.process_time() - cpu, start, _peak_mib())


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts it in KiB


def _draw(folder: Path, n_plates: int) -> Callable[[], object]:
    params = _params()
    drawn = params.plates.synthetic.model_copy(
        update={"train": n_plates, "validation": _VALIDATION, "test": _VALIDATION, "width_px": (120, 144)}
    )
    layout = load_layout(ROOT / params.plates.source).with_letters(drawn.letters)
    classes = layout.classes_of(kind for kind, weight in drawn.types.items() if weight > 0)
    card = DatasetCard("growth", params.plates.direction, classes)
    stream = draw_plates(layout, drawn, seed=1, max_size=(144, 96))
    return lambda: write_plates(stream, card, folder / "plates")


def _degrade(folder: Path, _n_plates: int) -> Callable[[], object]:
    source = folder / "plates"
    card = replace(read_card(source), scale=SCALE)
    return lambda: write_plates((degrade(plate, SCALE) for plate in read_plates(source)), card, folder / "pairs")


def _train(name: str) -> Callable[[Path, int], Callable[[], object]]:
    def part(folder: Path, _n_plates: int) -> Callable[[], object]:
        params, run = one_epoch(_BATCH), job(_COMPUTE, folder, name)
        material = Material.tiny()
        sr, recognizer = material.build_sr(), material.build_recognizer()

        def train() -> object:
            data = TrainingData.load(folder / "pairs", params.augment, material.sr.bucket_px, seed=1)
            match name:
                case "pretrain_sr":
                    return pretrain_sr(sr, data, params.pretrain_sr, run)
                case "pretrain_recognizer":
                    return pretrain_recognizer(recognizer, data, params.pretrain_recognizer, params.reading, run)
                case "phase1":
                    return phase1(sr, recognizer, data, params.phase1, params.reading, run)
                case _:
                    return phase2(sr, recognizer, data, params.phase2, params.reading, run)

        return train

    return part


def _evaluate(folder: Path, _n_plates: int) -> Callable[[], object]:
    material = Material.tiny()
    sr, recognizer = material.build_sr(), material.build_recognizer()

    def evaluate() -> object:
        pairs = PairSet.load(folder / "pairs", Side.TRAIN)
        return run_method(sr, recognizer, pairs, _COMPUTE, material.sr.bucket_px, compare=Compare.PSNR)

    return evaluate


def _params() -> Params:
    return load_params(ROOT / "params.yaml")


_COMPUTE = Compute(torch.device("cpu"), bf16=False)
_PARTS: dict[str, Callable[[Path, int], Callable[[], object]]] = {
    "plates": _draw,
    "degrade": _degrade,
    "pretrain_sr": _train("pretrain_sr"),
    "pretrain_recognizer": _train("pretrain_recognizer"),
    "phase1": _train("phase1"),
    "phase2": _train("phase2"),
    "evaluate": _evaluate,
}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 4000, 16000], help="numbers of training plates")
    parser.add_argument("--part", choices=_PARTS, help="run this part alone, in this process")
    parser.add_argument("--folder", type=Path, help="where the part finds and leaves its plates")
    return parser.parse_args()


if __name__ == "__main__":
    main()
