"""``auto`` takes the arithmetic that is fast on this processor."""

from pathlib import Path

import pytest
import torch

from acl_core import device
from acl_core.device import compute_of
from acl_core.params import Common, Precision

CPU = """processor\t: 0
vendor_id\t: {vendor}
flags\t\t: fpu {flag} sse2

processor\t: 1
vendor_id\t: unknown
flags\t\t: amx_bf16
"""


@pytest.mark.parametrize(
    ("vendor", "flag", "precision"),
    [
        ("GenuineIntel", "avx512_bf16", Precision.FP32),
        ("GenuineIntel", "amx_bf16", Precision.BF16),
        ("AuthenticAMD", "avx512_bf16", Precision.BF16),
        ("AuthenticAMD", "avx512f", Precision.FP32),
    ],
)
def test_auto_goes_by_maker_and_flags_of_the_first_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vendor: str, flag: str, precision: Precision
) -> None:
    (tmp_path / "cpuinfo").write_text(CPU.format(vendor=vendor, flag=flag), encoding="utf-8")
    monkeypatch.setattr(device, "Path", lambda _: tmp_path / "cpuinfo")
    assert compute_of(Common(seed=1, precision=Precision.AUTO, device="cpu")).precision is precision


def test_without_cpuinfo_auto_is_float32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "Path", lambda _: tmp_path / "absent")
    assert not compute_of(Common(seed=1, precision=Precision.AUTO, device="cpu")).bf16


def test_what_is_asked_for_is_taken() -> None:
    bf16 = compute_of(Common(seed=1, precision=Precision.BF16, device="cpu"))
    assert bf16.bf16
    with bf16.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.bfloat16
