"""MLflow: a run for every pipeline run and one below it for every training; nothing is lost while a server is away.

What a stage reports goes into a journal in the workspace first and to MLflow from there. A training goes on, loudly,
when MLflow fails; what could not be sent is sent by the next stage or by `acl track sync`.
"""

from tasks.tracking.store import local_uri, tracking_uri
from tasks.tracking.tracker import WithoutPictures, attach, open_tracker

__all__ = ["WithoutPictures", "attach", "local_uri", "open_tracker", "tracking_uri"]
