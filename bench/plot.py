"""The plot of a run, as SVG. What is drawn was measured elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pygal
from pygal.style import Style

from bench.figures import Samples, ratios
from bench.versus import Duel

_STYLE = Style(
    background="white",
    plot_background="white",
    colors=("#8a8f98", "#9ecae1", "#3182bd", "#08519c"),
    font_family="sans-serif",
)

_SCRIPT = re.compile(r"<script.*?</script>", re.DOTALL)
"""What makes it move in a browser: an image in a document has no use for it."""


def draw(duels: list[Duel], path: Path) -> None:
    """Each update as a bar from the floor to the whole, as a ratio to the Deployment beside it."""
    chart = pygal.HorizontalBar(
        style=_STYLE,
        js=(),  # a picture, not a program
        title="Wall time, the Deployment = 1",
        legend_at_bottom=True,
        print_values=True,
        print_values_position="top",
        formatter=lambda value: f"{value:.2f}",
        height=120 + 160 * len(duels),
        width=820,
        range=(0, 1.6),
        disable_xml_declaration=False,
        pretty_print=True,
        no_prefix=True,
    )
    chart.x_labels = [str(each.strategy) for each in duels]
    medians = [_medians(each) for each in duels]
    for name in medians[0]:
        chart.add(name, [each[name] for each in medians])
    path.write_text(_SCRIPT.sub("", chart.render(is_unicode=True)))


def _medians(each: Duel) -> dict[str, float]:
    theirs = Samples.of(each.theirs).median
    return {
        "floor (readiness alone)": each.floor / theirs,
        "Deployment": 1.0,
        "rolling-update, the loop alone": ratios(each.loop, each.theirs).median,
        "rolling-update, the whole command": ratios(each.ours, each.theirs).median,
    }
