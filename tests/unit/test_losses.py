import torch

from acl_core.losses import pixel_loss


def test_mean_over_true_pixels_by_hand() -> None:
    hr = torch.zeros(2, 3, 2, 4)
    sr = torch.zeros(2, 3, 2, 4)
    sr[0, :, 0, 0] = 0.4  # one pixel of the first plate, all channels
    sr[1, 0, 1, 1] = 0.8  # one channel of one pixel of the second
    sr[1, :, :, 3] = 99.0  # padding of the second
    loss = pixel_loss(sr, hr, [(2, 4), (2, 2)])
    assert float(loss) == torch.tensor((3 * 0.4 + 0.8) / (3 * (8 + 4))).float()


def test_padding_gets_no_gradient() -> None:
    sr = torch.rand(1, 3, 4, 4, requires_grad=True)
    pixel_loss(sr, torch.zeros(1, 3, 4, 4), [(2, 3)]).backward()
    assert sr.grad is not None
    assert (sr.grad[0, :, :2, :3] > 0).all()
    assert sr.grad.count_nonzero() == 3 * 2 * 3
