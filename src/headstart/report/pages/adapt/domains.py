"""The section with both domains as points in the plane, before and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headstart.report.charts import Clouds, clouds
from headstart.report.pages.adapt.report import AdaptReport
from headstart.report.shell import Section

if TYPE_CHECKING:
    from headstart.adapt.picture import Cloud


@dataclass(frozen=True)
class Panel:
    """One picture: its title, its points, and the same in words."""

    title: str
    chart: Clouds
    reads: str


@dataclass(frozen=True)
class DomainsDrawn:
    """Both pictures."""

    panels: Sequence[Panel]
    names: tuple[str, str]
    counts: tuple[str, str]
    how: str


def domains_section(report: AdaptReport) -> Iterator[Section]:
    """The section with the picture, if there were enough items to draw."""
    picture = report.picture
    if picture is None:
        return
    panels = [_panel("Before", picture.before)]
    if picture.after is not None:
        panels.append(_panel("After", picture.after))
    if picture.projection == "PCA":
        how = (
            "Each picture shows the first two principal axes of its own points; with the package `umap-learn` "
            "installed it is UMAP."
        )
    else:
        how = "Drawn with UMAP: neighbours are kept together, distances mean little."
    if picture.after is None and report.is_adapted:
        how += " The method changes the classifier, not the features: there is one picture."
    counts = (len(picture.before.source_N2), len(picture.before.target_M2))
    source = report.counted(counts[0])
    if report.found.from_run:
        source = f"{counts[0]:,} points drawn from the statistics of the run, which keeps no items"
    content = DomainsDrawn(panels, report.found.names, (source, report.counted(counts[1])), how)
    yield Section(
        "domains", "Both domains", "adapt/domains.html.j2", content, _takeaway(report), "Both domains"
    )


def _panel(title: str, cloud: Cloud) -> Panel:
    shown = (
        "" if cloud.explained is None else f" The picture shows {_percent(cloud.explained)} of the variance."
    )
    return Panel(
        title,
        clouds(cloud.source_N2, cloud.target_M2),
        f"{_percent(cloud.own)} of the items have their nearest neighbour in their own domain.{shown}",
    )


def _takeaway(report: AdaptReport) -> str:
    """How well the domains are mixed."""
    picture = report.picture
    if picture is None:
        return ""
    start = "Mixed domains have half of their nearest neighbours in their own domain, separate ones all: here"
    before = _percent(picture.before.own)
    if picture.after is None:
        return f"{start} {before}."
    after = _percent(picture.after.own)
    return f"{start} {before} before and {after} after. More mixing alone does not mean better answers."


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
