"""What ties a run to the worker that started it."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_BY_A_WORKER = "PREFECT__FLOW_RUN_ID"  # the environment of a process that a worker starts for a run


def end_with_worker() -> None:
    """Let the kernel tell this process to end when its worker dies; a run by hand has none, and outlives its terminal.

    Without it a training whose worker was killed goes on, and nobody can cancel it. What it is told is what a cancelled
    run is told: the training ends with a checkpoint, and DVC's lock is free.
    """
    if sys.platform == "linux" and _BY_A_WORKER in os.environ:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
