"""The names of the rows of the results."""

from enum import StrEnum


class MethodName(StrEnum):
    """A row of the results; the evaluation's names."""

    BICUBIC = "bicubic"
    BICUBIC_PHASE2 = "bicubic_phase2"
    SR = "sr"
    PHASE1 = "phase1"
    PHASE2 = "phase2"
    HR = "hr"
    ROUNDS = "rounds"
