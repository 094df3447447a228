"""From challenger to champion.

``consider`` scores and writes the decision down, ``switch`` carries it out, ``promote`` is both. A flow that asks a
person in between calls them one after the other.
"""

import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from acl_core.data.batches import PairSet
from acl_core.data.manifest import Side
from acl_core.errors import DataError, WeightsError
from acl_core.evaluate.methods import RECOGNIZER_FILE, SR_FILE
from acl_core.params import Params, load_params
from acl_core.reader.reader import PlateReader
from acl_core.reader.score import ReaderScores, hash_of_plates, score_reader
from tasks.outs import stage_out
from tasks.registry.aliases import ROLLED_BACK, ChampionChangedError, switch
from tasks.registry.decision import Check, Decision, Outcome, Verdict, decide
from tasks.registry.record import write_decision
from tasks.registry.store import MODEL, Alias, GoneError, Registry, RegistryError
from tasks.registry.workspace_reader import one_scale

log = logging.getLogger(__name__)

_TRIES = 3


@dataclass(frozen=True)
class _Scored:
    """A version on the test plates."""

    scores: ReaderScores
    classes: tuple[str, ...]


def promote(consider_now: Callable[[], Decision], registry: Registry) -> Decision:
    """Consider a challenger and, where nothing speaks against it, make it the champion.

    Args:
        consider_now: A call of :func:`consider`; where the champion changed meanwhile it is called again.
        registry: That of its versions.

    Raises:
        RegistryError: There is no challenger, or the registry does not answer, or the champion keeps changing.
    """
    for _ in range(_TRIES - 1):
        decision = consider_now()
        try:
            return switch(decision, registry)
        except ChampionChangedError:
            log.warning("the champion changed meanwhile; considering version %s again", decision.challenger)
    return switch(consider_now(), registry)


def consider(
    workspace: Path,
    scale: int | None = None,
    version: str | None = None,
    *,
    accept_changes: bool = False,
    accept_new_plates: bool = False,
    accept_rolled_back: bool = False,
    registry: Registry | None = None,
) -> Decision:
    """Score challenger and champion on the same test plates in one run and write the decision on the challenger.

    Args:
        workspace: Whose test plates both readers read.
        scale: Of these plates; None for the challenger's own.
        version: The challenger; None for the version of that alias.
        accept_changes: Go on where the test plates or the classes are not those of the champion's promotion.
        accept_new_plates: Go on where the test plates alone are others, as after an inbox; classes never come from one.
        accept_rolled_back: Go on where the challenger was the champion and was rolled back.
        registry: Where; None for the usual one.

    Raises:
        RegistryError: There is no challenger, or the registry does not answer.
    """
    registry = registry or Registry()
    number = version or registry.version_of(Alias.CHALLENGER)
    if number is None:
        raise RegistryError(f"{MODEL} has no challenger. Register a reader with `acl register`, or give --version.")
    challenger = registry.version(number)
    champion = registry.version_of(Alias.CHAMPION)
    if champion == number:
        return Decision(Outcome.ALREADY, number, champion, Verdict(()))
    rival, notes = _rival(registry, champion, number)
    params = load_params(workspace / "params.yaml")
    own = challenger.tags.get("scale")
    scale = one_scale(params, scale or (int(own) if own else None))
    test = PairSet.load(stage_out(workspace, "degrade", scale), Side.TEST)
    plates = hash_of_plates(test)
    verdict, scored = _judge(registry, number, rival, test, params)
    changes = _changes(registry, rival, plates, accept_changes or accept_new_plates)
    if (when := challenger.tags.get(ROLLED_BACK)) and not accept_rolled_back:
        changes.append(Check("never rolled back", None, None, f"rolled back {when}; --version {number} goes on", False))
    verdict = Verdict((*changes, *verdict.checks, *_class_changes(scored, test, accept_changes)))
    outcome = Outcome.PASSED if verdict.passed else Outcome.HELD
    decision = Decision(outcome, number, champion, verdict, notes)
    read = scored[number].scores.plates_read if number in scored else None
    write_decision(registry, decision, rival, plates, read)
    return decision


def _rival(registry: Registry, champion: str | None, challenger: str) -> tuple[str | None, tuple[str, ...]]:
    """Whom the challenger has to beat, and what to say about it."""
    if champion is not None:
        return champion, ()
    previous = registry.version_of(Alias.PREVIOUS)
    if previous is None or previous == challenger:
        return None, ("no champion: absolute limits alone",)
    return previous, (f"the champion is gone: compared with the previous one, version {previous}",)


def _judge(
    registry: Registry, number: str, rival: str | None, test: PairSet, params: Params
) -> tuple[Verdict, dict[str, _Scored]]:
    """The checks on numbers; a version that can never be loaded fails a check of its own, and nothing else is said."""
    scored: dict[str, _Scored] = {}
    for version in (number, rival):
        if version is None:
            continue
        try:
            scored[version] = _score(registry, version, test)
        except (DataError, WeightsError, GoneError) as error:  # it will be no better the next time
            who = "challenger" if version == number else "champion"
            return Verdict((Check(f"{who} version {version} can be used", None, None, str(error), False),)), scored
    rival_scores = None if rival is None else scored[rival].scores
    return decide(scored[number].scores, rival_scores, params.promote, params.common.seed), scored


def _score(registry: Registry, version: str, test: PairSet) -> _Scored:
    with tempfile.TemporaryDirectory() as folder:
        files = registry.fetch(f"models:/{MODEL}/{version}", Path(folder))
        reader = PlateReader.load(files)
        size_mb = sum((files / name).stat().st_size for name in (SR_FILE, RECOGNIZER_FILE)) / 1e6
        log.info("version %s reads %d test plates", version, len(test.plates))
        return _Scored(score_reader(reader, test, size_mb), reader.card.classes)


def _changes(registry: Registry, rival: str | None, plates: str, accepted: bool) -> list[Check]:
    """The test plates have to be those on which the champion was promoted, or its place was won on an easier set."""
    known = None if rival is None else registry.version(rival).tags.get("test_sha256")
    if known is None:
        return []
    if known == plates:
        return [Check("test plates", None, None, "the champion's", True)]
    what = f"not the champion's ({known[:12]}, now {plates[:12]})"
    return [_change("test plates", what, accepted, "--accept-changes, or accept_new_plates of a run,")]


def _class_changes(scored: dict[str, _Scored], test: PairSet, accepted: bool) -> list[Check]:
    """Every reader names the classes of the plates; others were made for other plates."""
    checks = []
    for version, found in scored.items():
        other = sorted(set(found.classes) ^ set(test.card.classes))
        if other:
            what = f"not those of the plates: {' '.join(other[:10])}"
            checks.append(_change(f"classes of version {version}", what, accepted))
    return checks


def _change(name: str, what: str, accepted: bool, to_accept: str = "--accept-changes") -> Check:
    return Check(name, None, None, what + (", accepted" if accepted else f"; {to_accept} goes on"), accepted)
