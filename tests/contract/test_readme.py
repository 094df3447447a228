"""The README says what the committed results say, and names commands that exist."""

import re
from pathlib import Path

from typer.main import get_command

from tasks.cli import app
from tasks.report.markdown import markdown
from tests.plates import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_synthetic_table_is_that_of_the_results() -> None:
    rows = [line for line in markdown(ROOT / "reports/evaluate.json").splitlines() if line.startswith("|")]
    assert rows
    missing = [row for row in rows if row not in README]
    assert missing == []


def test_the_real_tables_are_those_of_the_page() -> None:
    page = (ROOT / "docs/results/ealpr/tables.md").read_text(encoding="utf-8")
    section = README.partition("**Real Egyptian plates**")[2].partition("\n**")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    assert len(rows) > 6
    assert [row for row in rows if row not in page] == []


def test_the_difference_to_the_control_is_that_of_the_page() -> None:
    page = (ROOT / "docs/results/ealpr/tables.md").read_text(encoding="utf-8")
    table4 = page.partition("## Table 4. x4")[2].partition("\n## ")[0]
    found = re.findall(r"^\| No SR at all [^|]*\| ([-+][^|]*\)) \|", table4, re.MULTILINE)
    assert len(found) == 1
    assert found[0] in README


def test_commands_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE)) <= targets
    commands = set(getattr(get_command(app), "commands", {}))
    assert set(re.findall(r"`acl ([a-z]+)", README)) <= commands


def test_links_lead_somewhere() -> None:
    for name in ("README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))):
        text = (ROOT / name).read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#:]+)\)", text):
            assert ((ROOT / name).parent / Path(link)).exists(), f"{name}: {link}"
