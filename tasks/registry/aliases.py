"""Moving the champion: one write that a reader sees or not, and what makes it safe.

What the new champion replaces is written on it before the write, and ``previous`` is set after it: where a process dies
in between, the next promotion or rollback finds that and finishes it.
"""

from dataclasses import replace
from datetime import UTC, datetime

from tasks.registry.decision import Decision, Outcome
from tasks.registry.lock import locked
from tasks.registry.store import MODEL, Alias, Registry, RegistryError

ROLLED_BACK = "rolled_back"  # tag of a version: when; empty once it was made champion again


class ChampionChangedError(RegistryError):
    """Somebody else moved the champion between the decision and its execution."""


def switch(decision: Decision, registry: Registry | None = None) -> Decision:
    """Carry a decision out: move the aliases, or nothing where the challenger was held or is the champion.

    Raises:
        ChampionChangedError: Another version is the champion by now; consider the challenger again.
        RegistryError: The challenger was deleted meanwhile, or another promotion holds the lock for too long.
    """
    registry = registry or Registry()
    if decision.outcome is Outcome.HELD:
        return decision
    with locked(registry):
        current = registry.version_of(Alias.CHAMPION)
        if current == decision.challenger:
            _finish(registry, current)
            return replace(decision, outcome=Outcome.ALREADY, champion=current)
        if current != decision.champion or decision.outcome is Outcome.ALREADY:
            raise ChampionChangedError(
                f"the champion was version {decision.champion} when version {decision.challenger} was considered, and "
                f"is {current} now. Run `acl promote` again."
            )
        _move(registry, current, decision.challenger)
        registry.tag(decision.challenger, {"promotion": Outcome.PROMOTED.value, ROLLED_BACK: ""})
    return replace(decision, outcome=Outcome.PROMOTED)


def rollback(registry: Registry | None = None) -> tuple[str, str]:
    """Make the previous champion the champion again, and the champion the previous one; the two versions.

    What was rolled back is marked, so that no schedule promotes it again: that takes its number.

    Raises:
        RegistryError: There is nothing to go back to.
    """
    registry = registry or Registry()
    with locked(registry):
        champion = registry.version_of(Alias.CHAMPION)
        if champion is not None:
            _finish(registry, champion)
        previous = registry.version_of(Alias.PREVIOUS)
        if previous is None or previous == champion:
            raise RegistryError(f"{MODEL} has no previous champion to go back to. Promote one with `acl promote`.")
        _move(registry, champion, previous)
        registry.tag(previous, {ROLLED_BACK: ""})
        if champion is not None:
            registry.tag(champion, {ROLLED_BACK: datetime.now(UTC).isoformat(timespec="seconds")})
    return previous, champion or ""


def _move(registry: Registry, current: str | None, to: str) -> None:
    registry.version(to)
    registry.tag(to, {"replaces": current or ""})
    registry.move(Alias.CHAMPION, to)  # the switch; what comes after it can be made up for
    if current is not None:
        registry.move(Alias.PREVIOUS, current)


def _finish(registry: Registry, champion: str) -> None:
    """Set ``previous`` where a move was cut short after the switch."""
    replaced = registry.version(champion).tags.get("replaces")
    if replaced and registry.version_of(Alias.PREVIOUS) != replaced and registry.exists(replaced):
        registry.move(Alias.PREVIOUS, replaced)
