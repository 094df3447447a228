"""Whether two networks have the same weights."""

import hashlib

import torch
from torch import nn


def weights_hash(net: nn.Module) -> str:
    """SHA-256 over all weights and buffers (BatchNorm statistics too) in the order of their names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(net.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
