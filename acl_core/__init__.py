"""Alternative collaborative learning for licence plates: data, networks, losses, training, metrics.

This package knows how; it imports neither Prefect, MLflow, DVC nor Great Expectations, so it can be carried to a bare
GPU machine.
"""

import sys

# DVC takes folders of this package as inputs of stages; compiled files in them would make every stage look changed, and
# a workspace's ignore rules do not reach out here.
sys.dont_write_bytecode = True

__version__ = "0.1.0"
