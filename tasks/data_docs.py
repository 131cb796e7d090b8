"""Data Docs: the stored validation results as pages to read, by Great Expectations' own renderer."""

import os
import re
from html import escape
from pathlib import Path
from typing import Any

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when Great Expectations is imported

import great_expectations as gx
from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResultSchema
from great_expectations.render.renderer import ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView

from strata.errors import ValidationFailed
from strata.storage import read_json, write_text

NAMES = ("interactions", "items", "users")
REMOTE = re.compile(
    r"<script\b.*?</script>"  # all of them need libraries from the network
    r"|<link\b[^>]*\bhref=\"https?:[^>]*>|<img\b[^>]*\bsrc=\"https?:[^>]*>|url\('https?:[^)]*\)",
    re.DOTALL,
)
STYLE = """<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0; } td, th { border: 1px solid #ccc; padding: .3rem .6rem; }
.table-success { background: #e8f5e9; } .table-danger, .table-warning { background: #fdecea; }
form, .d-none { display: none; }
</style>"""


def render(results: Path, folder: Path) -> Path:
    """Write one page for each table's result in `results` and an index into `folder`; returns the index.

    The pages load nothing from elsewhere: they read the same without a network.
    """
    rows = []
    for name in NAMES:
        path = results / f"{name}.json"
        if not path.exists():
            raise ValidationFailed(f"{path} does not exist; run the stage validate first (dvc repro validate)")
        result = read_json(path)
        write_text(_page(result), folder / f"{name}.html")
        rows.append(_row(name, result))
    head = "<tr><th>table</th><th>rows</th><th>rows checked</th><th>expectations met</th></tr>"
    title = "<title>Data Docs</title><h1>Data Docs</h1>"
    start = f'<!doctype html><html lang="en"><meta charset="utf-8">{STYLE}{title}'
    write_text(f"{start}<table>{head}{''.join(rows)}</table></html>\n", folder / "index.html")
    return folder / "index.html"


def _row(name: str, result: dict[str, Any]) -> str:
    counts = result["statistics"]
    met = f"{counts['successful_expectations']} of {counts['evaluated_expectations']}"
    cells = [
        f'<a href="{name}.html">{escape(name)}</a>',
        f"{result['rows']:,}",
        f"{result['rows_checked']:,}",
        met,
    ]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _page(result: dict[str, Any]) -> str:
    keys = ("success", "suite_name", "statistics")
    content = {key: result[key] for key in keys} | {"suite_parameters": {}, "id": None}
    # The renderer wants a run and a version; the stored results hold neither, on purpose.
    run = {"run_name": result["suite_name"], "run_time": "1970-01-01T00:00:00+00:00"}
    content["meta"] = {"run_id": run, "great_expectations_version": gx.__version__}
    content["results"] = [
        {
            **each,
            "meta": {},
            "expectation_config": {**each["expectation_config"], "meta": {}},
            "exception_info": {**each["exception_info"], "exception_traceback": None},
        }
        for each in result["results"]
    ]
    validated = ExpectationSuiteValidationResultSchema().load(content)
    document = ValidationResultsPageRenderer(run_info_at_end=True).render(validated)
    page = REMOTE.sub("", DefaultJinjaPageView().render(document))
    return page.replace("</head>", f"{STYLE}</head>", 1)
