"""Weights on disk: safetensors with a JSON card beside them, never pickle."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from acl_core.errors import WeightsError
from acl_core.files import write_atomically

_SHOWN = 300  # characters of torch's list of what does not fit


def save_weights(net: nn.Module, path: Path, card: dict[str, Any]) -> None:
    """Write ``path`` (safetensors) and ``path.json`` (the card: what it is, how it was made, what it reached)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in net.state_dict().items()}
    # Not save_file: what it raises on a full disk is no OSError.
    write_atomically(path, lambda temporary: temporary.write_bytes(save(tensors)))
    text = json.dumps(card, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    write_atomically(card_path(path), lambda temporary: temporary.write_text(text, encoding="utf-8"))


def load_weights(net: nn.Module, path: Path) -> None:
    """Fill a network with saved weights.

    Raises:
        WeightsError: The file is missing or damaged, or was made for another network.
    """
    try:
        tensors = load_file(path)
    except FileNotFoundError as error:
        raise WeightsError(f"{path}: not found. Run the stage that makes it (`dvc repro`).") from error
    except SafetensorError as error:
        raise WeightsError(f"{path}: damaged ({error}). Delete it and run `dvc repro`.") from error
    try:
        net.load_state_dict(tensors)
    except RuntimeError as error:
        first = " ".join(str(error).split())[:_SHOWN]
        raise WeightsError(f"{path}: made for another network than params.yaml asks for ({first}).") from error


def read_card(path: Path) -> dict[str, Any]:
    """The card beside a weights file; empty where there is none.

    Raises:
        WeightsError: The card is damaged.
    """
    try:
        card: dict[str, Any] = json.loads(card_path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise WeightsError(f"{card_path(path)}: damaged ({error}). Delete its folder and run `dvc repro`.") from error
    return card


def card_path(path: Path) -> Path:
    """Where the card of a weights file lies."""
    return path.with_suffix(path.suffix + ".json")
