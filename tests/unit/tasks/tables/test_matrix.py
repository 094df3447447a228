"""The project's own matrix is sound, and a wrong one is said to be so in one line."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from acl_core.errors import ParamsError
from tasks.tables.cells import Instance, Plan
from tasks.tables.labels import METRICS
from tasks.tables.matrix import load_matrix
from tasks.tables.published import published
from tasks.tables.run import chosen
from tasks.workspace import merge, read_profile
from tests.plates import ROOT
from tests.unit.tasks.tables.made_up import plan_in

MATRIX = load_matrix(ROOT / "tables.yaml")


@pytest.mark.parametrize("profile", ["cpu", "paper"])
def test_every_cell_has_sound_parameters(tmp_path: Path, profile: str) -> None:
    plan = plan_in(tmp_path, profile)
    plan.check(plan.instances())


def test_every_table_of_the_paper_is_there_with_every_row() -> None:
    for name, printed in published().tables.items():
        assert set(printed.rows) <= set(MATRIX.tables[name].rows), name
        assert any(metric in MATRIX.tables[name].columns for row in printed.rows.values() for metric in row)


def test_every_column_has_a_heading() -> None:
    assert {column for table in MATRIX.tables.values() for column in table.columns} <= set(METRICS)


def test_the_published_gap_closed_is_that_of_the_design() -> None:
    paper = published()
    assert paper.gap_closed("table2", "collaborative", 4) == pytest.approx(23.6, abs=0.05)
    assert paper.gap_closed("table4", "collaborative", 4) == pytest.approx(52.6, abs=0.05)
    assert paper.gap_closed("table3", "collaborative", 3) == pytest.approx(59.3, abs=0.05)
    assert paper.gap_closed("table4", "flip", 4) == pytest.approx(36.5, abs=0.05)
    assert paper.value("table2", "nobody", "map50") is None


def test_methods_without_phase_1_get_its_updates(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    params = plan.parameters(Instance("swinir", 4, 1))
    base = plan.parameters(Instance("collaborative", 4, 1))
    assert params["pretrain_sr"]["epochs"] == base["pretrain_sr"]["epochs"] + base["phase1"]["epochs"]
    assert params["phase1"]["epochs"] == 0
    assert params["sr"]["architecture"] == "swinir"
    assert params["common"]["seed"] == 1
    assert params["scales"] == [4]


def test_the_control_gets_as_many_updates_as_the_whole_run_and_batches_of_its_own_size(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    (plan.base / "params.yaml").write_text(
        (plan.base / "params.yaml").read_text(encoding="utf-8").replace("accumulate: 1", "accumulate: 2", 1),
        encoding="utf-8",
    )
    base = plan.parameters(Instance("collaborative", 4, 1))
    control = plan.parameters(Instance("control", 4, 1))
    per_epoch = {s: 1 / (base[s]["batch_size"] * base[s]["accumulate"]) for s in ("pretrain_sr", "phase1", "phase2")}
    wanted = sum(base[s]["epochs"] * per_epoch[s] for s in per_epoch)
    assert control["bicubic_phase2"]["epochs"] == round(wanted / per_epoch["phase2"])


@pytest.mark.parametrize("profile", ["imported", "paper"])  # their batches differ from phase to phase
def test_whoever_trains_to_the_end_meets_a_control_of_as_many_updates(tmp_path: Path, profile: str) -> None:
    plan = plan_in(tmp_path, **merge(_root(), read_profile(profile)))
    finish, control = (plan.parameters(Instance(cell, 4, 1)) for cell in ("finish", "control_long"))
    wanted = _updates(finish, "pretrain_sr") + _updates(finish, "phase1") + _updates(finish, "phase2")
    wanted += _updates(finish, "phase1", finish["rounds"]["joint_epochs"])
    found = _updates(control, "phase2", control["bicubic_phase2"]["epochs"])
    assert found == pytest.approx(wanted, rel=0.02)  # whole epochs


@pytest.mark.parametrize("profile", ["cpu", "imported", "paper"])
def test_patches_have_the_updates_of_whole_plates_and_four_times_their_batch(tmp_path: Path, profile: str) -> None:
    plan = plan_in(tmp_path, **merge(_root(), read_profile(profile)))
    patches, whole = (plan.parameters(Instance(cell, 4, 1)) for cell in ("patches", "dbpn"))
    assert patches["pretrain_sr"]["batch_size"] == 4 * whole["pretrain_sr"]["batch_size"]
    assert _updates(patches, "pretrain_sr") == pytest.approx(_updates(whole, "pretrain_sr"))


@pytest.mark.parametrize("profile", ["cpu", "imported", "paper"])
def test_late_moves_updates_to_phase_2_and_makes_none(tmp_path: Path, profile: str) -> None:
    plan = plan_in(tmp_path, **merge(_root(), read_profile(profile)))
    late, base = (plan.parameters(Instance(cell, 4, 1)) for cell in ("late", "collaborative"))
    trainings = ("pretrain_sr", "phase1", "phase2")
    whole = sum(_updates(base, name) for name in trainings)
    assert sum(_updates(late, name) for name in trainings) == pytest.approx(whole, rel=0.04)  # whole epochs
    assert _updates(late, "phase2") > 1.5 * _updates(base, "phase2")


def test_rounds_share_one_budget(tmp_path: Path) -> None:
    plan = plan_in(tmp_path, phase1=_root()["phase1"] | {"epochs": 8}, phase2=_root()["phase2"] | {"epochs": 4})
    params = plan.parameters(Instance("rounds_4", 4, 1))
    assert (params["rounds"]["n"], params["phase1"]["epochs"], params["phase2"]["epochs"]) == (4, 2, 1)


def test_seeds_are_spent_where_a_claim_rests_on_them_and_come_last(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    found = plan.instances(["table4"])
    assert {i.seed for i in found if i.cell == "control"} == {1, 2, 3}
    assert {i.seed for i in found if i.cell == "swinir"} == {1}
    assert [i.seed for i in found] == sorted(i.seed for i in found)
    assert len(found) == len(set(found))
    assert not any(i.cell == "hat" for i in found)  # left out of this profile


def test_only_some_tables_or_cells(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    assert {i.cell for i in plan.instances(["table6"])} == {"patches", "dbpn"}
    assert [i.name for i in chosen(plan, (), ("swinir-x4-s1",))] == ["swinir-x4-s1"]
    with pytest.raises(ParamsError, match="table9"):
        plan.instances(["table9"])
    with pytest.raises(ParamsError, match="swimir"):
        chosen(plan, (), ("swimir",))
    with pytest.raises(ParamsError, match="fast"):
        MATRIX.profile("fast")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tables": {"t": {"title": "T", "scale": 4, "columns": ["map50"], "rows": {}}}}, "tables.t.rows"),
        ({"extra": 1}, "extra"),
        (
            {"tables": {"t": {"title": "T", "scale": 4, "columns": ["m"], "rows": {"a": {"title": "A", "cell": "x"}}}}},
            "needs either method, or reader",
        ),
        (
            {
                "tables": {
                    "t": {
                        "title": "T",
                        "scale": 4,
                        "columns": ["m"],
                        "rows": {"a": {"title": "A", "cell": "x", "method": "sr"}},
                    }
                }
            },
            "cells that are not there: x",
        ),
    ],
)
def test_a_wrong_matrix_is_told_in_one_line(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    raw = yaml.safe_load((ROOT / "tables.yaml").read_text(encoding="utf-8")) | change
    path = tmp_path / "tables.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(ParamsError, match=says) as error:
        load_matrix(path)
    assert "\n" not in str(error.value)


def test_a_cell_that_names_no_parameter_is_found_before_anything_runs(tmp_path: Path) -> None:
    raw = yaml.safe_load((ROOT / "tables.yaml").read_text(encoding="utf-8"))
    raw["cells"]["swinir"]["changes"] = {"sr": {"arcitecture": "swinir"}}
    path = tmp_path / "tables.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    plan = plan_in(tmp_path, matrix=path)
    with pytest.raises(ParamsError, match=r"cell swinir of tables.yaml: sr.arcitecture"):
        plan.check(plan.instances())


def test_what_a_title_says_is_no_matter_of_the_base(tmp_path: Path) -> None:
    pinned = {
        "sr": {"architecture": "swinir"},
        "pretrain_sr": {"objective": "flip", "patch_px": 12, "patience": 3},
        "pretrain_recognizer": {"patience": 3},
        "phase1": {"alpha": 0.1, "trains": "both", "patience": 3},
        "phase2": {"start": "scratch", "fresh_epochs": 1, "patience": 3},
        "bicubic_phase2": {"epochs": 7},
        "rounds": {"n": 3, "joint_epochs": 2},
    }
    plan = plan_in(tmp_path, **merge(_root(), pinned))
    method = plan.parameters(Instance("collaborative", 4, 1))
    for section, fields in pinned.items():
        assert {field: method[section][field] for field in fields} == {f: _root()[section][f] for f in fields}
    assert plan.parameters(Instance("alpha_1", 4, 1))["phase1"]["alpha"] == 1
    assert plan.parameters(Instance("joint", 4, 1))["phase1"]["trains"] == "both"
    assert plan.parameters(Instance("come_back", 4, 1))["phase2"]["fresh_epochs"] == 1
    assert plan.parameters(Instance("rounds_2", 4, 1))["rounds"] == {"n": 2, "joint_epochs": 0}
    assert plan.parameters(Instance("finish", 4, 1))["rounds"]["joint_epochs"] == _root()["phase1"]["epochs"]


def test_each_step_of_a_cell_sees_those_before_it(tmp_path: Path) -> None:
    base = _root()
    plan = _with_cell(
        tmp_path,
        changes={"phase1": {"batch_size": 2 * base["phase1"]["batch_size"]}},
        multiply={"phase1.batch_size": 2},
        epochs={"pretrain_sr.epochs": []},
        rest={"phase2.epochs": ["pretrain_sr", "phase2"]},
        divide={"phase2.epochs": 2},
    )
    params = plan.parameters(Instance("swinir", 4, 1))
    assert params["phase1"]["batch_size"] == 4 * base["phase1"]["batch_size"]
    per_epoch = base["phase2"]["batch_size"] * base["phase2"]["accumulate"]
    whole = round(per_epoch * (_updates(base, "pretrain_sr") + _updates(base, "phase2")))  # SR leaves all of it
    assert params["phase2"]["epochs"] == round(whole / 2)


def test_a_cell_without_a_rest_is_found_before_anything_runs(tmp_path: Path) -> None:
    changes = {"pretrain_sr": {"epochs": 100}}
    plan = _with_cell(tmp_path, changes=changes, rest={"phase2.epochs": ["pretrain_sr", "phase2"]})
    with pytest.raises(ParamsError, match=r"cell swinir of tables.yaml: pretrain_sr leave nothing .* phase2.epochs"):
        plan.check(plan.instances())


@pytest.mark.parametrize("text", ["phase1: {epochs: 3", "", "- a list\n"])
def test_a_broken_base_is_told_in_one_line(tmp_path: Path, text: str) -> None:
    plan = plan_in(tmp_path)
    (plan.base / "params.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ParamsError, match=r"base/params.yaml: (not YAML|file: Input should be)") as error:
        plan.check(plan.instances())
    assert "\n" not in str(error.value)


def _with_cell(folder: Path, **steps: Any) -> Plan:
    """A plan in which the cell ``swinir`` takes these steps and no others."""
    raw = yaml.safe_load((ROOT / "tables.yaml").read_text(encoding="utf-8"))
    raw["cells"]["swinir"] = {"about": "Made up.", **steps}
    path = folder / "tables.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    return plan_in(folder, matrix=path)


def _root() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    return found


def _updates(params: dict[str, Any], section: str, epochs: int | None = None) -> float:
    """Updates of a training, as a share of the plates."""
    own = params[section]
    return float((own["epochs"] if epochs is None else epochs) / (own["batch_size"] * own["accumulate"]))
