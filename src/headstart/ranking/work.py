"""The work of a ranking, source by source: one that fails is listed, and Ctrl-C keeps what is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from headstart.errors import HeadstartError, SourceError
from headstart.features import Features
from headstart.heads.threads import parallel_map
from headstart.progress import progress, say
from headstart.ranking.measuring import SMALL, Items, Measured, measure
from headstart.ranking.opening import Candidate
from headstart.ranking.scoring import scores_of

NOT_REACHED = "it was not reached before the ranking was stopped"


class Work:
    """Sources that are extracted, then measured.

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
        done: list[tuple[Candidate, Measured]] = []
        n_at_once = self.items.setting.n_threads if len(self.items.positions) <= SMALL else 1
        with progress("Choosing heads", len(self._extracted), "sources") as advance:

            def work(one: tuple[Candidate, Features]) -> None:
                try:
                    measured = measure(*one, self.items)
                    done.append((one[0], replace(measured, scores=scores_of(measured, self.items))))
                except HeadstartError as error:
                    self._fail(one[0], error)
                advance(1)

            try:
                parallel_map(work, self._extracted, n_at_once)
            except KeyboardInterrupt:
                reached = [candidate for candidate, _ in done]
                rest = [candidate for candidate, _ in self._extracted if candidate not in reached]
                self._stop(rest, any_done=bool(done))
        if not done:
            raise self._none("can be measured")
        self.measured = [measured for _, measured in sorted(done, key=lambda one: self._order.index(one[0]))]

    def _fail(self, candidate: Candidate, error: Exception | None) -> None:
        known = isinstance(error, HeadstartError)
        self.failed[candidate.entry.uri] = str(error) if known else f"{type(error).__name__}: {error}"
        say(f"warning: {candidate.entry.uri} is not ranked: {self.failed[candidate.entry.uri]}")

    def _stop(self, rest: Sequence[Candidate], *, any_done: bool) -> None:
        if not any_done:
            raise KeyboardInterrupt
        self.stopped = True
        for candidate in rest:
            self.failed[candidate.entry.uri] = NOT_REACHED

    def _none(self, what: str) -> SourceError:
        return SourceError(
            f"no source {what}:\n" + "\n".join(f"{uri}: {why}" for uri, why in self.failed.items())
        )
