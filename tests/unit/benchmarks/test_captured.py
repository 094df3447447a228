"""The call that a GPU captures gives on a CPU what the evaluation's networks give, up to bf16."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch

from acl_core.data.batches import collate
from acl_core.device import Compute
from acl_core.evaluate.outcome import enlarge
from acl_core.models.join import join
from benchmarks.captured import Captured
from benchmarks.material import SCALE, Material

COMPUTE = Compute(torch.device("cpu"), bf16=False)


def test_candidates_are_those_of_float32_up_to_bf16() -> None:
    material = Material.tiny()
    sr, recognizer = material.build_sr().eval(), material.build_recognizer().eval()
    plates = material.pairs(2).plates
    batch = collate(plates, SCALE, material.sr.bucket_px)
    with torch.no_grad():
        square = join(enlarge(sr, batch, COMPUTE), batch.hr_sizes, recognizer.input_px)
        exact = recognizer.candidates(recognizer(square))
    pictures = np.stack([plate.lr for plate in plates if plate.lr is not None])
    captured = Captured(sr, recognizer, pictures.shape[:3], COMPUTE.device, compiled=False)
    captured.plates.copy_(torch.from_numpy(pictures))
    ours = captured()
    assert ours.boxes.dtype is torch.float32
    torch.testing.assert_close(ours.boxes, exact.boxes, atol=0.01, rtol=0)  # of the plate's side
    torch.testing.assert_close(ours.scores.float(), exact.scores, atol=0.02, rtol=0)
    assert next(sr.parameters()).dtype is torch.float32  # copied, not changed


def test_streams_and_graph_are_of_the_gpu_of_the_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    material = Material.tiny()
    networks = material.build_sr().eval(), material.build_recognizer().eval()
    captured = Captured(*networks, (1, 8, 12), COMPUTE.device, compiled=False)
    current, used = [torch.device("cuda:0")], []

    @contextmanager
    def device(other: torch.device) -> Iterator[None]:
        current.append(other)
        yield
        current.pop()

    def of_current(*_: object) -> MagicMock:
        used.append(current[-1])
        return MagicMock()

    monkeypatch.setattr(torch.cuda, "device", device)
    for name in ("Stream", "current_stream", "stream", "CUDAGraph", "graph"):
        monkeypatch.setattr(torch.cuda, name, of_current)
    captured._capture(torch.device("cuda:1"))
    assert used == [torch.device("cuda:1")] * 6  # the current stream is asked for twice
