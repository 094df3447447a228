"""dvc.yaml and the code say the same: parameters, options, paths, order, and every module that can change a result."""

import importlib
import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import grimp
import pytest
import yaml

from tasks.stages._main import options_of, sections_of
from tests.plates import ROOT

# Modules that cannot change an artifact: schema of the parameters (values are traced by `params`), errors, writing of
# files, the frame of the stages and what reports to people.
NO_EFFECT = {
    "acl_core",
    "acl_core.errors",
    "acl_core.files",
    "acl_core.params",
    "acl_core.params_degrade",
    "acl_core.params_plates",
    "acl_core.params_sr",
    "acl_core.section",
    "acl_core.train.tracker",
    "tasks",
    "tasks.environment",
    "tasks.provenance",
    "tasks.stages",
    "tasks.stages._main",
    "tasks.tracking",
}


@cache
def stages() -> dict[str, dict[str, Any]]:
    """Each stage with ``matrix`` filled in for x4 and ``code`` for the root."""
    raw = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    source = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["plates"]["source"]
    text = (
        yaml.safe_dump(raw, sort_keys=False)
        .replace("${item.scale}", "4")
        .replace("${code}/", "")
        .replace("${plates.source}", source)
    )
    filled: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return filled


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("acl_core", "tasks", "flows")


def imports_with_effect(module: str) -> set[str]:
    """The module and all that it imports, directly or not, without what only modules of NO_EFFECT import."""
    found, waiting = {module}, [module]
    while waiting:
        new = graph().find_modules_directly_imported_by(waiting.pop()) - found - NO_EFFECT
        found |= new
        waiting += new
    return found


def outs(stage: dict[str, Any]) -> list[str]:
    entries = [e for kind in ("outs", "plots", "metrics") for e in stage.get(kind, [])]
    return [next(iter(e)) if isinstance(e, dict) else e for e in entries]


def options(stage: dict[str, Any]) -> dict[str, str]:
    words = shlex.split(stage["cmd"])[3:]
    return dict(zip(words[::2], words[1::2], strict=True))


@pytest.mark.parametrize("name", stages())
def test_params_are_the_sections_that_run_takes(name: str) -> None:
    run = importlib.import_module(f"tasks.stages.{name}").run
    assert sorted(stages()[name].get("params", [])) == sorted(sections_of(run))


@pytest.mark.parametrize("name", stages())
def test_options_are_those_of_run_and_every_path_is_an_input_or_an_output(name: str) -> None:
    stage = stages()[name]
    run = importlib.import_module(f"tasks.stages.{name}").run
    given = options(stage)
    assert {o.removeprefix("--").replace("-", "_") for o in given} == set(options_of(run))
    paths = {path for option, path in given.items() if option != "--scale"}
    deps = {d for d in stage["deps"] if d.split("/")[0] in {"data", "models", "evaluations", "reports"}}
    inputs = {path for path in paths if any(dep == path or dep.startswith(f"{path}/") for dep in deps)}
    assert paths == inputs | set(outs(stage))
    assert all(any(dep == path or dep.startswith(f"{path}/") for path in inputs) for dep in deps)


@pytest.mark.parametrize("name", stages())
def test_every_module_that_can_change_a_result_is_a_dependency(name: str) -> None:
    """DVC does not follow imports: without this a changed module would leave a stage "up to date"."""
    covered = [Path(dep) for dep in stages()[name]["deps"]]
    missing = []
    for imported in sorted(imports_with_effect(f"tasks.stages.{name}")):
        path = Path(imported.replace(".", "/"))
        file = path / "__init__.py" if (ROOT / path).is_dir() else path.with_suffix(".py")
        if not any(file == dep or dep in file.parents for dep in covered):
            missing.append(str(file))
    assert missing == []


def test_stages_stand_in_the_order_in_which_they_run() -> None:
    """The flow runs one stage after the other in this order, and DVC does not ask whether the parents are fresh."""
    made: list[str] = []
    for stage in stages().values():
        for dep in stage["deps"]:
            if re.match(r"(data|models|evaluations|reports)\b", dep):
                assert any(f"{out}/".startswith(f"{dep}/") or dep.startswith(f"{out}/") for out in made), dep
        made += outs(stage)


def test_every_stage_file_is_a_stage() -> None:
    files = {path.stem for path in (ROOT / "tasks" / "stages").glob("[a-z]*.py")}
    assert files == set(stages())


def test_no_path_is_made_twice() -> None:
    paths = [out for stage in stages().values() for out in outs(stage)]
    assert len(paths) == len(set(paths))


def test_all_but_the_report_travels_to_other_machines() -> None:
    """DVC pushes no file with `cache: false`, and restores no stage that lacks one."""
    entries = {
        name: [e for kind in ("outs", "plots", "metrics") for e in s.get(kind, [])] for name, s in stages().items()
    }
    stays = {
        name
        for name, found in entries.items()
        if any(isinstance(e, dict) and not next(iter(e.values())).get("cache", True) for e in found)
    }
    assert stays == {"report"}


def test_git_ignores_what_dvc_keeps() -> None:
    """DVC refuses an output that git tracks, and writes ignore files among outputs that nobody else ignores."""
    ignored = {
        name: (ROOT / name).read_text(encoding="utf-8").split() for name in (".gitignore", "workspaces/gitignore")
    }
    kept = [path for name, stage in stages().items() if name != "report" for path in outs(stage)]
    for name, lines in ignored.items():
        assert [path for path in kept if not any(f"/{path}/".startswith(line) for line in with_ends(lines))] == [], name


def with_ends(lines: list[str]) -> list[str]:
    return [f"{line.rstrip('/')}/" for line in lines if line.startswith("/")]
