from pathlib import Path

import pytest
import torch

from acl_core.device import Compute
from acl_core.errors import WeightsError
from acl_core.models.build import build_recognizer, load_recognizer
from acl_core.models.dbpn import Dbpn
from acl_core.models.weights import load_weights, read_card, save_weights
from acl_core.params import Architecture, RecognizerParams
from tests.weights import weights_hash


def small(channels: int = 4) -> Dbpn:
    return Dbpn(4, blocks=2, channels=channels, features=8)


def test_weights_and_card_come_back(tmp_path: Path) -> None:
    sr, other = small(), small()
    save_weights(sr, tmp_path / "sr.safetensors", {"scale": 4})
    load_weights(other, tmp_path / "sr.safetensors")
    assert weights_hash(sr) == weights_hash(other)
    assert read_card(tmp_path / "sr.safetensors") == {"scale": 4}


def test_each_bad_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "sr.safetensors"
    with pytest.raises(WeightsError, match="not found"):
        load_weights(small(), path)
    path.write_bytes(b"no safetensors")
    with pytest.raises(WeightsError, match="damaged"):
        load_weights(small(), path)
    save_weights(small(8), path, {})
    with pytest.raises(WeightsError, match="another network"):
        load_weights(small(4), path)


def test_a_recognizer_for_other_classes_is_refused(tmp_path: Path) -> None:
    params = RecognizerParams(architecture=Architecture.PAPER, input_px=64)
    save_weights(build_recognizer(params, 2), tmp_path / "r.safetensors", {"classes": ["a", "b"]})
    compute = Compute(torch.device("cpu"), bf16=False)
    load_recognizer(params, ["a", "b"], tmp_path / "r.safetensors", compute)
    with pytest.raises(WeightsError, match="other classes"):
        load_recognizer(params, ["b", "a"], tmp_path / "r.safetensors", compute)
