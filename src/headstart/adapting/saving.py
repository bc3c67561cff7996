"""Write an adaptation: metrics and predictions first, then the model in its forms, methods.csv, report and card."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from headstart.adapting.extracted import ExtractedPair
from headstart.adapting.options import AdaptOptions, run_named
from headstart.adapting.pair import labels_of
from headstart.adapting.picture import picture_of
from headstart.adapting.result import Adaptation, rows
from headstart.adapting.truth import Truth
from headstart.adapting.trying import Tried
from headstart.clock import Clock, peak_bytes
from headstart.fitting import reported_run
from headstart.fitting.facts import facts_of
from headstart.fitting.returned import save
from headstart.progress import waiting
from headstart.run_files import DIGESTS, digests_of

if TYPE_CHECKING:
    from headstart.adapt.summary import FeatureSummary
    from headstart.heads import LinearHead
    from headstart.runs import Predictions, Record, RunDirectory
    from headstart.runs.adaptation import AdaptationFacts
    from headstart.runs.learned_items import LearnedItems

TABLE = "methods.csv"


def create(options: AdaptOptions) -> RunDirectory:
    """Claim the folder of an adaptation and write its configuration."""
    return reported_run.create(options, "adapt", "adapted")


def finish(
    run: RunDirectory,
    options: AdaptOptions,
    pair: ExtractedPair,
    chosen: Tried,
    truth: Truth | None,
    facts: AdaptationFacts,
    clock: Clock,
) -> Adaptation:
    """Write an adaptation and close its folder.

    Args:
        run: the folder, claimed.
        options: of the adaptation.
        pair: both domains, with features.
        chosen: the method that is returned.
        truth: what labels of the target say; None without labels.
        facts: what was found.
        clock: the seconds of the phases.
    """
    from headstart.features import Store
    from headstart.report.pages.adapt import AdaptReport
    from headstart.runs.card import write_card
    from headstart.runs.training_statistics import save_statistics

    with clock.phase("write"):
        run.write_predictions(_predictions(pair, chosen))
        record = _record(pair, truth, facts, clock)
        run.write_record(record)
    with clock.phase("export"), waiting("Exporting model.pt2 …"):
        saved = save(run, chosen.features.source, head_of(pair, chosen), Store(options.store))
        save_statistics(run, summary_of(pair, chosen))
        if (learned := _learned_items(pair, options)) is not None:
            learned.save(run)
        record = replace(record, extra={**record.extra, DIGESTS: digests_of(run.path)})
    with clock.phase("picture"):
        drawn = picture_of(pair, chosen) if options.report else None
    record = replace(record, seconds=clock.seconds, peak_bytes=peak_bytes())
    domain = pair.domain
    about = facts_of(run, domain.classes, domain.parts, domain.split_origin, domain.findings)
    shown = AdaptReport(record, about, facts, next_command(run), drawn)
    write_card(run, record, about, saved, chosen.features.source.preprocessing.to_json())
    summary = reported_run.finish(run, shown, TABLE, rows(facts), report=options.report)
    return Adaptation(run.path, record.to_json(), summary, facts)


def head_of(pair: ExtractedPair, chosen: Tried) -> LinearHead:
    """The classifier as a head of the network, on standardised features of the target so that float32 is enough.

    Args:
        pair: both domains, with features.
        chosen: the method that is returned.
    """
    from headstart.heads import LinearHead

    x_MD = chosen.features.domains.target_MD  # what was set aside has no effect on the run
    mean = x_MD.mean(axis=0, dtype=np.float64).astype(np.float32)
    deviation = x_MD.std(axis=0, dtype=np.float64).astype(np.float32)
    scale = np.where(deviation > 1e-6 * np.abs(mean) + 1e-12, deviation, 1.0).astype(np.float32)
    weight, bias = chosen.fitted.weight, chosen.fitted.bias
    return LinearHead(
        stages=pair.stages,
        mean=mean,
        scale=scale,
        weight=(weight * scale).astype(np.float32),
        bias=(bias + weight @ mean.astype(np.float64)).astype(np.float32),
        temperature=1.0,
        classes=pair.domain.classes,
    )


def summary_of(pair: ExtractedPair, chosen: Tried) -> FeatureSummary:
    """What is kept of the source domain: a summary of its features, or that of the run which it came from.

    Args:
        pair: both domains, with features.
        chosen: the method that is returned, by whose network the features are.
    """
    from headstart.adapt.summary import summarise

    domain, features = pair.domain, chosen.features
    if domain.summary is not None and features is pair.plain:
        return domain.summary
    counts = None if domain.summary is None else domain.summary.counts
    return summarise(
        features.domains.source_ND,
        domain.codes_N,
        len(domain.classes),
        counts=counts,
        penalty=domain.penalty,
        seed=domain.seed,
    )


def _learned_items(pair: ExtractedPair, options: AdaptOptions) -> LearnedItems | None:
    """The labelled items that were learned from, and those of the target; None for a run that does not say."""
    from headstart.runs.learned_items import LearnedItems, item_hashes

    if pair.domain.workspace is not None:
        kept: LearnedItems | None = LearnedItems.of(pair.domain.workspace.plan.data, np.arange(0))
    else:
        folder = run_named(options)
        kept = None if folder is None else LearnedItems.load(folder)
    if kept is None:
        return None
    return LearnedItems(kept.learned, np.setdiff1d(item_hashes(pair.target.data), kept.learned))


def next_command(run: RunDirectory) -> str:
    """The command to run next: predictions with the run."""
    import shlex

    from headstart.fitting.facts import shown

    return f"headstart predict {shlex.quote(str(shown(run)))} NEW_ITEMS"


def _predictions(pair: ExtractedPair, chosen: Tried) -> Predictions:
    from headstart.runs import Predictions

    examples = pair.target.data.examples
    labels = labels_of(examples)
    return Predictions(
        items=examples.names.tolist(),
        classes=pair.domain.classes,
        probabilities=chosen.probabilities(np.arange(len(examples))),
        labels=None if labels is None else labels.tolist(),
        task=pair.task.name,
    )


def _record(pair: ExtractedPair, truth: Truth | None, facts: AdaptationFacts, clock: Clock) -> Record:
    from headstart.runs import Chosen, Record, SourceFacts

    domain = pair.domain
    return Record(
        kind="adapt",
        source=SourceFacts.of(domain.source),
        data=domain.data,
        task=pair.task.name,
        n_train=facts.n_source,
        n_test=facts.n_scored,
        test=None if truth is None else truth.test,
        baselines=None if truth is None else {"source_only": truth.before},
        verdict=None if truth is None else truth.verdict,
        chosen=Chosen("all", len(domain.source.stages), facts.stages),
        profile=dict(domain.profile),
        seconds=clock.seconds,
        peak_bytes=peak_bytes(),
        extra={"adaptation": facts.to_json()},
    )
