"""What every adaptation must satisfy: finite on any domains, in any order the same, and a help against a planted shift.

`check_alignment` takes a row of `adapt.alignments.ALIGNMENTS`, `check_learner` one of `adapt.learners.LEARNERS`, and
`check_method` both together.

Legend: N source items, M target items, D features, R mapped features, C classes.

Example:
    >>> from headstart.adapt.alignments import ALIGNMENTS
    >>> check_alignment(ALIGNMENTS["standardise"])
"""

from __future__ import annotations

import warnings
from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headstart.adapt.affine import LinearClassifier
from headstart.adapt.alignments import NONE, Alignment
from headstart.adapt.domains import Domains
from headstart.adapt.learners import LOGISTIC, Learner
from headstart.adapt.method import Method
from headstart.testing.adaptation_domains import SHIFTS, hard_domains, planted
from headstart.testing.close import require, require_close

FOLDED = 1e-4  # between the mapped and the folded classifier, relative to the largest value
SAME = 0.02  # in a probability, between orders of the items or of the classes
GAIN, LOSS = 0.02, 0.03  # in accuracy against source only: at least with a shift, at most without
SEEDS = range(3)
SOURCE_ONLY = Method()


def check_alignment(alignment: Alignment, adapts: Collection[str] = ("scale",)) -> None:
    """Check an alignment, alone and with logistic regression; it need not be in `ALIGNMENTS` yet.

    Args:
        alignment: the row.
        adapts: shifts of `SHIFTS` that it should make good: "place", "scale", "mixing".

    Raises:
        AssertionError: a check fails; the message says which, on which domains and by how much.
    """
    for what, domains in hard_domains():
        where = f"{alignment.name}, {what}"
        _run(Method(alignment), domains, where)
        aligned, affine = alignment.align(domains)
        source_NR, target_MR = aligned.source_ND, aligned.target_MD
        for name, mapped, given in (
            ("source", source_NR, domains.source_ND),
            ("target", target_MR, domains.target_MD),
        ):
            require(mapped.dtype == np.float32, f"{where}: the mapped {name} is {mapped.dtype}, not float32")
            require(len(mapped) == len(given), f"{where}: the mapped {name} has {len(mapped)} items")
            require(bool(np.isfinite(mapped).all()), f"{where}: the mapped {name} is not finite")
        require(source_NR.shape[1] == target_MR.shape[1], f"{where}: the domains are in different spaces")
        others = (aligned.codes_N, aligned.shares_C, aligned.n_classes, aligned.penalty)
        kept = (domains.codes_N, domains.shares_C, domains.n_classes, domains.penalty)
        require(all(a is b or a == b for a, b in zip(others, kept)), f"{where}: more than features changed")
        require_close(affine.apply(domains.target_MD), target_MR, FOLDED, f"{where}: the target by the map")
        weight_CR, bias_C = LOGISTIC.learn(aligned)
        folded = LinearClassifier.after(affine, weight_CR, bias_C).logits(domains.target_MD)
        require_close(folded, target_MR @ weight_CR.T + bias_C, FOLDED, f"{where}: the folded classifier")
    check_method(Method(alignment), adapts)


def check_learner(
    learner: Learner, adapts: Collection[str] = ("place",), alignment: Alignment = NONE
) -> None:
    """Check a learner, alone and after an alignment; it need not be in `LEARNERS` yet.

    Args:
        learner: the row.
        adapts: shifts of `SHIFTS` that it should make good.
        alignment: the alignment before it, where it needs one.

    Raises:
        AssertionError: a check fails; the message says which, on which domains and by how much.
    """
    for what, domains in hard_domains():
        where = f"{learner.name}, {what}"
        _run(Method(NONE, learner), domains, where)
        aligned, _ = NONE.align(domains)
        weight_CD, bias_C = learner.learn(aligned)
        expected = (domains.n_classes, domains.source_ND.shape[1])
        require(weight_CD.shape == expected, f"{where}: weights of shape {weight_CD.shape}, not {expected}")
        require(bias_C.shape == expected[:1], f"{where}: biases of shape {bias_C.shape}, not {expected[:1]}")
    check_method(Method(alignment, learner), adapts)


def check_method(method: Method, adapts: Collection[str] = ("scale",)) -> None:
    """Check a method on domains whose shift is known.

    Args:
        method: an alignment and a learner.
        adapts: shifts of `SHIFTS` that it should make good.

    Raises:
        AssertionError: a check fails; the message says which, on which domains and by how much.
    """
    for part in (method.alignment, method.learner):
        require(bool(part.name) and bool(part.label), "name and label are for a reader; one is empty")
        require("+" not in part.name, f"{part.name}: a + joins the parts of a method, a name cannot have one")
    unknown = set(adapts) - set(SHIFTS)
    require(not unknown, f"there is no shift {', '.join(sorted(unknown))}; there are {', '.join(SHIFTS)}")
    _check_orders(method)
    for shift in adapts:
        before, after = _accuracies(method, shift)
        require(
            after >= before + GAIN,
            f"{method.name}, shift of {shift}: accuracy {after:.3f}, source only {before:.3f}; it must gain {GAIN}",
        )
    for shift in ("none", "shares"):
        before, after = _accuracies(method, shift)
        require(
            after >= before - LOSS,
            f"{method.name}, {SHIFTS[shift]}: accuracy {after:.3f}, source only {before:.3f}; it may lose {LOSS}",
        )


def _check_orders(method: Method) -> None:
    """Items in another order, and classes with other codes, give the same probabilities."""
    domains, _ = planted("mixing", seed=1)
    expected = _run(method, domains, method.name)
    random = np.random.default_rng(5)
    for name, n_items in (("target", len(domains.target_MD)), ("source", len(domains.source_ND))):
        order = random.permutation(n_items)
        target_MD = domains.target_MD[order] if name == "target" else domains.target_MD
        source = order if name == "source" else np.arange(len(domains.source_ND))
        other = replace(domains, source_ND=domains.source_ND[source], codes_N=domains.codes_N[source])
        got = _run(method, replace(other, target_MD=target_MD), method.name)
        wanted = expected[order] if name == "target" else expected
        require_close(
            got, wanted, SAME, f"{method.name}: probabilities with the {name} items in another order"
        )
    code_C = np.roll(np.arange(domains.n_classes), 1)
    got = _run(method, replace(domains, codes_N=code_C[domains.codes_N]), method.name)
    require_close(
        got[:, code_C], expected, SAME, f"{method.name}: probabilities with other codes of the classes"
    )


def _accuracies(method: Method, shift: str) -> tuple[float, float]:
    """Return the mean accuracy on the target of source only, and of the method."""
    found = []
    for seed in SEEDS:
        domains, truth_M = planted(shift, seed)
        where = f"{method.name}, {SHIFTS[shift]}"
        found.append(
            [
                float((_run(each, domains, where).argmax(axis=1) == truth_M).mean())
                for each in (SOURCE_ONLY, method)
            ]
        )
    before, after = np.mean(found, axis=0)
    return float(before), float(after)


def _run(method: Method, domains: Domains, where: str) -> NDArray[np.float64]:
    """Return probabilities of target items; without warning, twice the same, and without changing what is given."""
    given = (domains.source_ND, domains.codes_N, domains.target_MD)
    copies = [values.copy() for values in given]
    try:
        first = method.fit(domains)  # an import may warn
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            again = method.fit(replace(domains))
            found = again.probabilities(domains.target_MD)
    except Warning as warning:
        raise AssertionError(f"{where}: it warns: {warning}") from None
    except Exception as error:
        raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error
    same = np.array_equal(first.weight, again.weight) and np.array_equal(first.bias, again.bias)
    finite = bool(
        np.isfinite(again.weight).all() and np.isfinite(again.bias).all() and np.isfinite(found).all()
    )
    require(finite, f"{where}: the classifier or its probabilities are not finite")
    require(same, f"{where}: learned again from the same domains, it is another classifier")
    require(
        all(np.array_equal(a, b) for a, b in zip(copies, given)),
        f"{where}: it changes the features or codes that it is given",
    )
    return found
