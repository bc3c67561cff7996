"""The work of a ranking, source by source: one that fails is listed, and Ctrl-C keeps what is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from headstart.errors import HeadstartError, SourceError, one_line
from headstart.features import Features
from headstart.heads.threads import parallel_map
from headstart.progress import progress, say
from headstart.ranking.items import SMALL, Items
from headstart.ranking.measuring import Measured, measure, milliseconds
from headstart.ranking.on_cluster import measured_on
from headstart.ranking.opening import Candidate, reasons
from headstart.ranking.options import RankOptions

NOT_REACHED = "it was not reached before the ranking was stopped"


class Work:
    """Sources that are extracted and measured.

    Args:
        items: that sources are compared on.
        failed: takes the name and the reason of each source that fails.

    Attributes:
        measured: the sources that were measured, in the order they were given.
        stopped: whether Ctrl-C ended it before all were.
    """

    def __init__(self, items: Items, failed: dict[str, str]) -> None:
        self.items, self.failed = items, failed
        self.measured: list[Measured] = []
        self.stopped = False
        self._order: list[Candidate] = []
        self._extracted: list[tuple[Candidate, Features]] = []

    def extract(self, candidates: Sequence[Candidate]) -> None:
        """Extract the features of each source.

        Args:
            candidates: the sources.

        Raises:
            KeyboardInterrupt: before the first one was done.
        """
        self._order += candidates
        reached = set[int]()
        try:
            for extracted in self.items.extract([candidate.source for candidate in candidates]):
                candidate = candidates[extracted.number]
                reached.add(extracted.number)
                if extracted.features is None:
                    self._fail(candidate, extracted.failure)
                else:
                    self._extracted.append((candidate, extracted.features))
        except KeyboardInterrupt:
            rest = [one for number, one in enumerate(candidates) if number not in reached]
            self._stop(rest, any_done=bool(self._extracted))

    def choose(self) -> None:
        """Choose and cross-validate the head of each source; of few items, several sources at once.

        Raises:
            SourceError: none gave features, or none can be measured.
            KeyboardInterrupt: before the first one was done.
        """
        if not self._extracted:
            raise self._none("gave features")
        done: list[Measured] = []
        n_at_once = self.items.setting.n_threads if len(self.items.positions) <= SMALL else 1
        with progress("Choosing heads", len(self._extracted), "sources") as advance:

            def choose(one: tuple[Candidate, Features]) -> None:
                candidate, features = one
                try:
                    done.append(Measured(candidate, measure(candidate.source, features, self.items)))
                except Exception as error:  # one source must not take the others down
                    self._fail(candidate, error)
                advance(1)

            try:
                parallel_map(choose, self._extracted, n_at_once)
            except KeyboardInterrupt:
                reached = [each.candidate for each in done]
                rest = [candidate for candidate, _ in self._extracted if candidate not in reached]
                self._stop(rest, any_done=bool(done))
        self._keep(done)

    def measure_on(self, address: str, options: RankOptions, candidates: Sequence[Candidate]) -> None:
        """Extract and measure each source on a machine of a Ray cluster.

        Args:
            address: HOST:PORT of the cluster.
            options: of the ranking, by which each machine reads the data.
            candidates: the sources.

        Raises:
            OptionError: the cluster cannot be used.
            SourceError: none can be measured.
            KeyboardInterrupt: before the first one was done.
        """
        self._order += candidates
        done: list[Measured] = []
        reached = set[int]()
        with progress("Measuring sources on the cluster", len(candidates), "sources") as advance:
            try:
                for number, found in measured_on(address, options, candidates, self.items):
                    reached.add(number)
                    if isinstance(found, HeadstartError):
                        self._fail(candidates[number], found)
                    else:
                        done.append(Measured(candidates[number], found))
                    advance(1)
            except KeyboardInterrupt:
                rest = [one for number, one in enumerate(candidates) if number not in reached]
                self._stop(rest, any_done=bool(done))
        self._keep(done)

    def time(self) -> None:
        """Measure how long each network takes per item; Ctrl-C ends the ranking with what is known.

        Two rounds, and the best of all networks of one architecture: a busy moment must not decide what is advised.
        """
        best: dict[tuple[str, str], float] = {}
        with progress("Timing networks", 2 * len(self.measured), "networks") as advance:
            for each in (*self.measured, *self.measured):
                source = each.candidate.source
                kind = (source.provenance.architecture, source.preprocessing.digest())
                try:
                    found = milliseconds(source, self.items)
                    best[kind] = min(found, best.get(kind, found))
                except KeyboardInterrupt:
                    self.stopped = True
                    break
                except Exception as error:
                    say(f"note: {each.candidate.entry.name} was not timed: {one_line(error)}")
                advance(1)
        for number, each in enumerate(self.measured):
            source = each.candidate.source
            known = best.get((source.provenance.architecture, source.preprocessing.digest()))
            self.measured[number] = replace(each, found=replace(each.found, milliseconds=known))

    def _keep(self, done: Sequence[Measured]) -> None:
        """What was measured, in the order in which the sources were given."""
        if not done:
            raise self._none("can be measured")
        self.measured = sorted(done, key=lambda each: self._order.index(each.candidate))

    def _fail(self, candidate: Candidate, error: Exception | None) -> None:
        why = str(error)
        if not isinstance(error, HeadstartError):
            why = f"its network failed on these items ({one_line(error or Exception())})"
        self.failed[candidate.entry.name] = why
        say(f"warning: {candidate.entry.name} is not ranked: {self.failed[candidate.entry.name]}")

    def _stop(self, rest: Sequence[Candidate], *, any_done: bool) -> None:
        if not any_done:
            raise KeyboardInterrupt
        self.stopped = True
        for candidate in rest:
            self.failed[candidate.entry.name] = NOT_REACHED

    def _none(self, what: str) -> SourceError:
        return SourceError(f"no source {what}:\n{reasons(self.failed)}")
