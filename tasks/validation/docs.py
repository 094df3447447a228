"""Data Docs: a page for each table, drawn by Great Expectations, and one in front of them.

Great Expectations' own sites load styles and scripts from seven hosts, and their first page is empty without them.
Plates are personal data and many machines are offline, so its renderers fill a page of ours, which needs no other file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

from tasks.validation.expectations import Result

_HERE = Path(__file__).parent
_LISTED = 50  # rows on the first page at most; Data Docs are to be looked at, the CSV holds all


def write_docs(out: Path, title: str, results: Sequence[Result], report: Mapping[str, Any]) -> Path:
    """Write the pages.

    Args:
        out: Folder to fill; it is made.
        title: Of the set.
        results: Each gets a page.
        report: What ``reports/validation.json`` says.

    Returns:
        The first page.
    """
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    out.mkdir(parents=True, exist_ok=True)
    view = DefaultJinjaPageView(custom_views_directory=str(_HERE))
    for result in results:
        document = ValidationResultsPageRenderer(run_info_at_end=True).render(result.details)
        text = view.render(
            document, template="docs_table.html.j2", name=result.name, title=title, pages=_pages(results)
        )
        text = text.replace(f"{'../' * 4}expectations/", "")  # a link to the bounds, which stand on this page
        (out / f"{result.name}.html").write_text(text, encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=select_autoescape(["html", "j2"]), trim_blocks=True
    )
    text = environment.get_template("docs_index.html.j2").render(
        title=title, pages=_pages(results), tables=[_table(r) for r in results], report=report, listed=_LISTED
    )
    first = out / "index.html"
    first.write_text(text, encoding="utf-8")
    return first


def _pages(results: Sequence[Result]) -> list[str]:
    return [result.name for result in results]


def _table(result: Result) -> dict[str, Any]:
    rows = [
        {"check": name, "n": n, "rejects": next(c.rejects for c in result.checks if c.name == name)}
        for name, n in result.counts(result.checks).items()
    ]
    return {"name": result.name, "rows": rows}
