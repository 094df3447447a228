"""An epoch of training batches, from memory and from the disk: `python -m benchmarks.epochs FOLDER_OF_PAIRS`.

Each is a process of its own; batches are made as a training on a CPU makes them, and thrown away.
"""

import argparse
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path

from acl_core.data.batches import PairSet, TrainingBatches
from acl_core.data.manifest import Side
from acl_core.params import load_params
from benchmarks.measure import ROOT, run_json

_BATCH_SIZE = 8


def main(arguments: Sequence[str] | None = None) -> dict[str, dict[str, float]]:
    """Print a Markdown table and return its numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path, help="such as data/pairs/x4")
    parser.add_argument("--memory-mib", type=float, help="measure one way, in this process")
    given = parser.parse_args(arguments)
    if given.memory_mib is not None:
        print(json.dumps(_epoch(given.pairs, given.memory_mib)))
        return {}
    print("| plates | loading, processor s | an epoch, processor s | an epoch, wall s | peak memory, MiB |")
    print("|---|---|---|---|---|")
    rows = {}
    folder = given.pairs.resolve().parent
    for name, memory_mib in (("held in memory", math.inf), ("read from the disk", 0)):
        command = ["-m", "benchmarks.epochs", str(given.pairs.resolve()), "--memory-mib", str(memory_mib)]
        row, usage = run_json(command, folder)
        rows[name] = row | {"peak_mib": usage.peak_mib}
        print(f"| {name} | {row['load']:.1f} | {row['cpu']:.1f} | {row['wall']:.1f} | {usage.peak_mib:.0f} |")
    return rows


def _epoch(folder: Path, memory_mib: float) -> dict[str, float]:
    params = load_params(ROOT / "params.yaml")
    began = time.process_time()
    pairs = PairSet.load(folder, Side.TRAIN, memory_mib)
    batches = TrainingBatches(pairs, _BATCH_SIZE, params.sr.bucket_px, params.augment, flips=True, seed=1, epoch=0)
    loaded, started = time.process_time(), time.perf_counter()
    total = sum(float(batches[i].lr.double().sum()) for i in range(len(batches)))
    used = {"load": loaded - began, "cpu": time.process_time() - loaded, "wall": time.perf_counter() - started}
    return used | {"sum": total}


if __name__ == "__main__":
    main()
