"""When a training has stopped getting better."""

from collections.abc import Sequence

from acl_core.params import Training


def is_out_of_patience(history: Sequence[dict[str, float]], select: str, training: Training) -> bool:
    """Whether as many validations as ``training.patience`` have passed without a better score.

    It depends on the history alone, so a training that goes on decides as one that never stopped.

    Args:
        history: Rows of the epochs; those that were validated have the score.
        select: Name of the score; higher is better.
        training: With the patience; 0 has no end.
    """
    scores = [row[select] for row in history if select in row]
    return bool(training.patience and scores) and _without_gain(scores) >= training.patience


def _without_gain(scores: Sequence[float]) -> int:
    """Validations since the score last rose; an equal score is no gain."""
    return len(scores) - 1 - scores.index(max(scores))
