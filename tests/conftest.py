"""Shared by all tests: no library reports home, and the same two threads everywhere."""

import torch

from tasks.environment import prepare

prepare("tests")
torch.set_num_threads(2)
