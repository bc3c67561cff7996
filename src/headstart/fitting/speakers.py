"""Speaker verification: how well the embeddings of the source separate speakers, without the head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.fitting.evaluation import Evaluation
from headstart.fitting.workspace import Workspace

if TYPE_CHECKING:
    from headstart.metrics import Interval

SPEAKER_TARGETS = ("speaker", "speaker_id")
CONTENT_COLUMNS = ("label", "target", "class")
N_CHOOSING = 500  # training items whose trials choose the embedding


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

    The embedding (the source's own, or a stage's vector) is the one with the least EER on trials of items
    learned from; its centre is their mean, with `--folds` that of the whole set.
    """
    from headstart.evidence import verify_speakers

    examples, positions = workspace.plan.data.examples, evaluation.positions
    if not examples.task.one_per_item or examples.modality != "audio":
        return None
    if examples.target.lower() not in SPEAKER_TARGETS:
        return None
    content, content_name = _content(workspace)
    train = evaluation.rounds(workspace.plan.data.positions("train"))[0][0]
    name, vectors = _best_embedding(workspace, train, content)
    centred_on = positions if evaluation.folds is not None else train
    gender = examples.columns.get("gender")
    found = verify_speakers(
        vectors[positions],
        workspace.labels[positions],
        centre=vectors[centred_on].mean(axis=0, dtype=np.float64),
        differ=None if content is None else content[positions],
        gender=None if gender is None else gender[positions],
        seed=workspace.plan.seed,
    )
    if found is None:
        return None
    notes: dict[str, Any] = {
        "embedding": name,
        "same_speaker": found.n_targets,
        "other_speaker": found.n_others,
        "pairs_differ_in": content_name,
    }
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


def _best_embedding(
    workspace: Workspace, train: np.ndarray, content: np.ndarray | None
) -> tuple[str, np.ndarray]:
    """Name and vectors of the embedding with the least EER on trials of the training items."""
    from headstart.heads.verification import all_trials, cosine_scores, eer

    features = workspace.features
    last = features.stage(-1)
    own = _own_embedding_width(workspace)
    leading = bool(getattr(workspace.plan.source.network, "embedding_is_mean", False))
    embeddings = {"the source's own embedding": last[:, :own] if leading else last[:, -own:]}
    embeddings |= {stage: features.stage(index) for index, stage in enumerate(features.stages)}
    few = np.sort(np.random.default_rng(workspace.plan.seed).permutation(train)[:N_CHOOSING])
    trials = all_trials(workspace.labels[few], None if content is None else content[few])
    if not trials.is_target.any() or trials.is_target.all():
        return next(iter(embeddings.items()))
    errors = {
        name: float(eer(cosine_scores(vectors[few], trials, vectors[train].mean(axis=0)), trials.is_target))
        for name, vectors in embeddings.items()
    }
    best = min(errors, key=lambda name: errors[name])
    return best, embeddings[best]


def _own_embedding_width(workspace: Workspace) -> int:
    """Width of the embedding that the source's network itself gives."""
    import torch

    from headstart.data import load_batches

    first, source = [np.arange(1)], workspace.plan.source
    items = workspace.plan.data.examples.items
    _, inputs = next(load_batches(items, source.preprocessing, first, threads=1))
    with torch.inference_mode():
        return int(source.network(**inputs).shape[1])
