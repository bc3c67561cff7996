"""How to make a ranking again, and what it does not say."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.report import background
from headstart.report.pages.rank.report import RankReport
from headstart.report.shell import Section
from headstart.report.words import lowered

PHASES = {
    **background.PHASES,
    "source": "open the sources",
    "head": "choose depth and head of each source",
    "baseline": "baselines",
    "partial": "partial transfer of the first source",
}


def cost_section(report: RankReport) -> Iterator[Section]:
    """The section on time and memory."""
    return background.cost_section(report, PHASES)


def again_section(report: RankReport) -> Iterator[Section]:
    """The section with the command that makes the ranking again."""
    ranking = report.ranking
    sources = {
        f"Source {report.letters[each.name]}": each.name + (f" --arch {each.arch}" if each.arch else "")
        for each in ranking.sources
    }
    facts = {"Compared on": report.counted(ranking.n_items), **sources}
    how_alike = (
        "The same command on the same machine gives the same places and results, up to rounding; "
        "the milliseconds are measured again."
    )
    yield background.again_section(report, report.facts.command, facts, how_alike)


def limits_section(report: RankReport) -> Iterator[Section]:
    """What the numbers mean, and what they do not say."""
    ranking, metric = report.ranking, lowered(report.label)
    n_held_out = f"{report.counted(ranking.n_held_out)} held out" if ranking.n_held_out else "new items"
    fit = "`headstart fit --freeze all`"
    found = [
        f"The predicted {metric} is for the head alone. Its interval says where the result of {fit} lies in 95 of 100 "
        f"cases, measured on {n_held_out}. It allows for both parts: few items to compare on, and few held out.",
        "The best of several sources looks better than it is. The predicted results are corrected for that; the "
        "differences from the first are as measured.",
        "Place “1 to 3” means: these items do not show which of the places 1 to 3 it has. It is 1 to 3 because no row "
        "is clearly better, and all rows but three are clearly worse. One error rate of 5% holds for all pairs of rows "
        "together, so sources that differ a little are often not told apart.",
        "Training more than the head (`--freeze auto`) can change the order.",
        "Milliseconds are for the network on this machine, without reading and decoding the item; megabytes are for "
        "weights in 32-bit floating point.",
        *background.limits_of_data(report.data, f"the items compared on ({report.counted(ranking.n_items)})"),
    ]
    yield Section("limits", "What it means, and its limits", "shell/prose.html.j2", found, "", "Limits")
