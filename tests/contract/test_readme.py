"""The README says what the committed results say, and names commands that exist."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from tasks.cli import app
from tasks.report.markdown import markdown
from tests.plates import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("results", ["reports/evaluate.json", "docs/results/ealpr/evaluate.json"])
def test_tables_are_those_of_the_results(results: str) -> None:
    rows = [line for line in markdown(ROOT / results).splitlines() if line.startswith("|")]
    assert rows
    missing = [row for row in rows if row not in README]
    assert missing == []


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
