"""Transferability scores of each source, and the order of sources that cannot be told apart.

Legend: N items, S sources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import softmax

from headstart.choose.scores import SCORES, Sample
from headstart.choose.scores.combined import DEFAULT, combined
from headstart.choose.scores.probe import PROBE, PROBE_LOSS, loss_score
from headstart.errors import HeadstartError, one_line
from headstart.progress import say
from headstart.ranking.items import Items

if TYPE_CHECKING:
    from headstart.choose import Choice
    from headstart.features import Features
    from headstart.sources import Source, UpstreamClassifier


def scores_of(source: Source, features: Features, choice: Choice, items: Items) -> dict[str, float]:
    """Return every score that applies to a source, at the stages that its head reads; larger is better.

    Args:
        source: the network, for its upstream classifier.
        features: of the items.
        choice: the head alone, for its stages and its cross-validated quality and loss.
        items: that sources are compared on.
    """
    task, features, classifier = (
        items.data.examples.task,
        features.take(choice.positions),
        _classifier(source),
    )
    probabilities = None if classifier is None else softmax(classifier.logits(features.stage(-1)), axis=1)
    codes = items.codes[choice.positions]
    sample = Sample(
        features.stacked(choice.head.stages), codes, task, probabilities, items.units_of(choice), items.seed
    )
    found = {}
    for score in SCORES.values():
        if score not in (PROBE, PROBE_LOSS) and score.applies(
            task, has_probabilities=probabilities is not None
        ):
            try:
                found[score.name] = score.of(sample)
            except Exception as error:  # features of absurd size: the source is ranked without this score
                say(f"note: {score.label} of {source.uri} was not computed: {one_line(error)}")
    loss = loss_score(choice.chosen.loss, sample)
    return {PROBE.name: choice.chosen.quality, PROBE_LOSS.name: loss, **found}


def combined_scores(scores: Sequence[Mapping[str, float]], *, grouped: bool) -> np.ndarray:
    """Return the combination of the scores of each source, of shape (S,); larger is better.

    Args:
        scores: of each source, by name.
        grouped: whether items belong to groups: then only cross-validation counts, since the other scores cannot keep
            a group together and prefer features that recognise it.
    """
    wanted = (PROBE_LOSS.name,) if grouped else DEFAULT
    names = [name for name in wanted if all(name in each for each in scores)] or [PROBE.name]
    return combined({name: [each[name] for each in scores] for name in names}, names)


def order_of(key_S: np.ndarray, better_SS: np.ndarray) -> list[int]:
    """Order sources: none comes before a source that is clearly better; of the rest, that with the largest key first.

    Args:
        key_S: of each source, of shape (S,); of equal ones the earlier comes first.
        better_SS: whether the row is clearly better than the column, of shape (S, S).
    """
    left, order = list(range(len(key_S))), list[int]()
    while left:
        free = [one for one in left if not better_SS[left, one].any()]
        taken = max(free or left, key=lambda one: float(key_S[one]))
        left.remove(taken)
        order.append(taken)
    return order


def _classifier(source: Source) -> UpstreamClassifier | None:
    try:
        return source.classifier
    except HeadstartError as error:
        say(f"note: the upstream classifier of {source.uri} cannot be read: {error}")
        return None
