"""Alternative collaborative learning for licence plates: data, networks, losses, training, metrics.

This package knows how; it imports neither Prefect, MLflow, DVC nor Great Expectations, so it can be carried to a bare
GPU machine.
"""

__version__ = "0.1.0"
