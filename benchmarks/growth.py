"""``python -m benchmarks.growth``: time and memory of each stage as the number of plates grows.

Toy networks, because it is growth that is measured: every part runs in a process of its own, which reports its wall
time, its processor time and its peak memory. Linear: the processor time a plate stays. Flat: the peak stays, because
plates that take more than ``--memory-mib`` are read from the disk. With ``--folder`` plates and results are kept, and
parts that were measured there are not measured again, so that a long table can be made in several sittings.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from acl_core.data.batches import PairSet
from acl_core.data.degrade import degrade
from acl_core.data.manifest import DatasetCard, Side, read_card, read_plates, write_plates
from acl_core.data.subset import copy_without
from acl_core.device import Compute
from acl_core.evaluate.outcome import run_method
from acl_core.params import Params, load_params
from acl_core.sources.synthetic.generate import draw_plates
from acl_core.sources.synthetic.layout import load_layout
from acl_core.statistics.frame import frame_of, iter_rows
from acl_core.statistics.near import near_on_stronger_side
from acl_core.train.memory import peak_mib
from acl_core.train.phases import TrainingData, phase1, phase2, pretrain_recognizer, pretrain_sr
from benchmarks.clock import markdown
from benchmarks.material import ROOT, SCALE, Material, job, one_epoch
from benchmarks.measure import run_json

_VALIDATION = 8  # plates, whatever the number of training plates
_BATCH = 16

Part = Callable[[Path, int, float], Callable[[], object]]  # folder, plates, MiB that may be held; its work


def main() -> None:
    """Print the table, or run one part of it."""
    options = _options()
    if options.measure:
        print(json.dumps(_measure(options.parts[0], options.folder, options.sizes[0], options.memory_mib)))
        return
    print(
        f"toy networks, one epoch a training, batches of {_BATCH}, {torch.get_num_threads()} threads; plates above "
        f"{options.memory_mib:.0f} MiB are read from the disk"
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).resolve()
        print(markdown([_row(part, n, folder, options.memory_mib) for part in options.parts for n in options.sizes]))


def _row(part: str, n_plates: int, folder: Path, memory_mib: float) -> dict[str, str]:
    """A row of the table, measured unless it was before."""
    own = folder / f"{n_plates}"
    own.mkdir(parents=True, exist_ok=True)
    note = own / f"{part}.json"
    if not note.exists():
        where = ["--folder", str(own), "--sizes", str(n_plates), "--memory-mib", str(memory_mib)]
        said, _ = run_json(["-m", "benchmarks.growth", "--measure", "--parts", part, *where], own)
        note.write_text(json.dumps(said), encoding="utf-8")
    used = json.loads(note.read_text(encoding="utf-8"))
    return {
        "part": part,
        "plates": f"{n_plates:,}",
        "wall, s": f"{used['wall']:.1f}",
        "processor, s": f"{used['cpu']:.1f}",
        "processor, ms a plate": f"{used['cpu'] / n_plates * 1e3:.1f}",
        "peak memory, MiB": f"{used['peak']:.0f}",
        "of that before the first plate": f"{used['start']:.0f}",
    }


def _measure(part: str, folder: Path, n_plates: int, memory_mib: float) -> dict[str, float]:
    run = _PARTS[part](folder, n_plates, memory_mib)
    start = peak_mib(_COMPUTE.device)
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall": wall, "cpu": cpu, "start": start, "peak": peak_mib(_COMPUTE.device)}


def _draw(folder: Path, n_plates: int, _memory_mib: float) -> Callable[[], object]:
    params = _params()
    drawn = params.plates.synthetic.model_copy(
        update={"train": n_plates, "validation": _VALIDATION, "test": _VALIDATION, "width_px": (120, 144)}
    )
    layout = load_layout(ROOT / params.plates.source).with_letters(drawn.letters)
    classes = layout.classes_of(kind for kind, weight in drawn.types.items() if weight > 0)
    card = DatasetCard("growth", params.plates.direction, classes)
    stream = draw_plates(layout, drawn, seed=1, max_size=(144, 96))
    return lambda: write_plates(stream, card, folder / "plates")


def _validate(folder: Path, _n_plates: int, _memory_mib: float) -> Callable[[], object]:
    bounds = _params().validation

    def check() -> object:  # what the stage does before Great Expectations has its say, and the copy at its end
        frame = frame_of(iter_rows(folder / "plates"))
        near_on_stronger_side(frame[frame["contrast"] >= bounds.contrast[0]], bounds.near_bits)
        return copy_without(folder / "plates", set(), folder / "valid")

    return check


def _degrade(folder: Path, _n_plates: int, _memory_mib: float) -> Callable[[], object]:
    source = folder / "plates"
    card = replace(read_card(source), scale=SCALE)
    return lambda: write_plates((degrade(plate, SCALE) for plate in read_plates(source)), card, folder / "pairs")


def _train(name: str) -> Part:
    def part(folder: Path, _n_plates: int, memory_mib: float) -> Callable[[], object]:
        params, run = one_epoch(_BATCH), replace(job(_COMPUTE, folder, name), memory_mib=memory_mib)
        material = Material.tiny()
        sr, recognizer = material.build_sr(), material.build_recognizer()

        def train() -> object:
            run.checkpoint.remove()  # one that was killed half way would go on, and its time be that of the rest
            data = TrainingData.load(folder / "pairs", params.augment, material.sr.bucket_px, 1, memory_mib)
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


def _evaluate(folder: Path, _n_plates: int, memory_mib: float) -> Callable[[], object]:
    material = Material.tiny()
    sr, recognizer = material.build_sr(), material.build_recognizer()

    def evaluate() -> object:
        pairs = PairSet.load(folder / "pairs", Side.TRAIN, memory_mib)
        return run_method(sr, recognizer, pairs, _COMPUTE, material.sr.bucket_px, compare=True)

    return evaluate


def _params() -> Params:
    return load_params(ROOT / "params.yaml")


_COMPUTE = Compute(torch.device("cpu"), bf16=False)
_PARTS: dict[str, Part] = {
    "plates": _draw,
    "validate": _validate,
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
    parser.add_argument("--parts", nargs="+", default=list(_PARTS), choices=_PARTS)
    parser.add_argument("--memory-mib", type=float, default=32, help="memory.plates_mib; 1,000 plates take 44")
    parser.add_argument("--folder", type=Path, help="keep plates and results here")
    parser.add_argument("--measure", action="store_true", help="run one part at one size in this process")
    return parser.parse_args()


if __name__ == "__main__":
    main()
