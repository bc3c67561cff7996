"""Adapt a finished run without its training data: its network, its head, and the statistics that it keeps.

Virtual items, drawn from the statistics (`adapt.summary`), take the place of the labelled items, so that every method
and the choice among them work as with data. Source only is the run's own head.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.adapting.options import AdaptOptions
from headstart.adapting.pair import Target, names_of, read_target
from headstart.adapting.preparing import Prepared
from headstart.adapting.source_domain import SourceDomain
from headstart.clock import IMPORTS, Clock
from headstart.errors import InputError
from headstart.metrics import Interval
from headstart.progress import waiting
from headstart.run_files import METRICS
from headstart.units import counted

if TYPE_CHECKING:
    from headstart.adapt.summary import FeatureSummary
    from headstart.features import Features, Setting
    from headstart.heads import LinearHead
    from headstart.runs import Record
    from headstart.sources import Source


def of_run(options: AdaptOptions, folder: Path, setting: Setting, clock: Clock) -> Prepared:
    """A finished run, and a data set to adapt it to.

    Args:
        options: of the adaptation.
        folder: of the run.
        setting: device, precision and threads.
        clock: takes the phases "source", "data" and "checks".

    Raises:
        InputError: the run cannot be adapted, or the data cannot be read.
    """
    from headstart.fitting.plan import import_library
    from headstart.runs.adaptable import open_adaptable

    run = open_adaptable(folder)
    with waiting("Reading the source …"):
        with clock.phase(IMPORTS):
            import_library(run.modality)
        with clock.phase("source"):
            source = run.network(options.arch, trust_remote_code=options.trust_remote_code)
    head, summary = run.head, run.summary
    with clock.phase("data"):
        examples = read_target(
            options, source.modality, () if run.record.data is None else run.record.data.text
        )
    names = names_of(folder, str(options.target_data))
    target = Target.of(examples, names[1], head.classes, options, clock)
    domain = partial(_domain, options, folder, names[0], run.record, source, head, summary, setting)
    about = f"a run on {counted(summary.n_items, 'labelled items')}, {counted(len(head.classes), 'classes')}"
    return Prepared(target, source, domain, names[0], about)


def _domain(
    options: AdaptOptions,
    folder: Path,
    name: str,
    record: Record,
    source: Source,
    head: LinearHead,
    summary: FeatureSummary,
    setting: Setting,
) -> SourceDomain:
    from headstart.features import Store
    from headstart.runs import SplitPart

    if record.data is None:
        raise InputError(f"{folder / METRICS} says nothing about its data: make the run again")
    virtual_ND, codes_N = summary.draw(options.seed)
    counts = dict(zip(head.classes, summary.counts.tolist(), strict=True))
    return SourceDomain(
        name=name,
        source=source,
        head=head,
        task=head.task,
        features_ND=virtual_ND,
        codes_N=codes_N,
        groups_N=None,
        penalty=_penalty(virtual_ND, codes_N, head) if summary.penalty is None else summary.penalty,
        n_items=summary.n_items,
        digests=np.array([], dtype=object),
        in_domain=(record.test or {}).get(head.task.quality) or Interval(None, why="the run has no scores"),
        profile=record.profile or {},
        data=record.data,
        parts=(SplitPart("train", summary.n_items, counts=counts),),
        split_origin=f"Of the training items of {name} only the run's statistics were used.",
        findings=(),
        extract=partial(_extract, Store(None if options.store is None else Path(options.store)), setting),
        seed=options.seed,
        summary=summary,
    )


def _extract(
    store: Any, setting: Setting, source: Source, items: Sequence[Any], digests: np.ndarray
) -> Features:
    from headstart.features import extract_pooled

    return extract_pooled(source, items, digests, store, **setting.options)


def _penalty(virtual_ND: np.ndarray, codes_N: np.ndarray, head: LinearHead) -> float:
    """The penalty of a logistic regression, by cross-validation on the virtual items."""
    from headstart.choose.penalty import logistic_penalty
    from headstart.choose.tried_head import Trial

    folds = np.empty(len(codes_N), dtype=np.int64)
    for code in np.unique(codes_N):
        places = np.flatnonzero(codes_N == code)
        folds[places] = np.arange(len(places)) % 5
    trial = Trial(head.task, codes_N, len(head.classes), folds, None)
    return logistic_penalty(virtual_ND, trial, head.stages)
