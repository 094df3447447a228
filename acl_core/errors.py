"""Errors that a person can act on.

Everything that the project raises on purpose derives from :class:`AclError`. The command line prints such an error as
one line (what, where, what to do) and leaves with the class's ``exit_code``; any other exception is a defect and keeps
its traceback.
"""


class AclError(Exception):
    """Base of all errors that are shown to the user as one line."""

    exit_code = 2


class ParamsError(AclError):
    """``params.yaml`` is missing, malformed or names an impossible value."""

    exit_code = 3


class DataError(AclError):
    """Plates, labels or shards that cannot be used."""

    exit_code = 4


class WeightsError(AclError):
    """A weights file that is missing, damaged or made for another network."""

    exit_code = 5


class DivergedError(AclError):
    """A loss or metric became NaN or infinite; training stopped before it could spoil the weights."""

    exit_code = 6


class DoesNotFitError(AclError):
    """A training that is too large for the machine's memory, however small its batches."""

    exit_code = 8
