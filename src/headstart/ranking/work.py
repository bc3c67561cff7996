"""The work of a ranking, source by source: one that fails is listed, and Ctrl-C keeps what is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import as_completed
from dataclasses import replace
from typing import TypeVar

from headstart.errors import HeadstartError, SourceError, one_line
from headstart.features import Extracted
from headstart.progress import progress, say
from headstart.ranking.heads_ahead import HeadsAhead
from headstart.ranking.items import Items
from headstart.ranking.measuring import Measured, milliseconds
from headstart.ranking.on_cluster import measured_on
from headstart.ranking.opening import Candidate, reasons
from headstart.ranking.options import RankOptions

T = TypeVar("T")

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
        self._extracted: list[tuple[Candidate, Extracted]] = []

    def extract(self, candidates: Sequence[Candidate], heads: HeadsAhead | None = None) -> None:
        """Extract the features of each source.

        Args:
            candidates: the sources.
            heads: begin to choose the head of each source as soon as its features are there; None: they do not.

        Raises:
            KeyboardInterrupt: before the first one was done.
        """

        def taken(each: Extracted) -> Extracted | Exception:
            if each.failure is None and heads is not None:
                heads.begin(candidates[each.number], each.result())
            return each.failure or each

        found = self.items.extract([candidate.source for candidate in candidates])
        self._extracted += self._reached(candidates, ((each.number, taken(each)) for each in found))

    def choose(self, heads: HeadsAhead) -> None:
        """Choose and cross-validate the head of each source that was extracted.

        Args:
            heads: choose them.

        Raises:
            SourceError: none gave features, or none can be measured.
            KeyboardInterrupt: before the first one was done.
        """
        if not self._extracted:
            raise self._none("gave features")
        done: list[Measured] = []
        left = {heads.begin(candidate, each.result()): candidate for candidate, each in self._extracted}
        try:
            with progress("Choosing heads", len(left), "sources") as advance:
                for future in as_completed(list(left)):
                    candidate = left[future]
                    try:
                        done.append(Measured(candidate, future.result()))
                    except Exception as error:  # one source must not take the others down
                        self._fail(candidate, error)
                    del left[future]
                    advance(1)
        except KeyboardInterrupt:
            reached = [each.candidate for each in done]
            self._stop([each for each in left.values() if each not in reached], any_done=bool(done))
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
        with progress("Measuring sources on the cluster", len(candidates), "sources") as advance:
            outcomes = measured_on(address, options, candidates, self.items)
            found = self._reached(candidates, outcomes, advance)
        self._keep([Measured(candidate, outcome) for candidate, outcome in found])

    def time(self) -> None:
        """Note how long each network takes per item; Ctrl-C ends the ranking with what is known.

        What the extraction measured counts. Of each architecture that was not extracted now, one network is timed.
        """
        seconds: dict[tuple[str, str], float] = {}
        for candidate, each in self._extracted:
            if each.seconds_per_item is not None:
                kind = _kind(candidate)
                seconds[kind] = min(each.seconds_per_item, seconds.get(kind, each.seconds_per_item))
        of_kind = {_kind(each.candidate): each.candidate for each in self.measured}
        found: dict[tuple[str, str], float] = {}
        with progress("Timing networks", len(of_kind), "networks") as advance:
            for kind, candidate in of_kind.items():
                try:
                    found[kind] = milliseconds(candidate.source, self.items, seconds.get(kind))
                except KeyboardInterrupt:
                    self.stopped = True
                    break
                except Exception as error:
                    say(f"note: {candidate.entry.name} was not timed: {one_line(error)}")
                advance(1)
        self.measured = [
            replace(each, found=replace(each.found, milliseconds=found.get(_kind(each.candidate))))
            for each in self.measured
        ]

    def _reached(
        self,
        candidates: Sequence[Candidate],
        outcomes: Iterable[tuple[int, T | Exception]],
        advance: Callable[[int], None] = lambda n_done: None,
    ) -> list[tuple[Candidate, T]]:
        """The sources that give something, with what they give, until Ctrl-C.

        Args:
            candidates: the sources.
            outcomes: number of a source, and what it gives or why it failed.
            advance: takes the number of sources just done.

        Raises:
            KeyboardInterrupt: before the first one was done.
        """
        self._order += candidates
        done: list[tuple[Candidate, T]] = []
        left = dict(enumerate(candidates))
        try:
            for number, outcome in outcomes:
                candidate = left.pop(number)
                if isinstance(outcome, Exception):
                    self._fail(candidate, outcome)
                else:
                    done.append((candidate, outcome))
                advance(1)
        except KeyboardInterrupt:
            self._stop(list(left.values()), any_done=bool(done or self._extracted))
        return done

    def _keep(self, done: Sequence[Measured]) -> None:
        """What was measured, in the order in which the sources were given."""
        if not done:
            raise self._none("can be measured")
        self.measured = sorted(done, key=lambda each: self._order.index(each.candidate))

    def _fail(self, candidate: Candidate, error: Exception) -> None:
        why = str(error)
        if not isinstance(error, HeadstartError):
            why = f"its network failed on these items ({one_line(error)})"
        self.failed[candidate.entry.name] = why
        say(f"warning: {candidate.entry.name} is not ranked: {why}")

    def _stop(self, rest: Sequence[Candidate], *, any_done: bool) -> None:
        if not any_done:
            raise KeyboardInterrupt
        self.stopped = True
        for candidate in rest:
            self.failed[candidate.entry.name] = NOT_REACHED

    def _none(self, what: str) -> SourceError:
        return SourceError(f"no source {what}:\n{reasons(self.failed)}")


def _kind(candidate: Candidate) -> tuple[str, str]:
    """What networks have in common that take the same time."""
    source = candidate.source
    return source.provenance.architecture, source.preprocessing.digest()
