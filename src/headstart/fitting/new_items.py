"""Features of items that are in no data set: what a fitted estimator needs of a fit, small enough to be pickled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headstart.errors import DataError

if TYPE_CHECKING:
    from headstart.data import Modality
    from headstart.features import Features, Setting, Store
    from headstart.fitting.workspace import Workspace
    from headstart.sources import Source


@dataclass(frozen=True)
class NewItems:
    """How new items are read.

    Attributes:
        source: the network.
        modality: of the items.
        setting: device, precision and threads.
        store: keeps their features.
    """

    source: Source
    modality: Modality
    setting: Setting
    store: Store

    @classmethod
    def of(cls, workspace: Workspace, source: Source) -> NewItems:
        """New items read as those of a fit.

        Args:
            workspace: of the fit.
            source: its network, or one with other weights.
        """
        return cls(source, workspace.plan.data.examples.modality, workspace.setting, workspace.store)

    def features(self, items: Sequence[Any]) -> Features:
        """Pooled features at every stage.

        Args:
            items: files, texts or arrays of the modality.

        Raises:
            DataError: an item cannot be read.
        """
        from headstart.data import Examples, scan
        from headstart.features import extract_pooled

        examples = Examples.from_lists(items, modality=self.modality)
        seen = scan(examples.items, examples.modality, threads=self.setting.n_threads)
        for index, problem in seen.problems.items():
            raise DataError(f"{examples.names[index]} cannot be read: {problem}")
        return extract_pooled(
            self.source, examples.items, seen.digests, self.store, **self.setting.options, together=True
        )
