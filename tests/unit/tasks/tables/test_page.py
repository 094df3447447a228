"""The page from made-up results: numbers, the paper's beside them, what was not run, and what it comes to."""

import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from acl_core.models.weights import card_path
from tasks.exclusive import exclusive
from tasks.tables.cells import Instance, Note, take_note
from tasks.tables.charts import trainings
from tasks.tables.collect import State, state_of, tidy
from tasks.tables.compare import claims, on_common_seeds, order_agreement, spreads
from tasks.tables.matrix import load_matrix
from tasks.tables.page import gather, write_page
from tasks.tables.published import published
from tests.plates import ROOT
from tests.unit.tasks.tables.made_up import N_PLATES, plan_in, read_outside, run


def test_nothing_has_been_run(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    page = write_page(plan).read_text(encoding="utf-8")
    assert "not run" in page
    assert "74.7" in page  # the paper's numbers stand there from the start
    assert tidy(plan).empty


def test_the_page_needs_no_other_file_and_says_what_is_there(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    for seed in (1, 2, 3):
        run(plan, Instance("collaborative", 4, seed), lift=0.01 * seed)
        run(plan, Instance("control", 4, seed))
    read_outside(
        plan.folder(Instance("collaborative", 4, 1)),
        {
            "openalpr/sr": {"absent": "absent: libopenalpr cannot be loaded here"},
            "rapidocr/sr": {"plates": ["a", "b"], "edits": [0, 3], "length": [6, 6], "unknown": ["가"], "classes": 3},
        },
    )
    page = write_page(plan).read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert "<svg" in page
    assert "data:image/png" in page
    assert "82.0 ± 1.0" in page  # Phase 2 over the seeds
    assert "absent: libopenalpr" in page
    assert "it lacks 1 of the plates" in page
    assert page.count("left out of this profile") >= 4
    text = (plan.base / "reports" / "tables.md").read_text(encoding="utf-8")
    assert "| Collaborative | 82.0 ± 1.0 | 74.7 |" in text
    numbers = json.loads((plan.base / "reports" / "tables.json").read_text(encoding="utf-8"))
    assert numbers["cells"]["control-x4-s3"] == "done"
    assert {claim["row"] for claim in numbers["claims"]["table4"]} == {"bicubic", "control"}


def test_pictures_follow_the_workspace_and_the_option(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    run(plan, Instance("collaborative", 4, 1))
    assert "data:image" not in write_page(plan, pictures=False).read_text(encoding="utf-8")
    params = plan.base / "params.yaml"
    raw = yaml.safe_load(params.read_text(encoding="utf-8")) | {"privacy": {"show_pictures": False}}
    params.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    assert "data:image" not in write_page(plan, pictures=True).read_text(encoding="utf-8")


def test_who_looks_last_writes_last(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    with exclusive(plan.base / "runs" / ".tables.lock"):
        writer = threading.Thread(target=write_page, args=(plan,))
        writer.start()
        writer.join(timeout=0.5)
        run(plan, Instance("collaborative", 4, 1))  # done while another one writes
    writer.join()
    numbers = json.loads((plan.base / "reports" / "tables.json").read_text(encoding="utf-8"))
    assert numbers["cells"]["collaborative-x4-s1"] == "done"


def test_claims_are_paired_by_seed_and_corrected_together(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    for seed in (1, 2, 3):
        run(plan, Instance("collaborative", 4, seed))
        run(plan, Instance("control", 4, seed))
    found = {claim.row: claim for claim in claims(plan, plan.matrix.tables["table4"])}
    control = found["control"]
    assert control.difference.n_seeds == 3
    assert control.difference.n_plates == 3 * N_PLATES  # each seed has plates of its own
    assert control.difference.lost == 0  # who reads a hard plate reads the easy ones
    assert control.verdict == "leads"
    assert control.corrected_p >= control.difference.p
    assert "hr" not in found


def test_a_reader_of_hr_pictures_is_no_rival(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    plates = [f"1-{i}" for i in range(N_PLATES)]
    all_right = {"plates": plates, "edits": [0] * N_PLATES, "length": [7] * N_PLATES, "unknown": [], "classes": 3}
    folder = run(plan, Instance("collaborative", 4, 1))
    read_outside(folder, {"tesseract/hr": all_right, "tesseract/bicubic": all_right | {"edits": [1] * N_PLATES}})
    found = {claim.row: claim.verdict for claim in claims(plan, plan.matrix.tables["table5"])}
    assert found == {"tesseract_bicubic": "leads"}


def test_multiples_of_plain_fine_tuning(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    run(plan, Instance("collaborative", 4, 1))
    means = spreads(tidy(plan), "times")
    assert means["collaborative", "seconds"].mean == 40 + 2 * (10 + 20 + 30)
    assert means["collaborative", "time_multiple"].mean == pytest.approx(160 / 120)
    run(plan, Instance("lr", 4, 1))
    assert spreads(tidy(plan), "times")["lr", "seconds"].mean == 2 * (10 + 20 + 30)  # it starts from scratch


def test_digits_are_the_mean_over_digit_classes(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    run(plan, Instance("collaborative", 4, 1))
    assert spreads(tidy(plan), "figure12")["collaborative", "map50_digits"].mean == pytest.approx(0.8)


def test_a_cell_that_failed_or_ran_with_other_parameters_has_no_numbers(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    mine, other = Instance("collaborative", 4, 1), Instance("control", 4, 1)
    folder = run(plan, mine)
    assert state_of(plan, mine) is State.DONE
    used = {"phase1": dict(plan.parameters(mine)["phase1"]), "sr.bucket_px": 4}  # a section, and a field of another
    lock = {"stages": {"phase1@4": {"params": {"params.yaml": used}}}}
    (folder / "dvc.lock").write_text(yaml.safe_dump(lock), encoding="utf-8")
    assert state_of(plan, mine) is State.DONE
    lock["stages"]["phase1@4"]["params"]["params.yaml"]["phase1"]["alpha"] = 0.5
    (folder / "dvc.lock").write_text(yaml.safe_dump(lock), encoding="utf-8")
    assert state_of(plan, mine) is State.OUT_OF_DATE
    take_note(run(plan, other), Note.FAILED, "phase2 failed")
    assert state_of(plan, other) is State.FAILED
    assert tidy(plan).empty
    assert gather(plan, pictures=False)["failures"] == {"control-x4-s1": "phase2 failed"}
    take_note(plan.folder(other), Note.FAILED, "")
    assert state_of(plan, other) is State.DONE


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"split": {"validation": 0.1, "test": 0.3}}, State.OUT_OF_DATE),
        ({"source": "../elsewhere"}, State.DONE),  # a path, which the cell sees from its own folder
    ],
)
def test_a_cell_with_other_plates_has_no_numbers(tmp_path: Path, change: dict[str, Any], state: State) -> None:
    plan = plan_in(tmp_path)
    mine = Instance("collaborative", 4, 1)
    used = {"plates": plan.parameters(mine)["plates"] | change}
    lock = {"stages": {"plates": {"params": {"params.yaml": used}}}}
    (run(plan, mine) / "dvc.lock").write_text(yaml.safe_dump(lock), encoding="utf-8")
    assert state_of(plan, mine) is state


def test_order_agreement() -> None:
    one, two, three = ({1: value} for value in (1.0, 2.0, 3.0))
    assert order_agreement({"a": one, "b": two, "c": three}, {"a": 1, "b": 2, "c": 3}) == ([], 3)
    assert order_agreement({"a": three, "b": two}, {"a": 1, "b": 2, "z": 9}) == ([("b", "a")], 1)
    assert order_agreement({"a": two, "b": two}, {"a": 1, "b": 2}) == ([("b", "a")], 1)  # level is not above
    assert order_agreement({"a": three}, {"a": 1, "b": 1}) == ([], 0)


def test_rows_are_ordered_over_the_seeds_that_both_have() -> None:
    ours = {"a": {1: 0.5, 2: 0.9, 3: 0.9}, "b": {1: 0.6}, "c": {4: 0.1}}
    assert order_agreement(ours, {"a": 1, "b": 2, "c": 3}) == ([], 1)
    assert on_common_seeds(ours, ["a", "b"]) == {"a": 0.5, "b": 0.6}
    assert on_common_seeds(ours, ["a", "c"]) == {}


def test_workspaces_do_not_commit_the_page() -> None:
    assert "/reports/tables.html" in (ROOT / "workspaces" / "gitignore").read_text(encoding="utf-8")


def test_the_words_follow_from_the_numbers(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    run(plan, Instance("collaborative", 4, 1))
    run(plan, Instance("control", 4, 1))
    assert "not run" in gather(plan, pictures=False)["tables"]["table3"]["verdict"].lower()
    leads = gather(plan, pictures=False)["tables"]["table4"]["verdict"]
    assert "agrees with the paper's: 3 of 3 pairs" in leads
    assert "Of the paper's rows, Collaborative is best in both." in leads
    assert "Collaborative closes 80.0 % of the gap in mAP here and 52.6 % there." in leads
    assert (
        "the paper's claim holds here against every one of its rows that was tested (fewest seeds in a comparison: 1)"
        in leads
    )
    run(plan, Instance("collaborative", 4, 1), lift=-0.2)  # as good as the control, to the plate
    level = gather(plan, pictures=False)["tables"]["table4"]["verdict"]
    assert "In plates read, Collaborative cannot be told apart from Bicubic (+0.0 points" in level
    assert "the paper's claim does not hold here (" in level
    run(plan, Instance("collaborative", 4, 1), lift=-0.5)
    trails = gather(plan, pictures=False)["tables"]["table4"]["verdict"]
    assert "In plates read, Collaborative reads fewer plates than Bicubic, No SR at all" in trails
    assert "The paper's best is Collaborative; here, of the paper's rows, it is Bicubic." in trails
    assert "2 of 3 pairs stand the same way; Collaborative is not above Bicubic here." in trails
    assert "By PSNR, the order of the rows agrees with" in gather(plan, pictures=False)["tables"]["table2"]["verdict"]


def test_a_table_with_map_says_what_share_of_the_gap_is_closed() -> None:
    tables = load_matrix(ROOT / "tables.yaml").tables
    assert [name for name, table in tables.items() if "map50" in table.columns and name in published().tables] == [
        name for name, table in tables.items() if "gap_closed_map50" in table.columns and name in published().tables
    ]


def test_the_page_names_every_commit_and_arithmetic(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    for seed, precision in ((1, "bf16"), (2, "fp32")):
        folder = run(plan, Instance("collaborative", 4, seed))
        evaluation = folder / "evaluations" / "x4" / "meta.json"
        meta = {"plates": 60 + seed, "source": "made up", "commit": f"{seed}" * 8}
        evaluation.write_text(json.dumps(meta), encoding="utf-8")
        (folder / "models").mkdir()
        weights = folder / "models" / "sr.safetensors"
        weights.touch()
        card_path(weights).write_text(json.dumps({"precision": precision}), encoding="utf-8")
    said = "61 to 62 test plates a seed (made up), commits 11111111, 22222222, trained in bf16 and fp32."
    assert gather(plan, pictures=False)["made"] == said
    assert said in write_page(plan).read_text(encoding="utf-8")


def test_every_training_has_its_panel(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    run(plan, Instance("collaborative", 4, 1))
    run(plan, Instance("control", 4, 1))
    curves = trainings(plan, 4)
    assert all(stage in curves for stage in ("pretrain_recognizer", "phase2: ", "bicubic_phase2", "rounds"))
