"""What an operator sets on the server outlives `make ui` and `acl deploy`."""

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleUpdate, DeploymentUpdate, WorkPoolUpdate
from prefect.client.schemas.schedules import CronSchedule

from tasks.servers import POOL, deploy
from tests.e2e.prefect_server import Prefect

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

FELL = "Retrain when quality falls"


def set_on_server(client: SyncPrefectClient, cron: str, parameters: dict[str, str], limit: int, off: bool) -> None:
    monitor = client.read_deployment_by_name("monitor/monitor")
    schedule = DeploymentScheduleUpdate(schedule=CronSchedule(cron=cron, timezone="Europe/Berlin"), active=not off)
    update = DeploymentUpdate(schedules=[schedule], parameters=parameters, paused=off)
    client.update_deployment(monitor.id, update)
    client.update_work_pool(POOL, WorkPoolUpdate(concurrency_limit=limit, is_paused=off))
    (automation,) = client.read_automations_by_name(FELL)
    (client.pause_automation if off else client.resume_automation)(automation.id)


def test_deployments_are_sent_again_and_settings_stay(prefect: Prefect) -> None:
    with prefect.client() as client:
        set_on_server(client, "15 4 * * *", {"inbox": "/inbox"}, 2, off=True)
        try:
            before = client.read_deployment_by_name("monitor/monitor")
            deploy(prefect.environment)
            after = client.read_deployment_by_name("monitor/monitor")
            assert before.updated is not None
            assert after.updated is not None
            assert after.updated > before.updated
            assert [(s.schedule, s.active) for s in after.schedules] == [
                (CronSchedule(cron="15 4 * * *", timezone="Europe/Berlin"), False)
            ]
            assert (after.parameters, after.paused) == ({"inbox": "/inbox"}, True)
            pool = client.read_work_pool(POOL)
            assert (pool.concurrency_limit, pool.is_paused) == (2, True)
            assert [found.enabled for found in client.read_automations_by_name(FELL)] == [False]
        finally:
            set_on_server(client, "30 * * * *", {}, 1, off=False)
