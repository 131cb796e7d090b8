"""What the monitor saw, as Markdown for the Prefect UI and as a page of HTML. Neither names a user or an item."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from strata.online.alerting import Alert, Watch
from strata.storage import write_text

Table = tuple[str, list[str], list[list[str]]]
"""Title, names of columns, rows."""
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse}td,th{padding:.2em .8em;border-bottom:1px solid #ddd;text-align:right}"
    "td:first-child,th:first-child{text-align:left}"
)


def tables(watch: Watch, found: Sequence[Alert]) -> list[Table]:
    """All that was seen, as tables."""
    late, cold = watch.late, watch.cold
    numbers = [
        ["events", f"{late['events']:,.0f}"],
        ["active users", f"{cold['users']:,.0f}"],
        ["of them unknown to the release", f"{cold['cold_users']:.1%}"],
        ["events on items that the release lacks", f"{cold['unknown_items']:.1%}"],
        ["events behind later ones", f"{late['behind']:.1%}"],
        ["late events", f"{watch.late_share:.1%}"],
        ["hours behind, 95 % at most", f"{late['hours_95']:.2f}"],
        ["hours behind, at most", f"{late['hours_most']:.2f}"],
        ["hours without an event until now", f"{late['silent_hours']:.1f}"],
    ]
    releases = [
        [
            str(row["release"]), f"{row['lists']:,}", f"{row['fallbacks']:,}", f"{row['shown']:,}",
            f"{row['clicked']:,}", f"{row['click_through']:.4f} ({row['low']:.4f} to {row['high']:.4f})",
            f"{row['judged']:,}", "" if row["satisfaction"] is None else f"{row['satisfaction']:.2f}",
        ]
        for row in watch.releases.rows(named=True)
    ]  # fmt: skip
    return [
        ("Alerts", ["what", "told", "value", "limit"],
         [[each.what, each.told, f"{each.value:.3g}", f"{each.limit:g}"] for each in found]),
        ("Events", ["", ""], numbers),
        ("Releases", ["release", "lists", "fallbacks", "items shown", "clicked", "click-through (95 %)", "judged",
                      "satisfaction"], releases),
        ("Signs of machines and of fraud", ["sign", "certain", "users", "events", "meaning"],
         [[str(value) for value in each.values()] for each in watch.bursts]),
        ("Distance from what the release learned from", ["column", "distance"],
         [[column, f"{distance:.3f}"] for column, distance in watch.drift.items()]),
    ]  # fmt: skip


def markdown(watch: Watch, found: Sequence[Alert]) -> str:
    """All tables that have rows."""
    return "\n\n".join(_markdown(table) for table in tables(watch, found) if table[2]) + "\n"


def _markdown(table: Table) -> str:
    title, names, rows = table
    lines = [f"| {' | '.join(cells)} |" for cells in (names, ["---"] * len(names), *rows)]
    return "\n".join([f"## {title}", "", *lines])


def write_page(watch: Watch, found: Sequence[Alert], path: Path, drift: str | None) -> None:
    """Write the page; `drift`: name of evidently's page beside it."""
    body = "".join(_html(table) for table in tables(watch, found) if table[2] or table[0] == "Alerts")
    link = f'<p><a href="{escape(drift)}">Distributions, column by column</a></p>' if drift else ""
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Monitor</title><style>{STYLE}</style>'
    write_text(f"{head}<h1>How the platform does</h1>{body}{link}</html>\n", path)


def _html(table: Table) -> str:
    title, names, rows = table
    if not rows:
        return f"<h2>{escape(title)}</h2><p>None.</p>"
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    cells = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<h2>{escape(title)}</h2><table><tr>{head}</tr>{cells}</table>"
