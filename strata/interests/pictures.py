"""Pictures made of a few kinds of marks, written as SVG, as an HTML page of their own, or as PNG by matplotlib."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from strata.storage import replacing, write_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LIGHT: Final = {
    "page": "#ffffff", "ink": "#1f2430", "muted": "#677083", "line": "#e3e6ec",
    "core": "#c2208f", "stable": "#0b96b8", "momentary": "#e3a008",
}  # fmt: skip
DARK: Final = {
    "page": "#14171d", "ink": "#eceff4", "muted": "#98a1b3", "line": "#2b313c",
    "core": "#ea5cc0", "stable": "#2cc3e3", "momentary": "#f5c542",
}  # fmt: skip
"""Colours by role, for light and dark pages; the tiers' are those of the terminal."""
GROUPS: Final = (
    "#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2", "#b07aa1",
    "#c9a227", "#9c755f", "#d37295", "#499894", "#86a03c", "#8d93a5",
)  # fmt: skip
"""Colours of groups without a role, legible on both pages, taken in turn."""
CJK: Final = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "WenQuanYi Zen Hei", "PingFang SC")
STYLE = (
    "svg{font-family:system-ui,sans-serif;color-scheme:light dark}\n"
    "text{dominant-baseline:central;paint-order:stroke;stroke:var(--page);stroke-linejoin:round;pointer-events:none}\n"
    ".tip:hover{stroke:var(--ink);stroke-width:2}\n"
)
ENDINGS: Final = (".svg", ".png", ".html")
INCHES, DOTS = 0.0125, 120
"""Inches of a unit of a picture, and dots of an inch, in PNG files."""
HALO = 0.22
"""Width of the rim that keeps text legible on marks, in units of its size."""


@dataclass(frozen=True)
class Disc:
    """A filled circle; `colour` is a role or a hexadecimal colour, `title` what pointing at it shows."""

    x: float
    y: float
    radius: float
    colour: str
    title: str = ""
    opacity: float = 1.0
    ring: str | None = None


@dataclass(frozen=True)
class Bar:
    """A filled rectangle with round corners, from its upper left corner (x, y)."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    title: str = ""
    opacity: float = 1.0


@dataclass(frozen=True)
class Text:
    """One or more lines around (x, y), in the middle or beside it."""

    x: float
    y: float
    size: float
    text: str
    colour: str = "ink"
    align: Literal["left", "center", "right"] = "center"
    bold: bool = False


Mark = Disc | Bar | Text


@dataclass(frozen=True)
class Picture:
    """Marks in the order they are drawn, on a page of `width` × `height` units; y grows downwards."""

    title: str
    width: float
    height: float
    marks: list[Mark]

    def write(self, path: Path) -> None:
        """Write as .svg or .html, light or dark as the reader's system is, with tooltips; or as .png, light.

        The same picture gives the same bytes. Raises ValueError for another ending.
        """
        if path.suffix == ".svg":
            write_text(self.svg(), path)
        elif path.suffix == ".html":
            write_text(self.html(), path)
        elif path.suffix == ".png":
            with replacing(path) as temporary:
                self._paint(temporary)
        else:
            raise ValueError(f"{path}: pictures end in {', '.join(ENDINGS)}")

    def svg(self) -> str:
        """An image that needs no other file."""
        light, dark = (";".join(f"--{role}:{colour}" for role, colour in roles.items()) for roles in (LIGHT, DARK))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}" role="img" '
            f'aria-label="{escape(self.title)}">\n<style>\n:root{{{light}}}\n'
            f"@media(prefers-color-scheme:dark){{:root{{{dark}}}}}\n{STYLE}</style>\n"
            f'<rect width="100%" height="100%" fill="var(--page)"/>\n'
            + "\n".join(map(_markup, self.marks))
            + "\n</svg>\n"
        )

    def html(self) -> str:
        """A page that needs no other file and no network."""
        return (
            f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(self.title)}</title>\n'
            '<meta name="viewport" content="width=device-width">\n'
            "<style>body{margin:0;background:var(--page)}svg{display:block;width:100%;max-height:100vh}</style>\n"
            f"{self.svg()}</html>\n"
        )

    def _paint(self, path: Path) -> None:
        import matplotlib as mpl
        from matplotlib.figure import Figure
        from matplotlib.font_manager import get_font_names

        fonts = ["DejaVu Sans", *(font for font in CJK if font in get_font_names())]
        with mpl.rc_context({"font.family": fonts, "text.hinting": "none"}):
            figure = Figure(figsize=(self.width * INCHES, self.height * INCHES), facecolor=LIGHT["page"])
            axes = figure.add_axes((0, 0, 1, 1), xlim=(0, self.width), ylim=(self.height, 0))
            axes.set_axis_off()
            for order, mark in enumerate(self.marks):
                _paint(mark, axes, order)
            figure.savefig(path, format="png", dpi=DOTS, metadata={"Software": None})


def tier_key(x: float, y: float) -> list[Mark]:
    """What the tiers' colours mean, in one line from (x, y)."""
    marks: list[Mark] = []
    for tier in ("core", "stable", "momentary"):
        marks += [Disc(x + 5, y, 5, tier), Text(x + 16, y, 10, tier, "muted", "left")]
        x += 34 + 6 * len(tier)
    return marks


def _fill(colour: str) -> str:
    return f"var(--{colour})" if colour in LIGHT else colour


def _markup(mark: Mark) -> str:
    if isinstance(mark, Text):
        lines = mark.text.split("\n")
        anchor = {"left": "start", "center": "middle", "right": "end"}[mark.align]
        weight = ' font-weight="600"' if mark.bold else ""
        top = mark.y - (len(lines) - 1) * mark.size * 0.6
        return "".join(
            f'<text x="{mark.x:g}" y="{top + place * mark.size * 1.2:g}" font-size="{mark.size:g}" '
            f'text-anchor="{anchor}" stroke-width="{mark.size * HALO:g}" fill="{_fill(mark.colour)}"{weight}>'
            f"{escape(line)}</text>"
            for place, line in enumerate(lines)
        )
    if isinstance(mark, Disc):
        shape = f'circle cx="{mark.x:g}" cy="{mark.y:g}" r="{mark.radius:g}"'
        shape += f' stroke="{_fill(mark.ring)}" stroke-width="2"' if mark.ring else ""
    else:
        shape = f'rect x="{mark.x:g}" y="{mark.y:g}" width="{mark.width:g}" height="{mark.height:g}"'
        shape += f' rx="{min(mark.width, mark.height) / 3:g}"'
    shape += f' fill="{_fill(mark.colour)}" fill-opacity="{mark.opacity:g}"'
    if not mark.title:
        return f"<{shape}/>"
    return f'<{shape} class="tip"><title>{escape(mark.title)}</title></{shape.split()[0]}>'


def _paint(mark: Mark, axes: "Axes", order: int) -> None:
    from matplotlib import patheffects
    from matplotlib.patches import Circle, FancyBboxPatch

    colour = LIGHT.get(mark.colour, mark.colour)
    if isinstance(mark, Text):
        points = mark.size * INCHES * 72
        text = axes.text(
            mark.x, mark.y, mark.text, size=points, color=colour, ha=mark.align, va="center",
            weight="bold" if mark.bold else "normal", linespacing=1.1, zorder=order,
        )  # fmt: skip
        text.set_path_effects([patheffects.withStroke(linewidth=points * HALO, foreground=LIGHT["page"])])
    elif isinstance(mark, Disc):
        ring = LIGHT.get(mark.ring or "", "none")
        circle = Circle((mark.x, mark.y), mark.radius, facecolor=(colour, mark.opacity), edgecolor=ring, linewidth=1.6)
        axes.add_patch(circle).set_zorder(order)
    else:
        corner = min(mark.width, mark.height) / 3
        inner = (mark.width - 2 * corner, mark.height - 2 * corner)
        style = f"round,pad={corner},rounding_size={corner}"
        start = (mark.x + corner, mark.y + corner)
        bar = FancyBboxPatch(start, *inner, style, facecolor=(colour, mark.opacity), linewidth=0)
        axes.add_patch(bar).set_zorder(order)
