"""Automations that the project ships: what the Prefect server does by itself.

python -m tasks.orchestration.automations
"""

import logging
from datetime import timedelta

from prefect.automations import AutomationCore
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.settings import get_current_settings

from tasks.environment import prepare

log = logging.getLogger(__name__)

_BEATS = 3  # missed in a row before a run counts as lost


def crashed_without_heartbeat(beat_s: int) -> AutomationCore:
    """Mark a run as crashed whose machine went silent; it would show as running for ever and keep its slot.

    Args:
        beat_s: Seconds between two heartbeats of a run (PREFECT_FLOWS_HEARTBEAT_FREQUENCY).
    """
    ends = {f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed")}
    return AutomationCore(
        name="Mark a run without heartbeat as crashed",
        description=f"After {_BEATS} heartbeats of {beat_s} s that did not come.",
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.heartbeat"} | ends,
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=_BEATS * beat_s),
        ),
        actions=[
            ChangeFlowRunState(
                name=None,
                force=False,
                state=StateType.CRASHED,
                message=f"No heartbeat for {_BEATS * beat_s} s: its machine or worker is gone. A new run goes on from "
                "the last checkpoint.",
            )
        ],
    )


def ensure(automation: AutomationCore) -> None:
    """Send an automation to the server, in the place of the one that bears its name."""
    with get_client(sync_client=True) as client:
        for known in client.read_automations_by_name(automation.name):
            client.delete_automation(known.id)
        client.create_automation(automation)


if __name__ == "__main__":
    prepare("automations")
    ensure(crashed_without_heartbeat(get_current_settings().flows.heartbeat_frequency or 30))
