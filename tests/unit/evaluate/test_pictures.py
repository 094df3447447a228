"""Pictures that are not finite have no quality."""

import math

import torch

from acl_core.evaluate.pictures import psnr_db


def test_a_picture_with_nan_is_not_perfect() -> None:
    picture = torch.rand(3, 12, 12)
    assert psnr_db(picture, picture) == 100
    assert math.isnan(psnr_db(torch.full((3, 12, 12), math.nan), picture))
