"""README.md: the model card of a run, with the lines that use it without headstart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.evidence.verdict import Verdict
from headstart.metrics import Interval, metric_named, metrics_of
from headstart.progress import printable
from headstart.run_files import DIGESTS
from headstart.runs.decision import SCORES, Decision
from headstart.runs.directory import RunDirectory
from headstart.runs.export import SavedModel
from headstart.runs.facts import DataFacts, RunFacts, SourceFacts
from headstart.runs.record import Record
from headstart.runs.usage import environment, in_code, needed_packages, pipeline_lines, program_lines
from headstart.tasks import Task, task_named
from headstart.tune.policies.catalogue import result_words
from headstart.units import UNITS

_BASELINES = {
    "classical": "Classical features, no pretrained weights",
    "probe": "Head alone, nothing else trained",
    "scratch": "Same network from scratch",
    "source_only": "Source only, not adapted",
    "not_calibrated": "The run as it was, not calibrated",
}
_TAKES = {
    "image": "normalised pixels, float32 of shape `(N, 3, {height}, {width})`,",
    "text": "`input_ids` and `attention_mask`, int64 of shape `(N, T)`, T at most {max_length},",
    "audio": "mono waveforms at {rate_hz} Hz, float32 of shape `(N, samples)`, and the number of real "
    "samples of each, int64 of shape `(N,)`,",
}


def write_card(
    run: RunDirectory,
    record: Record,
    facts: RunFacts,
    saved: SavedModel,
    preprocessing: Mapping[str, Any],
) -> None:
    """Write README.md.

    Args:
        run: the run being made.
        record: its numbers, source and data.
        facts: how it was made.
        saved: what `save_model` returned.
        preprocessing: `to_json()` of the run's preprocessing.
    """
    run.write_text("README.md", card(record, facts, saved, preprocessing))


def card(record: Record, facts: RunFacts, saved: SavedModel, preprocessing: Mapping[str, Any]) -> str:
    """The text of README.md; the arguments are those of `write_card`."""
    source, data, test = record.source, record.data, record.test or {}
    if source is None or data is None or record.task is None:
        raise ValueError("a card needs a complete record")
    modality, n_classes, task = preprocessing["modality"], len(facts.classes), task_named(record.task)
    text: str = (
        environment()
        .get_template("card.md.j2")
        .render(
            name=facts.name,
            front=_front_matter(facts.name, source, data, record, saved),
            sentence=_sentence(record, data, task, n_classes),
            gives=task.words.gives.format(target=in_code(data.target)),
            n_outputs=n_classes or 1,
            verdict=_verdict(record.verdict, task, of_transfer=record.scores_are_of_transfer),
            has_classes=task.has_classes,
            decision=Decision.of(record),
            score_names=SCORES,
            outputs=task.words.outputs,
            source=source,
            data=data,
            record=record,
            facts=facts,
            no_intervals=_no_intervals(test, task, grouped=data.group is not None),
            columns=[(found.key, found.label) for found in metrics_of(task.name) if found.key in test],
            baseline_names={**_BASELINES, "majority": task.words.constant[0]},
            shown_classes=facts.classes if n_classes <= 12 else (),
            limits=[task.words.knows, *_limits(preprocessing, record, facts, saved)],
            packages=needed_packages(modality),
            takes=takes_words(preprocessing),
            sizes=window_words(preprocessing, "samples" in saved.program.open_axes) if saved.program else "",
            program=program_lines(preprocessing, saved.prompt_inside, record.extra.get(DIGESTS, {}))
            if saved.program
            else "",
            pipeline=pipeline_lines(saved.task) if saved.task else "",
            pipeline_task=saved.task,
            why_no_pipeline=saved.why_no_pipeline,
            preprocessing=preprocessing,
        )
    )
    return printable(text)


def _front_matter(name: str, source: SourceFacts, data: DataFacts, record: Record, saved: SavedModel) -> str:
    """The YAML that the hub reads, between its two lines."""
    import yaml

    task, test = f"{data.modality}-classification", record.test or {}
    results = [
        {"type": found.hub, "name": found.label, "value": test[found.key].value}
        for found in metrics_of(record.task or "")
        if found.hub and found.key in test and test[found.key].value is not None
    ]
    of_source = record.chosen is None or not record.chosen.classical
    content: dict[str, Any] = {
        **({"license": (source.licence or "unknown").lower()} if of_source else {}),
        "library_name": "transformers" if saved.task else "pytorch",
        "pipeline_tag": task,
        "tags": ["headstart", "transfer-learning"],
        "metrics": [result["type"] for result in results],
    }
    if source.uri.startswith("hf:") and of_source:
        content["base_model"] = source.uri.removeprefix("hf:").partition("@")[0]
    dataset = {"name": data.name, "type": data.name}
    shown = {"task": {"type": task}, "dataset": dataset, "metrics": results}
    content["model-index"] = [{"name": name, "results": [shown]}]
    return f"---\n{yaml.safe_dump(content, sort_keys=False, allow_unicode=True)}---\n"


def _sentence(record: Record, data: DataFacts, task: Task, n_classes: int) -> str:
    learned = record.extra.get("refit", {}).get("n_train") or record.n_train or 0
    how, units = result_words(record.policy), UNITS[data.modality]
    if record.chosen is not None and record.chosen.from_scratch:
        how = "trained from random weights"
    if record.chosen is not None and record.chosen.classical:
        how = "classical features without pretrained weights, and a linear head"
    purpose = task.words.purpose.format(n=n_classes, units=units, target=in_code(data.target))
    return f"{purpose}: {how}, learned from {learned:,} labelled {units}."


def _verdict(verdict: Verdict | None, task: Task, *, of_transfer: bool) -> str:
    if verdict is None:
        return ""
    words = {
        "positive": "Transfer helped",
        "negative": "Transfer did harm",
        "undecided": "Whether transfer helped is undecided",
    }[verdict.outcome]
    if verdict.difference.value is None:
        return f"{words}."
    names = {**_BASELINES, "majority": task.words.constant[0]}
    against = names.get(verdict.against, verdict.against).lower() or "no pretrained weights"
    metric = metric_named(verdict.metric).label
    whose = "" if of_transfer else " of the best result from pretrained weights"
    return f"{words}: {metric}{whose} minus that of the baseline ({against}) is {verdict.difference}."


def _no_intervals(test: Mapping[str, Interval], task: Task, *, grouped: bool) -> list[str]:
    """Which scores have no interval, and why: a sentence for each reason."""
    labels: dict[str, list[str]] = {}
    for found in metrics_of(task.name):
        score = test.get(found.key, Interval(None))
        why = score.missing(grouped=grouped)
        if why and score.value is not None:
            labels.setdefault(why, []).append(found.label)
    return [f"{why[:1].upper()}{why[1:]} ({', '.join(names)})." for why, names in labels.items()]


def _limits(
    preprocessing: Mapping[str, Any], record: Record, facts: RunFacts, saved: SavedModel
) -> list[str]:
    """The limits that a user of the model must know."""
    limits = [
        "The scores hold for items like the held-out ones; another camera, writer or microphone may "
        "lower them.",
    ]
    if preprocessing["modality"] == "text":
        limits.append(f"Text after the first {preprocessing['max_length']} tokens is not read.")
    if preprocessing["modality"] == "audio":
        seconds = preprocessing["window_samples"] / preprocessing["rate_hz"]
        limits.append(f"A recording is not read beyond its first {seconds:g} s.")
    if saved.task == "image-classification":
        limits.append(
            "headstart may read large JPEGs at a fraction of their size, the code below reads them whole: "
            "probabilities can differ slightly."
        )
    if facts.refitted:
        limits.append(
            "After the evaluation the model was trained again on every label; the scores, and how "
            "policy and stages were chosen, describe the model before that."
        )
    return limits


def takes_words(preprocessing: Mapping[str, Any]) -> str:
    """What the program of a run takes, in Markdown.

    Args:
        preprocessing: `to_json()` of the run's preprocessing.
    """
    facts = dict(preprocessing)
    if preprocessing["modality"] == "image":
        facts |= {"height": preprocessing["size"][0], "width": preprocessing["size"][1]}
    return _TAKES[preprocessing["modality"]].format(**facts)


def window_words(preprocessing: Mapping[str, Any], any_length: bool) -> str:
    """How long the recordings must be; "" for other items.

    Args:
        preprocessing: `to_json()` of the run's preprocessing.
        any_length: whether the program takes every length.
    """
    if preprocessing["modality"] != "audio":
        return ""
    window = preprocessing["window_samples"]
    if any_length:
        return (
            f"Pad or cut to {window} samples, as in training: features of another window cannot be compared."
        )
    return f"It takes exactly {window} samples: pad or cut to them."
