"""Features of both domains, as methods ask for them: by the source's own network, or with statistics of each domain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from headstart.adapt.method_names import AUTO, BATCH_NORM, Parts
from headstart.adapting.extracted import ExtractedPair, PairFeatures
from headstart.clock import Clock
from headstart.errors import OptionError

if TYPE_CHECKING:
    from headstart.fitting.workspace import Workspace
    from headstart.sources import Source


def features_of(names: Iterable[str], pair: ExtractedPair, clock: Clock) -> dict[str, PairFeatures]:
    """The features of both domains, by the first part of a method's text, "" for the source's own network.

    Args:
        names: texts of the methods.
        pair: both domains, with features.
        clock: takes the phases "statistics" and "features".

    Raises:
        OptionError: a method asks for batch-norm statistics, and they cannot be had.
    """
    features = {"": pair.plain}
    if any(Parts.of(name).batch_norm for name in names):
        why, workspace = why_no_batch_norm(pair), pair.domain.workspace
        if why or workspace is None:
            raise OptionError(f"--method {BATCH_NORM}: {why}")
        features[BATCH_NORM] = _batch_norm(pair, workspace, clock)
    return features


def check_batch_norm(source: Source, method: str) -> None:
    """Refuse a method that asks for batch-norm statistics of a network that has none, before anything is extracted.

    Args:
        source: gives the network.
        method: its text, or "auto".

    Raises:
        OptionError: the network has no batch normalisation.
    """
    if method != AUTO and Parts.of(method).batch_norm and (why := _no_batch_norm(source)):
        raise OptionError(f"--method {BATCH_NORM}: {why}")


def why_no_batch_norm(pair: ExtractedPair) -> str:
    """Why the domains cannot have batch-norm statistics of their own; "" if they can.

    Args:
        pair: both domains, with features.
    """
    if why := _no_batch_norm(pair.domain.source):
        return why
    if pair.domain.workspace is None:
        return (
            "a run does not hold the items of its source domain, whose statistics are needed too; leave out "
            f"'{BATCH_NORM}'"
        )
    return ""


def _no_batch_norm(source: Source) -> str:
    from headstart.sources.batch_norm import has_batch_norm

    if has_batch_norm(source.network):
        return ""
    return (
        f"{source.provenance.architecture} has no batch normalisation, so it has no statistics of a domain; leave "
        f"out '{BATCH_NORM}'"
    )


def _batch_norm(pair: ExtractedPair, workspace: Workspace, clock: Clock) -> PairFeatures:
    """Features of each domain by the network with the statistics of that domain."""
    from headstart.data.items import take_items
    from headstart.sources.batch_norm import with_statistics_of

    domain, target = pair.domain, pair.target
    data = workspace.plan.data
    items, digests = data.examples.items, data.scan.digests
    target_items, target_digests = target.data.examples.items, target.data.scan.digests
    adapted = target.adapted
    with clock.phase("statistics"):
        how: dict[str, Any] = {"threads": workspace.setting.n_threads, "device": workspace.setting.device}
        of_source = with_statistics_of(domain.source, items, digests, **how)
        of_target = with_statistics_of(
            domain.source, take_items(target_items, adapted), target_digests[adapted], **how
        )
    with clock.phase("features"):
        stages = domain.head.stages
        source_ND = domain.extract(of_source, items, digests).stacked(stages)
        target_MD = domain.extract(of_target, target_items, target_digests).stacked(stages)
    return PairFeatures.of(domain, target, of_target, source_ND, target_MD)
