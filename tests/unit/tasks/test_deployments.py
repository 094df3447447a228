"""What is sent to the server is prefect.yaml, with what people set on the server."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import yaml
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule

from acl_core.errors import AclError
from tasks.orchestration.deployments import with_settings
from tasks.servers import deploy
from tasks.workspace import ROOT

WRITTEN = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))


def known(**settings: object) -> dict[str, DeploymentResponse]:
    fields = {"id": uuid4(), "name": "retrain", "flow_id": uuid4()} | settings
    return {"retrain": DeploymentResponse.model_validate(fields)}


def test_a_server_without_deployments_gets_those_of_the_file() -> None:
    assert with_settings(WRITTEN, {}) == WRITTEN


def test_what_was_set_in_the_ui_stays() -> None:
    cron = DeploymentSchedule(schedule=CronSchedule(cron="15 4 * * *", timezone="Europe/Berlin"), active=False)
    every = DeploymentSchedule(
        schedule=IntervalSchedule(interval=timedelta(hours=6), anchor_date=datetime(2026, 1, 1, tzinfo=UTC)),
        parameters={"workspace": "other"},
    )
    own = {"workspace": "shop", "inbox": "/inbox"}
    sent = with_settings(WRITTEN, known(schedules=[cron, every], parameters=own, paused=True))
    assert yaml.safe_load(yaml.safe_dump(sent)) == sent
    retrain, *_ = [entry for entry in sent["deployments"] if entry["name"] == "retrain"]
    assert (retrain["parameters"], retrain["paused"], retrain["entrypoint"]) == (own, True, "flows.retrain.retrain")
    first, second = retrain["schedules"]
    assert (first["cron"], first["timezone"], first["active"]) == ("15 4 * * *", "Europe/Berlin", False)
    assert (second["interval"], second["parameters"]) == (6 * 3600.0, {"workspace": "other"})
    assert [e for e in sent["deployments"] if e is not retrain] == [
        e for e in WRITTEN["deployments"] if e["name"] != "retrain"
    ]


def test_a_schedule_that_was_taken_away_stays_away() -> None:
    sent = with_settings(WRITTEN, known(schedules=[]))
    assert [entry["schedules"] for entry in sent["deployments"] if entry["name"] == "retrain"] == [[]]


def test_without_an_address_nothing_is_sent() -> None:
    with pytest.raises(AclError, match="export PREFECT_API_URL"):
        deploy({})
