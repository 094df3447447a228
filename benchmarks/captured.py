"""Both networks as one call for batches of one shape: bf16 weights, channels_last, and on a GPU one CUDA graph.

A plate costs hundreds of kernels of a few microseconds; a graph starts them without the host in between.
"""

import copy
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from acl_core.models.dbpn import Dbpn
from acl_core.models.recognizer import Candidates, Recognizer

_WARM_UP = 3  # runs before a capture, in which libraries choose their kernels and take their memory
_ITS_FLOAT_PART = "dfl"  # of ultralytics' head: from logits to pixels, which 8 bits of mantissa would round


class Captured:
    """SR, resize, recognizer and boxes for (n, h, w, 3) uint8 plates that fill their bucket.

    Args:
        sr: Copied, not changed.
        recognizer: Copied, not changed.
        shape: (n, h, w) of the LR plates.
        device: Where it runs.
        compiled: Let torch.compile fuse what lies between the convolutions; costs minutes once.
    """

    def __init__(
        self, sr: Dbpn, recognizer: Recognizer, shape: tuple[int, int, int], device: torch.device, *, compiled: bool
    ) -> None:
        self._sr: Callable[..., Tensor] = _in_bf16(sr, device)
        self._recognizer = cast(Recognizer, _in_bf16(recognizer, device))
        if compiled:
            self._sr = torch.compile(self._sr, mode="max-autotune-no-cudagraphs")
        self.plates = torch.zeros(*shape, 3, dtype=torch.uint8, device=device)
        self._graph = self._capture(device) if device.type == "cuda" else None

    @torch.no_grad()
    def __call__(self) -> Candidates:
        """Candidates of what lies in ``self.plates``; on a GPU they are overwritten by the next call."""
        if self._graph is None:
            return self._forward()
        self._graph.replay()
        return self._out

    def _forward(self) -> Candidates:
        lr = self.plates.permute(0, 3, 1, 2).to(torch.bfloat16) / 255  # channels_last by its strides
        enlarged = self._sr(lr, ()).float()
        size = (self._recognizer.input_px, self._recognizer.input_px)
        square = functional.interpolate(enlarged, size=size, mode="bicubic", antialias=True)
        raw = self._recognizer(square.to(torch.bfloat16, memory_format=torch.channels_last))
        return self._recognizer.candidates(raw)

    @torch.no_grad()
    def _capture(self, device: torch.device) -> "torch.cuda.CUDAGraph":
        with torch.cuda.device(device):  # streams and graphs are the current GPU's, not that of the tensors
            stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(_WARM_UP):
                    self._forward()
            torch.cuda.current_stream().wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self._out = self._forward()
        return graph


def _in_bf16(net: nn.Module, device: torch.device) -> nn.Module:
    changed = copy.deepcopy(net).eval().requires_grad_(False)
    changed.to(device, torch.bfloat16, memory_format=torch.channels_last)  # type: ignore[call-overload]
    for name, module in changed.named_modules():
        if name.endswith(_ITS_FLOAT_PART):
            module.float().register_forward_pre_hook(lambda _module, inputs: (inputs[0].float(),))
    return changed
