"""Methods under named severities: blur, noise, compression, darkness, rotation (the paper's failures, Figs. 14-15)."""

from collections.abc import Mapping
from dataclasses import replace

from tqdm import tqdm

from acl_core.data.batches import PairSet
from acl_core.data.degradation.chain import photograph, stage
from acl_core.data.degrade import crop_to_multiple
from acl_core.data.manifest import Plate
from acl_core.device import Compute
from acl_core.evaluate.outcome import Method, Outcome, run_method
from acl_core.evaluate.scores import PlateScores, score
from acl_core.params import Reading
from acl_core.params_degrade import Rotate, SceneStep, Suite, SuiteRecipe, scene_of
from acl_core.seeding import generator, name_key


def run_suite(
    methods: Mapping[str, Method],
    test: PairSet,
    suite: Suite,
    rule: Reading,
    seed: int,
    compute: Compute,
    bucket_px: int,
) -> dict[str, dict[str, PlateScores]]:
    """What every method achieves under every severity: ``{severity: {method: scores}}``.

    Args:
        methods: By name.
        test: The test side; its LR pictures are not used.
        suite: Severities and how many plates.
        rule: The one reading rule, chosen on validation as it is.
        seed: Of the plates that are drawn, and of what is random in a recipe.
        compute: Device and arithmetic.
        bucket_px: As in training.
    """
    chosen = _drawn(test, suite.max_plates, seed)
    on_hr: dict[tuple[str, tuple[SceneStep, ...]], Outcome] = {}  # most severities leave HR as it is
    scores: dict[str, dict[str, PlateScores]] = {}
    for severity in tqdm(suite.severities, desc="suite", unit="severity", disable=None):
        recipe = suite.recipes[severity]
        pairs = under(recipe, chosen, seed)
        outcomes: dict[str, Outcome] = {}
        for name, method in methods.items():
            key = (name, scene_of(recipe))
            known = on_hr.get(key) if method.enlarger is None else None
            outcomes[name] = known or run_method(*method, pairs, compute, bucket_px)
            if method.enlarger is None:
                on_hr[key] = outcomes[name]
        scores[severity] = {name: score(outcome, pairs, rule) for name, outcome in outcomes.items()}
    return scores


def under(recipe: SuiteRecipe, pairs: PairSet, seed: int) -> PairSet:
    """The plates under a severity, in their order; each depends on the seed and its name alone.

    The leading steps of a recipe (rotate, tone) are the scene: HR is a sharp picture of the same scene, rotated or dark
    as LR is. All other steps are the camera's, and HR is spared them: its row says what resolution cannot cure.
    """
    plates = [_under(recipe, plate, pairs.scale, seed) for plate in pairs.plates]
    return PairSet(plates, pairs.card, pairs.scale)


def _under(recipe: SuiteRecipe, plate: Plate, scale: int, seed: int) -> Plate:
    key = (seed, name_key(plate.name))
    scene = scene_of(recipe)
    hr, boxes = stage(scene, plate.hr, plate.boxes, generator(*key, 0))
    plate = crop_to_multiple(replace(plate, hr=hr, boxes=boxes), scale)
    camera = [step for step in recipe[len(scene) :] if not isinstance(step, Rotate)]
    return replace(plate, lr=photograph(camera, plate.hr, scale, generator(*key, 1)))


def _drawn(pairs: PairSet, n_plates: int, seed: int) -> PairSet:
    """As many plates at random, in their order; all of them where there are no more."""
    if n_plates >= len(pairs.plates):
        return pairs
    chosen = sorted(generator(seed).choice(len(pairs.plates), n_plates, replace=False).tolist())
    return PairSet([pairs.plates[i] for i in chosen], pairs.card, pairs.scale)
