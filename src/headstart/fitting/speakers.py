"""Speaker verification: how well the embeddings of the source separate speakers, without the head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.fitting.evaluation import Evaluation
from headstart.fitting.workspace import Workspace

if TYPE_CHECKING:
    from headstart.features import Features
    from headstart.metrics import Interval

SPEAKER_TARGETS = ("speaker", "speaker_id")
CONTENT_COLUMNS = ("label", "target", "class")


@dataclass(frozen=True)
class SpeakerEvidence:
    """How well recordings of the same speaker are recognised.

    Attributes:
        scores: `eer` and `min_dcf`.
        notes: how many trials of which kind, and the scores of trials of one gender.
    """

    scores: Mapping[str, Interval]
    notes: Mapping[str, Any]


def speaker_evidence(workspace: Workspace, evaluation: Evaluation) -> SpeakerEvidence | None:
    """EER and minDCF by centred cosine for a speaker target of recordings; None for other targets.

    The embedding (the source's own, or a stage's vector) is chosen, and its centre taken, from the items that the
    result was learned from; with folds in each of them.
    """
    from headstart.evidence import Division, choose_embedding, verify_speakers

    examples = workspace.plan.data.examples
    if not examples.task.one_per_item or examples.modality != "audio":
        return None
    if examples.target.lower() not in SPEAKER_TARGETS:
        return None
    content, content_name = _content(workspace)
    width = _own_embedding_width(workspace)
    divisions, read = [], {}  # most rounds have the same features
    for each in evaluation.rounds:
        if id(each.features) not in read:
            read[id(each.features)] = _embeddings(workspace, each.features, width)
        vectors = read[id(each.features)]
        divisions.append(Division(vectors, each.learned_from, evaluation.positions[each.rows]))
    chosen = choose_embedding(divisions, workspace.labels, content, seed=workspace.plan.seed)
    gender, scored = examples.columns.get("gender"), chosen.positions
    found = verify_speakers(
        chosen.vectors,
        workspace.labels[scored],
        centre=np.zeros(chosen.vectors.shape[1]),  # centred already
        differ=None if content is None else content[scored],
        gender=None if gender is None else gender[scored],
        seed=workspace.plan.seed,
    )
    if found is None:
        return None
    notes: dict[str, Any] = {
        "embedding": chosen.name,
        "same_speaker": found.n_targets,
        "other_speaker": found.n_others,
        "pairs_differ_in": content_name,
    }
    if evaluation.folds is not None:
        notes["chosen_in_folds"] = chosen.n_divisions
        notes["n_items"] = len(scored)
    apart = found.same_gender
    if apart is not None:
        rates = {"eer": apart.eer.to_json(), "min_dcf": apart.min_dcf.to_json()}
        notes["one_gender"] = {**rates, "same_speaker": apart.n_targets, "other_speaker": apart.n_others}
    return SpeakerEvidence({"eer": found.eer, "min_dcf": found.min_dcf}, notes)


def _content(workspace: Workspace) -> tuple[np.ndarray | None, str]:
    """The spoken content of each recording, and its column: the group, else the usual label column."""
    examples = workspace.plan.data.examples
    if examples.groups is not None:
        return examples.groups, examples.group or "group"
    for name in CONTENT_COLUMNS:
        if name in examples.columns:
            return examples.columns[name], name
    return None, ""


def _embeddings(workspace: Workspace, features: Features, width: int) -> dict[str, np.ndarray]:
    """The source's own embedding (`width` of the last stage's numbers) and the vector of each stage, by name."""
    last = features.stage(-1)
    leading = bool(getattr(workspace.plan.source.network, "embedding_is_mean", False))
    own = last[:, :width] if leading else last[:, -width:]
    stages = {stage: features.stage(index) for index, stage in enumerate(features.stages)}
    return {"the source's own embedding": own, **stages}


def _own_embedding_width(workspace: Workspace) -> int:
    """Width of the embedding that the source's network itself gives."""
    import torch

    from headstart.data import load_batches

    first, source = [np.arange(1)], workspace.plan.source
    items = workspace.plan.data.examples.items
    _, inputs = next(load_batches(items, source.preprocessing, first, threads=1))
    with torch.inference_mode():
        return int(source.network(**inputs).shape[1])
