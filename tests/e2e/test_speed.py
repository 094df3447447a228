"""Every benchmark prints its table; at a toy's size, for correctness alone."""

import subprocess
import sys

import pytest

from tests.plates import ROOT

TRAININGS = ["SR pretraining", "recognizer pretraining", "Phase 1", "Phase 2", "Phase 2, plates that come back"]


def rows_of(*command: str) -> list[list[str]]:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("|") and not line.startswith("|---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.e2e
def test_cpu() -> None:
    rows = rows_of("benchmarks.cpu", "--tiny", "--rounds", "1", "--plates", "4", "--reference-plates", "1")
    assert [row[0] for row in rows[1:]] == [*TRAININGS, "one plate, LR to text"]
    assert all(float(row[3]) > 0 for row in rows[1:])


@pytest.mark.e2e
def test_gpu_on_a_cpu() -> None:
    small = ["--rounds", "1", "--plates", "4", "--reference-plates", "1", "--batch", "2", "--calls", "2"]
    rows = rows_of("benchmarks.gpu", "--device", "cpu", "--tiny", *small, "--sizes", "1", "2")
    names = [row[0] for row in rows[1:]]
    readings = names[len(TRAININGS) :]
    assert names == [*TRAININGS, *readings[:3], *readings[:3]]  # three ways at each size
    assert [row[1] for row in rows[len(TRAININGS) + 1 :]] == ["1"] * 3 + ["2"] * 3
    assert all(float(row[4]) > 0 for row in rows[1:])
    assert all(float(row[7]) > 0 for row in rows[len(TRAININGS) + 1 :])


@pytest.mark.e2e
def test_growth() -> None:
    rows = rows_of("benchmarks.growth", "--sizes", "6")
    parts = ["plates", "validate", "degrade", "pretrain_sr", "pretrain_recognizer", "phase1", "phase2", "evaluate"]
    assert [row[0] for row in rows[1:]] == parts
    assert all(float(row[5]) >= float(row[6]) > 0 for row in rows[1:])


@pytest.mark.e2e
def test_exported() -> None:
    rows = rows_of("benchmarks.exported", "--tiny", "--calls", "2")
    backends = ["onnxruntime, {}", "openvino, {}", "openvino, {}, size known"]
    readers = [backend.format(bits) for bits in ("float32", "8 bits") for backend in backends]
    assert [row[0] for row in rows[1:]] == ["reference", *readers]
    assert all(float(row[1]) >= float(row[2]) > 0 for row in rows[1:])
