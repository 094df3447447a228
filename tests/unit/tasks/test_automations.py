"""What the server is told to do by itself agrees with what the deployments do."""

from datetime import timedelta
from uuid import uuid4

import yaml
from prefect.events.actions import RunDeployment

from flows.retrain import retrain as flow
from tasks.orchestration.automations import crashed_without_heartbeat, heartbeat_s, retrain_when_quality_falls
from tasks.orchestration.health import QUALITY_FELL
from tasks.workspace import ROOT


def test_every_deployment_sends_the_heartbeats_that_are_waited_for() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    beats = {d["work_pool"]["job_variables"]["env"]["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] for d in deployments}
    assert beats == {str(heartbeat_s())}
    assert crashed_without_heartbeat(heartbeat_s()).trigger.within > timedelta(seconds=2 * heartbeat_s())


def test_a_fall_starts_the_run_that_was_asked_for() -> None:
    retrain = uuid4()
    automation = retrain_when_quality_falls(retrain)
    assert automation.trigger.expect == {QUALITY_FELL}
    (action,) = automation.actions
    assert isinstance(action, RunDeployment)
    assert action.deployment_id == retrain
    assert action.parameters is not None
    named = {"workspace": "root", "inbox": "/inbox"}
    assert flow.validate_parameters(action.parameters | named) == named | {"promote": True, "accept_new_plates": True}


def test_no_deployment_has_a_limit_whose_loss_would_end_a_training() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    assert [d["name"] for d in deployments if "concurrency_limit" in d] == []
