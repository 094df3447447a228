import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from acl_core.models.join import join
from acl_core.resize import bicubic_matrix, resize_plates


@pytest.mark.parametrize(("n_in", "n_out"), [(9, 36), (36, 9), (24, 256), (7, 7)])
def test_weights_sum_to_one(n_in: int, n_out: int) -> None:
    torch.testing.assert_close(bicubic_matrix(n_in, n_out).sum(1), torch.ones(n_out))


@pytest.mark.parametrize("out", [(48, 100), (6, 10)])
def test_equals_torch_with_antialiasing(out: tuple[int, int]) -> None:
    image = torch.rand(1, 3, 12, 25)
    expected = functional.interpolate(image, size=out, mode="bicubic", antialias=True)
    torch.testing.assert_close(resize_plates(image, [(12, 25)], [out]), expected, atol=1e-5, rtol=0)


def test_equals_pillow() -> None:
    image = np.random.default_rng(0).integers(0, 256, (16, 36, 3), dtype=np.uint8)
    expected = np.stack(
        [Image.fromarray(image[..., c]).convert("F").resize((144, 64), Image.Resampling.BICUBIC) for c in range(3)]
    )
    ours = resize_plates(torch.from_numpy(image).permute(2, 0, 1)[None].float(), [(16, 36)], [(64, 144)])[0]
    np.testing.assert_allclose(ours.numpy(), expected, atol=255e-4)


def test_padding_has_no_part_in_the_result() -> None:
    plates = [torch.rand(3, 8, 10), torch.rand(3, 12, 6)]
    padded = torch.full((2, 3, 12, 10), 1e6)
    for i, plate in enumerate(plates):
        padded[i, :, : plate.shape[1], : plate.shape[2]] = plate
    joined = join(padded, [(8, 10), (12, 6)], 64)
    for i, plate in enumerate(plates):
        alone = functional.interpolate(plate[None], size=(64, 64), mode="bicubic", antialias=True)[0]
        torch.testing.assert_close(joined[i], alone, atol=1e-5, rtol=0)


def test_gradient_reaches_true_pixels_only() -> None:
    plates = torch.rand(1, 3, 8, 10, requires_grad=True)
    join(plates, [(6, 9)], 32).sum().backward()
    assert plates.grad is not None
    assert (plates.grad[:, :, :6, :9].abs() > 0).all()
    assert (plates.grad[:, :, 6:] == 0).all()
    assert (plates.grad[:, :, :, 9:] == 0).all()
