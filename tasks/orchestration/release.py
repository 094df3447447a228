"""From a finished workspace to a champion, by the functions of `acl register` and `acl promote`."""

import logging
from pathlib import Path

from prefect import pause_flow_run, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas import State
from prefect.states import Completed

from tasks.registry.aliases import switch
from tasks.registry.decision import Decision, Outcome, markdown
from tasks.registry.promotion import consider
from tasks.registry.record import APPROVAL, AWAITED, is_settled
from tasks.registry.register import register, registered
from tasks.registry.store import MODEL, Registry

log = logging.getLogger(__name__)

_APPROVAL_S = 7 * 24 * 3600


@task(cache_policy=NO_CACHE, persist_result=False)
def register_reader(workspace: Path, scale: int) -> str:
    """Make the final networks a version, the challenger; a reader that is known is not registered again.

    Returns:
        The version's number.

    Raises:
        AclError: The registry does not answer.
    """
    done = register(workspace, scale)
    log.info("%s version %s%s", MODEL, done.version, "" if done.new else ", registered before")
    return done.version


@task(cache_policy=NO_CACHE, persist_result=False)
def is_released(workspace: Path, scale: int) -> bool:
    """Whether the gate has decided on the final networks; not where a run failed on the way there.

    Asking first keeps a night with nothing new short, and leaves the challenger's alias where a person put it.

    Raises:
        AclError: The registry does not answer.
    """
    registry = Registry()
    version = registered(workspace, scale, registry)
    return version is not None and is_settled(registry, version)


@task(cache_policy=NO_CACHE, persist_result=False)
def gate(workspace: Path, scale: int, version: str, *, accept_new_plates: bool = False) -> Decision:
    """Hold a version against the champion on the same test plates, and show the table.

    Args:
        workspace: Whose test plates both read.
        scale: Of these plates.
        version: The challenger.
        accept_new_plates: Go on where these are not the test plates of the champion's promotion.

    Raises:
        AclError: The registry does not answer.
    """
    decision = consider(workspace, scale, version, accept_new_plates=accept_new_plates)
    text = f"Version {decision.challenger}: **{decision.outcome.value}**. {decision.reason}\n\n"
    create_markdown_artifact(
        text + markdown(decision.verdict), key="promotion", description=f"{workspace.name}: challenger and champion"
    )
    return decision


@task(cache_policy=NO_CACHE, persist_result=False)
def promote(decision: Decision) -> "State[None]":
    """Move the alias of the champion where the gate let the challenger pass.

    Raises:
        AclError: The champion changed since it was considered, or the registry does not answer.
    """
    if decision.outcome is not Outcome.PASSED:
        return Completed(name=decision.outcome.value.capitalize(), message=decision.reason)
    switch(decision)
    return Completed(name="Promoted", message=f"version {decision.challenger} is the champion")


def wait_for_approval(decision: Decision) -> None:
    """Pause the run until a person resumes it in the UI; after a week without that it fails and promotes nothing."""
    if decision.outcome is Outcome.PASSED:
        registry = Registry()
        registry.tag(decision.challenger, {APPROVAL: AWAITED})  # a nightly run must not promote it meanwhile
        pause_flow_run(timeout=_APPROVAL_S, key=f"approve-{decision.challenger}")
        registry.tag(decision.challenger, {APPROVAL: "given"})
