"""The files of a model in a run: a program, weights, and if possible the form of a library's own class.

    model.pt2             the program: inputs to probabilities or values, with torch alone (`torch.export.load`)
    model.safetensors     network and head. If a class of a library can hold the result: under its names, the
                          head with standardisation and temperature folded into the last layer. Else:
                          `network.` + the network's names, `head.` + the names in head.safetensors
    config.json           made for this run. If a class of transformers can hold the result: in its form, and
                          `transformers.pipeline(task, model=RUN)` opens the run. Else: library, architecture
                          and classes under "headstart"
    source.json           the source's configuration with the preprocessing of this run; with the weights it
                          is what `run:PATH` opens
    head.json             the task, its classes, labels or quantity in the order of the program's columns, and the
                          stages that the head reads; its kind, if it is not linear; the unit of a quantity; a
                          threshold by which the run answers
    head.safetensors      the head as it was fitted
    tokenizer.json, tokenizer_config.json    text: with the prompt and the maximum length
    preprocessor_config.json                 audio of the Wav2Vec2 family: rate and normalisation

Pictures need no file of their own: size, crop, mean and deviation stand in config.json and source.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from headstart.heads.head import Head
from headstart.heads.linear import LinearHead
from headstart.run_files import PROGRAM
from headstart.runs.decision import KEY, to_json
from headstart.runs.directory import RunDirectory
from headstart.runs.kept_program import KeptPrograms
from headstart.runs.library_form import LibraryForm, NoForm, library_form
from headstart.runs.program import Exported, difference, export_program
from headstart.runs.program_inputs import Inputs, example_inputs
from headstart.runs.prompts import tokenizer_settings, tokenizer_with_prompt
from headstart.runs.weights import save_tensors

if TYPE_CHECKING:
    from headstart.features import Store
    from headstart.tasks.threshold import Threshold

AGREEMENT = 1e-3


@dataclass(frozen=True)
class SavedModel:
    """What was written.

    Attributes:
        program: about model.pt2; None: it was not written.
        task: the pipeline of transformers that opens the run, or None.
        why_no_pipeline: why no pipeline opens the run; "" if one does.
        prompt_inside: text: whether tokenizer.json adds the prompt itself.
    """

    program: Exported | None
    task: str | None
    why_no_pipeline: str
    prompt_inside: bool = True


def save_model(
    run: RunDirectory,
    *,
    predictor: nn.Module,
    network: nn.Module,
    head: Head,
    source_config: Mapping[str, Any],
    preprocessing: Mapping[str, Any],
    store: Store | None = None,
    with_program: bool = True,
    threshold: Threshold | None = None,
) -> SavedModel:
    """Write a model to a run, in every form that holds it.

    Args:
        run: the run being made.
        predictor: gives probabilities or values (N, C) for the inputs of its modality; float32.
        network: the network in it, float32, under the names that the source's configuration builds.
        head: the head.
        source_config: `Source.config`, with the stages in order under "stages".
        preprocessing: `to_json()` of what turned items into inputs, the data set's window included.
        store: keeps the program for the next network of this structure; None: it is traced.
        with_program: whether model.pt2 is written.
        threshold: by which the run answers; None: the usual way.

    Raises:
        ArchitectureError: the predictor cannot be written as a program.
        DiskFullError: no room is left.
    """
    source = {**source_config, "preprocessing": dict(preprocessing)}
    inputs = inputs_of(preprocessing, network)
    name = str(source.get("architecture", type(network).__name__))
    program: Exported | None = None
    if with_program:
        kept = None if store is None else KeptPrograms(store, name)
        program = export_program(predictor, inputs, run.file(PROGRAM), name=name, kept=kept)
    tensors = dict(network.state_dict())
    stages = list(source_config["stages"])
    prompt_inside = _write_tokenizer(run, preprocessing) if preprocessing["modality"] == "text" else True
    form, reason = _checked_form(source, tensors, head, len(stages), predictor, inputs)
    if form is not None and not prompt_inside:
        form, reason = None, "the tokenizer cannot hold the prompt"
    if form is not None:
        _write_form(run, form)
    else:
        _write_own_form(run, source, tensors, head)
    run.write_json("source.json", source)
    names = [stages[index] for index in head.stages]
    described = {
        "task": head.task.name,
        "classes": head.classes,
        "stages": names,
        "stage_indices": head.stages,
        **({} if isinstance(head, LinearHead) else {"kind": head.kind}),
        **({} if threshold is None else {KEY: to_json(threshold)}),
        **({"unit": asdict(head.unit)} if isinstance(head, LinearHead) and not head.task.has_classes else {}),
    }
    run.write_json("head.json", described)
    save_tensors(run.file("head.safetensors"), head.tensors())
    return SavedModel(program, None if form is None else form.task, reason, prompt_inside)


def inputs_of(preprocessing: Mapping[str, Any], network: nn.Module) -> Inputs:
    """Example inputs of a model, and the axes that its program leaves open.

    Args:
        preprocessing: `to_json()` of the run's preprocessing.
        network: for the size of its vocabulary.
    """
    tables = [module.num_embeddings for module in network.modules() if isinstance(module, nn.Embedding)]
    # The smallest embedding table that is not a table of two segments, so that every id below its size is a token.
    vocabulary = min((size for size in tables if size > 2), default=2)
    return example_inputs(preprocessing, vocabulary)


def _checked_form(
    source: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    head: Head,
    n_stages: int,
    predictor: nn.Module,
    inputs: Inputs,
) -> tuple[LibraryForm | None, str]:
    """The library's form of the result if it gives the same probabilities, else the reason why not."""
    if head.stages != (n_stages - 1,):
        return None, "its head reads other stages than the network's own output"
    folded = head.folded()
    if folded is None:
        if head.kind == "linear":
            return (
                None,
                f"the library's class computes in float32, which cannot tell values of {head.classes[0]} apart",
            )
        return None, f"its head is {head.kind}, not linear"
    try:
        form = library_form(source, tensors, folded, head.classes, head.task)
    except NoForm as error:
        return None, str(error)
    largest = 0.0
    with torch.no_grad():
        for tensors_ in inputs.checks[:2]:
            largest = max(largest, difference(form.module(*tensors_), predictor(*tensors_)))
    if not largest <= AGREEMENT / 2:
        return None, f"the library's class gives other results (by {largest:.1g})"
    return form, ""


def _write_form(run: RunDirectory, form: LibraryForm) -> None:
    save_tensors(run.file("model.safetensors"), form.tensors)
    for name, content in {"config.json": form.config, **form.others}.items():
        run.write_json(name, content)


def _write_own_form(
    run: RunDirectory, source: Mapping[str, Any], tensors: Mapping[str, Tensor], head: Head
) -> None:
    own = {f"network.{name}": tensor for name, tensor in tensors.items()}
    save_tensors(
        run.file("model.safetensors"), {**own, **{f"head.{n}": t for n, t in head.tensors().items()}}
    )
    described = {name: source[name] for name in ("library", "architecture", "modality") if name in source}
    run.write_json("config.json", {"headstart": {**described, "classes": head.classes, "see": "source.json"}})


def _write_tokenizer(run: RunDirectory, preprocessing: Mapping[str, Any]) -> bool:
    """Write the tokenizer's files; return whether they add the prompt."""
    original, max_length = preprocessing["tokenizer_json"], preprocessing["max_length"]
    tokenizer, inside = tokenizer_with_prompt(original, preprocessing["prompt"], max_length)
    run.write_text("tokenizer.json", tokenizer)
    run.write_json(
        "tokenizer_config.json", tokenizer_settings(original, max_length, preprocessing["pad_token"])
    )
    return inside
