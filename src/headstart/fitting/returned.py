"""What a run predicts with: the result's network and head, or the classical features that took its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from headstart.fitting.result import Result
from headstart.fitting.workspace import Workspace

if TYPE_CHECKING:
    from headstart.features import Store
    from headstart.heads import Head
    from headstart.runs import Chosen, RunDirectory
    from headstart.runs.export import SavedModel
    from headstart.sources import Source
    from headstart.tasks.threshold import Threshold


def chosen_in(result: Result, stages: tuple[str, ...]) -> Chosen:
    """What was chosen, as the record has it.

    Args:
        result: the result.
        stages: names of the source's stages.
    """
    from headstart.runs import Chosen
    from headstart.tune import Policy

    if result.classical is not None:
        return Chosen("all", len(stages), (), head="linear", classical=True)
    read = tuple(stages[index] for index in result.head.stages)
    trained = Policy.parse(result.policy, stages).trained
    from_scratch = result.race is not None and result.race.starts_from_scratch
    return Chosen(result.policy, result.cut, read, trained, result.head.kind, from_scratch)


def returned_by(workspace: Workspace, result: Result) -> tuple[Source, Head]:
    """The network and the head that the run predicts with: those of the result, or classical features.

    Args:
        workspace: the data.
        result: the result.
    """
    from headstart.evidence.classical_source import classical_source
    from headstart.fitting.plan import with_window_of

    if result.classical is None:
        return result.source, result.head
    data = workspace.plan.data
    source, head = classical_source(result.classical.model, data.examples.modality)
    return with_window_of(source, data, np.arange(len(data))), head  # held-out clips were read whole too


def save(
    run: RunDirectory,
    source: Source,
    head: Head,
    store: Store,
    threshold: Threshold | None = None,
    *,
    with_program: bool = True,
) -> SavedModel:
    """Write a network with its head to a run, in every form that holds it.

    Args:
        run: the run being made.
        source: the network.
        head: on its features.
        store: keeps the program for the next run with a network of this structure.
        threshold: by which the run answers; None: the usual way.
        with_program: whether model.pt2 is written.
    """
    from headstart.backbone import Backbone
    from headstart.heads.predictor import Predictor
    from headstart.runs.export import save_model

    predictor = Predictor(Backbone(source.network, source.stages), head).eval()
    return save_model(
        run,
        predictor=predictor,
        network=source.network,
        head=head,
        source_config=source.config,
        preprocessing=source.preprocessing.to_json(),
        store=store,
        with_program=with_program,
        threshold=threshold,
    )
