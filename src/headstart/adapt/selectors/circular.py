"""Circular validation: are the source labels found again from the predictions for the target?

1. The candidate predicts the classes of the target items.
2. The same method learns from these predictions as if they were labels, with the target as its source and the source,
   without labels, as its target.
3. The score is its balanced accuracy on the source labels.

A method that mixes up classes on the target cannot find the source labels again. One that exchanges two classes
consistently can, if alignment undoes the exchange: the score sees no label shift and no unread language.

If all target items are predicted to be of one class, so are all source items on the way back: the score is then that of
a constant, 1 / C.

Source: Bruzzone and Marconcini 2010, "Domain adaptation problems: a DASVM classification technique and a circular
validation strategy", IEEE TPAMI 32 (5).

Legend: N source items, M target items, C classes.
"""

from __future__ import annotations

import numpy as np

from headstart.adapt.domains import Codes, Domains, Float
from headstart.adapt.selectors.candidate import Candidate
from headstart.adapt.selectors.selector import Selector


def circular_validation(candidate: Candidate) -> float:
    """Return the balanced accuracy on the source after the way back."""
    domains = candidate.domains
    back, classes = reversed_domains(domains, candidate.predicted_M)
    if len(classes) == 1:
        found_N = np.full(len(domains.codes_N), classes[0])
    else:
        found_N = classes[candidate.method.fit(back).logits(domains.source_ND).argmax(axis=1)]
    return float(balanced(found_N == domains.codes_N, domains.codes_N).mean())


def reversed_domains(domains: Domains, predicted_M: Codes) -> tuple[Domains, Codes]:
    """The target with its predicted classes as source, and the source as target.

    Args:
        domains: the source and target features.
        predicted_M: predicted classes of the target items, of shape (M,).

    Returns:
        The domains, their classes counted over those that were predicted; and the number each of these had before. If
        class shares of the target were estimated, those of the new target, which are known, are given in their place.
    """
    classes, codes = np.unique(predicted_M, return_inverse=True)
    known = domains.source_shares_C[classes]
    corrects = domains.shares_C is not None and known.sum() > 0
    back = Domains(
        domains.target_MD,
        codes.astype(np.int64),
        domains.source_ND,
        len(classes),
        penalty=domains.penalty,
        shares_C=known / known.sum() if corrects else None,
        seed=domains.seed,
    )
    return back, classes


def balanced(right_N: np.ndarray, codes_N: Codes) -> Float:
    """Return items whose mean is the balanced accuracy: those of a rare class count more.

    Args:
        right_N: whether each item is right, of shape (N,).
        codes_N: true classes, of shape (N,).
    """
    counts = np.bincount(codes_N)
    return np.asarray(right_N * len(codes_N) / ((counts > 0).sum() * counts[codes_N]), dtype=np.float64)


CIRCULAR = Selector("circular", "circular validation", circular_validation)
