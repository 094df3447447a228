"""A training stage in several processes: the environment names a launcher, and the stage hands itself over to it."""

import os
import shlex
from collections.abc import Mapping, Sequence

from acl_core.errors import ParamsError

LAUNCH = "ACL_LAUNCH"  # environment: a launcher with its options, such as "accelerate launch --multi_gpu"


def hand_over(module: str, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Become the launcher of this module; return where none is wanted, or where it has done its work.

    Args:
        module: To be run by each process.
        arguments: Of its command line.
        environment: Of this process.

    Raises:
        ParamsError: There is no such launcher.
    """
    words = shlex.split(environment.get(LAUNCH, ""))
    if not words:
        return
    own = {name: value for name, value in environment.items() if name != LAUNCH}
    try:
        os.execvpe(words[0], [*words, "-m", module, *arguments], own)  # noqa: S606 - no shell; signals reach it
    except OSError as error:
        raise ParamsError(f"{LAUNCH}: {words[0]}: {error.strerror}. Name a launcher such as `torchrun`.") from error


def is_first(environment: Mapping[str, str]) -> bool:
    """Whether this is the only process of a training, or the first of those that a launcher started."""
    return int(environment.get("WORLD_SIZE") or 1) < 2 or environment.get("RANK") == "0"
