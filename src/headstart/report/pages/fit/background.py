"""Time, how to reproduce a fit, and what its result does not say."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from headstart.report import background
from headstart.report.pages.fit.report import FitReport
from headstart.report.shell import Section


def again_section(report: FitReport) -> Iterator[Section]:
    """The section with the command that makes the run again."""
    configuration = Path(report.facts.run).absolute() / "headstart.yaml"  # the command works in any folder
    command = f"headstart fit --config {shlex.quote(str(configuration))}"
    yield background.again_section(report, command, _facts(report), _how_alike(report))


def _how_alike(report: FitReport) -> str:
    """Whether the same command gives the same numbers: not if the time that a machine takes decides what is tried."""
    if report.candidates:
        return "A race tries what the machine has time for within the budget: the same command may give other numbers."
    return (
        "The same command on the same machine gives the same numbers, up to rounding: features that another run left "
        "in the store were computed in other batches."
    )


def _facts(report: FitReport) -> dict[str, str | None]:
    """Source, policy and stages, then what is known of the source's origin."""
    source = report.source
    return {
        "Source": source.uri,
        "Freeze policy of the result": report.record.policy,
        "Head reads": ", ".join(report.head_stages),
        "Trained stages": ", ".join(report.trained_stages),
        "architecture": source.architecture,
        "library": source.library,
        "revision": source.revision,
        "licence": source.licence,
        "upstream task": source.upstream,
        "parameters": f"{source.n_parameters:,}",
        "digest": source.digest[:16],
    }


def limits_section(report: FitReport) -> Iterator[Section]:
    """What this result does not say."""
    n_test, n_folds = report.counted(report.record.n_test or 0), report.record.n_folds
    found = background.limits_of_data(
        report.data, f"{'these' if n_folds else 'the held-out part'} ({n_test})"
    )
    if report.profile and not n_folds:
        found.append(
            "The depth profile was measured inside the training part; it chose the depth, it is not a result."
        )
    if "source_data" not in report.record.extra:
        found.append(
            "Whether the source has seen held-out items in its own training is not known. If you have its training "
            "data, `--source-data PATH` finds copies and near copies there."
        )
    yield Section("limits", "Limits", "shell/prose.html.j2", found)
