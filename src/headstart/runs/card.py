"""README.md: the model card of a run, with the lines that use it without headstart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headstart.metrics import metrics_of
from headstart.runs.directory import RunDirectory
from headstart.runs.export import SavedModel
from headstart.runs.metrics import Metrics
from headstart.runs.usage import environment, needed_packages, pipeline_lines, program_lines
from headstart.tune.policies.catalogue import result_words
from headstart.units import UNITS

_BASELINES = {
    "majority": "Most frequent class",
    "classical": "Classical features, no pretrained weights",
    "probe": "Head alone, nothing else trained",
    "scratch": "Same network from scratch",
}
_MAJORITY = {
    "classification": "Most frequent class",
    "multilabel": "Share of each label",
    "regression": "Mean of the training items",
}
_TAKES = {
    "image": "normalised pixels, float32 of shape `(N, 3, {height}, {width})`,",
    "text": "`input_ids` and `attention_mask`, int64 of shape `(N, T)`, T at most {max_length},",
    "audio": "mono waveforms at {rate_hz} Hz, float32 of shape `(N, samples)`, and the number of real "
    "samples of each, int64 of shape `(N,)`,",
}


@dataclass(frozen=True)
class CardFacts:
    """What a card tells beside the numbers.

    Attributes:
        name: of the run's folder.
        data: what was given as data, as it was written.
        target: the column or level that is predicted.
        source: URI of the source.
        provenance: `Provenance.to_json()`: architecture, licence, upstream, revision.
        command: the command line.
        parts: part ("train", "validation", "test") to number of items of each class.
        group: the column that is never split, or None.
        split_origin: where the split came from.
        n_folds: of a cross-validation of the whole procedure; 0 without one.
        findings: what the data checks said, a sentence each.
        limits: what a user must know, a sentence each, beside what always holds.
        environment: versions and machine.
        n_items: part to number of items, where that is not the sum of its counts.
    """

    name: str
    data: str
    target: str
    source: str
    provenance: Mapping[str, Any]
    command: str
    parts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    group: str | None = None
    split_origin: str = ""
    n_folds: int = 0
    findings: Sequence[str] = ()
    limits: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    n_items: Mapping[str, int] = field(default_factory=dict)


def write_card(
    run: RunDirectory,
    facts: CardFacts,
    metrics: Metrics,
    saved: SavedModel,
    preprocessing: Mapping[str, Any],
    classes: Sequence[str],
) -> None:
    """Write README.md.

    Args:
        run: the run being made.
        facts: data, source, command.
        metrics: the numbers.
        saved: what `save_model` gave.
        preprocessing: `to_json()` of the run's preprocessing.
        classes: in the order of the probabilities.
    """
    run.write_text("README.md", card(facts, metrics, saved, preprocessing, classes))


def card(
    facts: CardFacts,
    metrics: Metrics,
    saved: SavedModel,
    preprocessing: Mapping[str, Any],
    classes: Sequence[str],
) -> str:
    """The text of README.md; the arguments are those of `write_card`."""
    modality = preprocessing["modality"]
    text: str = (
        environment()
        .get_template("card.md.j2")
        .render(
            front=_front_matter(facts, metrics, saved, modality),
            sentence=_sentence(facts, metrics, modality, len(classes)),
            outputs=_outputs(metrics.task, facts.target),
            n_outputs=len(classes) if metrics.task != "regression" else 1,
            verdict=_verdict(metrics),
            facts=facts,
            provenance={
                "architecture": "",
                "upstream": "",
                "revision": "",
                "licence": "",
                **facts.provenance,
            },
            metrics=metrics,
            columns=[
                (found.key, found.label) for found in metrics_of(metrics.task) if found.key in metrics.test
            ],
            baseline_names={**_BASELINES, "majority": _MAJORITY[metrics.task]},
            classes=list(classes),
            shown_classes=list(classes) if len(classes) <= 12 and metrics.task != "regression" else [],
            limits=[*_limits(preprocessing, metrics, saved), *facts.limits],
            packages=needed_packages(modality),
            takes=_takes(preprocessing),
            sizes=_sizes(preprocessing, saved),
            program=program_lines(preprocessing, saved.prompt_inside),
            pipeline=pipeline_lines(saved.task) if saved.task else "",
            task=saved.task,
            why_no_pipeline=saved.why_no_pipeline,
            preprocessing=preprocessing,
        )
    )
    return text


def _front_matter(facts: CardFacts, metrics: Metrics, saved: SavedModel, modality: str) -> str:
    """The YAML that the hub reads, between its two lines."""
    import yaml

    task = f"{modality}-classification"
    results = [
        {"type": found.hub, "name": found.label, "value": metrics.test[found.key].value}
        for found in metrics_of(metrics.task)
        if found.hub and found.key in metrics.test and metrics.test[found.key].value is not None
    ]
    content: dict[str, Any] = {
        "license": str(facts.provenance.get("licence") or "unknown").lower(),
        "library_name": "transformers" if saved.task else "pytorch",
        "pipeline_tag": task,
        "tags": ["headstart", "transfer-learning"],
        "metrics": [result["type"] for result in results],
    }
    if facts.source.startswith("hf:"):
        content["base_model"] = facts.source.removeprefix("hf:").partition("@")[0]
    dataset = {"name": facts.data, "type": facts.data}
    shown = {"task": {"type": task}, "dataset": dataset, "metrics": results}
    content["model-index"] = [{"name": facts.name, "results": [shown]}]
    return f"---\n{yaml.safe_dump(content, sort_keys=False, allow_unicode=True)}---\n"


def _sentence(facts: CardFacts, metrics: Metrics, modality: str, n_classes: int) -> str:
    learned = metrics.n_train + metrics.n_validation
    how = result_words(metrics.chosen.policy)
    what = {
        "classification": f"Tells {n_classes} classes of {UNITS[modality]} apart",
        "multilabel": f"Gives {UNITS[modality]} any of {n_classes} labels",
        "regression": f"Estimates the quantity `{facts.target}` of {UNITS[modality]}",
    }[metrics.task]
    return f"{what}: {how}, learned from {learned:,} labelled {UNITS[modality]}."


def _outputs(task: str, target: str) -> str:
    """What the program gives, for use after "gives"."""
    if task == "regression":
        return f"the value of `{target}`, in its own unit, of shape `(N, 1)`"
    if task == "multilabel":
        return "one probability a label (each on its own: they need not sum to 1), in the order of `classes`"
    return "one probability a class, in the order of `classes`"


def _verdict(metrics: Metrics) -> str:
    told = metrics.verdict
    words = {
        "positive": "Transfer helped",
        "negative": "Transfer did harm",
        "undecided": "Whether transfer helped is undecided",
    }[told.outcome]
    if told.difference.value is None:
        return f"{words}."
    against = _BASELINES.get(told.against, told.against).lower() or "the best baseline"
    return f"{words}: {told.metric} differs by {told.difference} from that of: {against}."


def _limits(preprocessing: Mapping[str, Any], metrics: Metrics, saved: SavedModel) -> list[str]:
    """What holds for every run of a kind."""
    knows = {
        "classification": "It knows the classes above and nothing else: whatever is shown to it is called one of "
        "them.",
        "multilabel": "It knows the labels above and nothing else; an item gets those of a probability of 1/2 or "
        "more, and may get none.",
        "regression": "Values outside the range it learned from are guesses.",
    }
    limits = [
        knows[metrics.task],
        "The scores hold for items like the held-out ones; another camera, writer or microphone may "
        "lower them.",
    ]
    if metrics.n_test < 200:
        limits.append(f"Only {metrics.n_test} items were held out: read the intervals, not the values.")
    if preprocessing["modality"] == "text":
        limits.append(f"What comes after {preprocessing['max_length']} tokens is not read.")
    if preprocessing["modality"] == "audio":
        seconds = preprocessing["window_samples"] / preprocessing["rate_hz"]
        limits.append(f"What comes after {seconds:g} s of a recording is not heard.")
    if saved.task == "image-classification":
        limits.append(
            "headstart may read large JPEGs at a fraction of their size, the lines below read them whole: "
            "probabilities can differ slightly."
        )
    return limits


def _takes(preprocessing: Mapping[str, Any]) -> str:
    facts = dict(preprocessing)
    if preprocessing["modality"] == "image":
        facts |= {"height": preprocessing["size"][0], "width": preprocessing["size"][1]}
    return _TAKES[preprocessing["modality"]].format(**facts)


def _sizes(preprocessing: Mapping[str, Any], saved: SavedModel) -> str:
    if preprocessing["modality"] != "audio":
        return ""
    window = preprocessing["window_samples"]
    if "samples" in saved.program.open_axes:
        return f"Pad or cut to {window} samples, as in training: features of another window do not compare."
    return f"It takes exactly {window} samples: pad or cut to them."
