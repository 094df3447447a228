"""Automations that the project ships: what the Prefect server does by itself."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import yaml
from prefect.automations import AutomationCore
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState, RunDeployment
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from tasks.orchestration.health import QUALITY_FELL
from tasks.workspace import ROOT

_BEATS = 3  # missed in a row before a run counts as lost


def crashed_without_heartbeat(beat_s: int) -> AutomationCore:
    """Mark a run as crashed whose machine went silent; it would show as running for ever and keep its slot.

    Args:
        beat_s: See :func:`heartbeat_s`.
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


def retrain_when_quality_falls(retrain: UUID) -> AutomationCore:
    """Train when the flow `monitor` says that the champion reads new plates worse than it should.

    That run takes the new plates over, and a part of them goes to the test side. The gate has to accept those, or it
    would hold every challenger. It is fair: both readers read the whole new test side, and as a plate string stays on
    its side, none of it was trained on.

    Args:
        retrain: The deployment to run, with what the event says; that run checks its parameters as any other does.
    """
    about = {"workspace": "{{ event.payload.workspace }}", "inbox": "{{ event.payload.inbox }}"}
    asked = about | {"promote": True, "accept_new_plates": True}
    return AutomationCore(
        name="Retrain when quality falls",
        description=f"On each event {QUALITY_FELL}.",
        trigger=EventTrigger(expect={QUALITY_FELL}, posture=Posture.Reactive, threshold=1, within=timedelta(seconds=0)),
        actions=[RunDeployment(source="selected", deployment_id=retrain, parameters=asked, job_variables=None)],
    )


def heartbeat_s() -> int:
    """Seconds between two heartbeats of a run, as ``prefect.yaml`` gives them to every run."""
    raw: dict[str, Any] = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    env = raw["definitions"]["work_pools"]["gpu"]["job_variables"]["env"]
    return int(env["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"])


def ensure(automation: AutomationCore) -> None:
    """Send an automation in the place of the one that bears its name; switched off stays switched off."""
    with get_client(sync_client=True) as client:
        for known in client.read_automations_by_name(automation.name):
            automation.enabled = automation.enabled and known.enabled
            client.delete_automation(known.id)
        client.create_automation(automation)


def ensure_all() -> None:
    """Send every automation; the deployment `retrain` is there."""
    ensure(crashed_without_heartbeat(heartbeat_s()))
    with get_client(sync_client=True) as server:
        ensure(retrain_when_quality_falls(server.read_deployment_by_name("retrain/retrain").id))
