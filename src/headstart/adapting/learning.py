"""Learn from the labelled domain and adapt to the other one, for the estimator, which writes nothing."""

from __future__ import annotations

from headstart.adapting.choosing import Decision, choose
from headstart.adapting.diagnosing import diagnosed
from headstart.adapting.extracted import ExtractedPair
from headstart.adapting.options import AdaptOptions
from headstart.adapting.pair import PairRead
from headstart.adapting.preparing import of_pair
from headstart.adapting.trying import Tried
from headstart.clock import Clock
from headstart.errors import DataError
from headstart.features import Setting


def learn_and_adapt(
    read: PairRead, options: AdaptOptions, clock: Clock
) -> tuple[ExtractedPair, list[Tried], Decision]:
    """Learn, adapt and choose.

    Args:
        read: both domains.
        options: of the adaptation.
        clock: takes the phases.

    Raises:
        DataError: an item cannot be read, or nothing can be learned.
    """
    setting = Setting.choose(options.device, options.precision, options.threads, options.store)
    prepared = of_pair(read, options, setting, clock)
    for findings in (prepared.findings, prepared.target.data.findings):
        unread = next((each for each in findings if each.kind == "unreadable"), None)
        if unread is not None:
            raise DataError(f"an item cannot be read: {unread.message}")
    pair = ExtractedPair.of(prepared.domain(), prepared.target, clock)
    tried, decision = choose(pair, diagnosed(pair), options.method, clock)
    return pair, tried, decision
