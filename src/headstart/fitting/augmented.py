"""The augmented views of a few training pictures, as the training saw them, for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from headstart.fitting.result import Result
from headstart.fitting.workspace import Workspace

if TYPE_CHECKING:
    from headstart.data import ImagePreprocessing
    from headstart.report.pages.fit.report import PictureViews

N_PICTURES, N_VIEWS = 4, 5


def picture_views(workspace: Workspace, result: Result) -> list[PictureViews]:
    """The plain view and augmented ones of the first picture of some classes; none if nothing was augmented.

    Args:
        workspace: of the fit.
        result: of the fit.
    """
    from headstart.data import ImagePreprocessing
    from headstart.report.pages.fit.report import PictureViews
    from headstart.tune import Policy
    from headstart.tune.feeds.augmentation import augment_of

    trained, source, data = result.trained, workspace.plan.source, workspace.plan.data
    if trained is None or not isinstance(source.preprocessing, ImagePreprocessing):
        return []
    recipe = trained.recipe
    is_stored = Policy.parse(trained.policy, tuple(source.stages)).stores_prefix
    n_views = recipe.views - 1 if is_stored else recipe.epochs
    views = [
        augment_of(recipe, source.modality, workspace.plan.seed, view, data.scan.digests)
        for view in range(1, 1 + min(N_VIEWS, n_views))
    ]
    augments = [augment for augment in views if augment is not None]
    if not augments:
        return []
    _, first = np.unique(workspace.labels[result.learned_from], return_index=True)
    positions = result.learned_from[np.sort(first)[:N_PICTURES]]
    plain, *others = (
        _pixels(workspace, source.preprocessing, positions, augment) for augment in (None, *augments)
    )
    return [
        PictureViews(str(data.examples.names[position]), plain[row], [view[row] for view in others])
        for row, position in enumerate(positions)
    ]


def _pixels(
    workspace: Workspace, preprocessing: ImagePreprocessing, positions: np.ndarray, augment: object
) -> np.ndarray:
    """What the network gets of some pictures, as uint8 of shape (n, H, W, 3)."""
    from headstart.data import load_batches

    items = workspace.plan.data.examples.items
    [(_, inputs)] = load_batches(
        items,
        preprocessing,
        [positions],
        threads=1,
        augment=augment,  # type: ignore[arg-type]
    )
    pixels = inputs["pixels"].float().permute(0, 2, 3, 1).numpy()
    shown = pixels * np.asarray(preprocessing.std) + np.asarray(preprocessing.mean)
    return np.asarray(np.clip(np.rint(255 * shown), 0, 255), dtype=np.uint8)
