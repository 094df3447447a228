"""What a run of a workspace will do, stage by stage, before it starts."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tasks import dvc_client


class Action(StrEnum):
    """What happens to a stage."""

    RUNS = "runs"
    MAY_RUN = "runs if its inputs change"
    UP_TO_DATE = "up to date"


@dataclass(frozen=True)
class Planned:
    """One stage of a plan.

    Attributes:
        stage: As DVC names it.
        action: What happens to it.
        why: The reason, in words.
    """

    stage: str
    action: Action
    why: str

    @property
    def runs(self) -> bool:
        """Whether anything may happen."""
        return self.action is not Action.UP_TO_DATE


def make_plan(workspace: Path, *, force: bool = False) -> list[Planned]:
    """What DVC will do, in the order of ``dvc.yaml``.

    A stage whose own inputs changed runs. One behind it runs only if what comes out in front of it differs, which
    nobody knows before.
    """
    changes = dvc_client.changes(workspace)
    parents = dvc_client.parents(workspace)
    plan: dict[str, Planned] = {}
    for stage, before in parents.items():
        waiting = [parent for parent in before if plan[parent].runs]
        if force or stage in changes:
            plan[stage] = Planned(stage, Action.RUNS, "; ".join(changes.get(stage, ["asked for by force"])))
        elif waiting:
            plan[stage] = Planned(stage, Action.MAY_RUN, f"after {', '.join(sorted(waiting))}")
        else:
            plan[stage] = Planned(stage, Action.UP_TO_DATE, "")
    return list(plan.values())
