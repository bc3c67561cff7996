"""What of a run may leave this machine: the model, and a record and a card without items, labels of items or paths.

A run folder also holds what came from the user's items: the report shows them, predictions and suspicious labels name
them, hashes and class means of features tell who knows an item that it was learned from, and the configuration has
paths. These files stay here. The record (metrics.json) and the configuration of the source (source.json) are written
again with what is needed to use the model, and nothing else; the card is made again from that record.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.errors import InputError, parsing
from headstart.files import json_text, name_of, read_regular
from headstart.run_files import (
    DIGESTS,
    EXPORTED,
    METRICS,
    PROGRAM,
    check_files,
    check_has_model,
    read_checked,
    sha256_of,
)
from headstart.runs.card import card
from headstart.runs.decision import KEY, Decision
from headstart.runs.directory import RunDirectory
from headstart.runs.export import SavedModel
from headstart.runs.facts import RunFacts
from headstart.runs.model_files import answers_in, decision_in, preprocessing_in
from headstart.runs.program import Exported, open_program, takes_any_length
from headstart.runs.prompts import prompt_is_inside
from headstart.runs.record import Record
from headstart.runs.shared_onnx import shared_onnx
from headstart.sources.find import split_uri
from headstart.tasks import task_named

AS_THEY_ARE = (  # files of the model; none of them holds an item or a path
    PROGRAM,
    "model.safetensors",
    "head.json",
    "head.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "preprocessor_config.json",
)
# Entries of metrics.json besides those that every record has.
_KEPT = ("refit", "calibration", "recipe", EXPORTED)
_PATH_KEYS = ("_name_or_path", "name_or_path", "architecture_file")  # in source.json: where the source lay
_OF_THIS_MACHINE = ("command", "machine")  # entries of environment.json
_NOT_SHARED = "Data that is not shared"


@dataclass(frozen=True)
class SharedCopy:
    """What is uploaded.

    Attributes:
        files: name to the file, or to the content that was written again.
        left: names of what stays here, in natural order.
    """

    files: Mapping[str, Path | bytes]
    left: tuple[str, ...]

    @property
    def sizes(self) -> dict[str, int]:
        """Name of each file to its number of bytes."""
        return {
            name: len(held) if isinstance(held, bytes) else held.stat().st_size
            for name, held in self.files.items()
        }


def check_can_be_shared(run: RunDirectory) -> None:
    """Refuse a run that cannot be shared.

    Args:
        run: finished.

    Raises:
        InputError: it was made by another verb than `fit`, or holds no model.
    """
    kind = run.record.kind
    if kind != "fit":
        raise InputError(
            f"{run.path} was made by `headstart {kind}`: only runs of `headstart fit` can be pushed"
        )
    check_has_model(run.path)


def shared_copy(run: RunDirectory, name: str) -> SharedCopy:
    """Collect what of a run may be shared.

    Args:
        run: a finished run of `fit`.
        name: of the repository, for the card.

    Raises:
        InputError: a file of the run was changed or is damaged.
    """
    record = run.record
    there = [each for each in AS_THEY_ARE if (run.path / each).is_file()]
    check_files(run.path, [*there, "source.json", "config.json"])
    _check_answers(run)
    config = without_paths(read_checked(run.path, "source.json"))
    files: dict[str, Path | bytes] = {each: run.path / each for each in there}
    files["source.json"] = json_text(config).encode()
    files["config.json"] = json_text(without_paths(read_checked(run.path, "config.json"))).encode()
    digests = {each: _sha256(held) for each, held in files.items()}
    files |= shared_onnx(run.path)
    shared = shared_record(record, digests)
    files[METRICS] = json_text(shared.to_json()).encode()
    files["README.md"] = _card(run, shared, config, name).encode("utf-8", "backslashreplace")
    left = sorted(set(os.listdir(run.path)) - set(files))
    return SharedCopy(files, tuple(left))


def without_paths(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration without the places of this machine.

    Args:
        config: the content of source.json or config.json.
    """

    def cleaned(key: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: cleaned(name, held) for name, held in value.items() if name not in _PATH_KEYS}
        if key == "architecture" and isinstance(value, str):
            return class_without_path(value)
        return uri_without_path(value) if key == "uri" and isinstance(value, str) else value

    found: dict[str, Any] = cleaned("", config)
    return found


def class_without_path(architecture: str) -> str:
    """FILE:Class of a network of the user's own, without the folder of the file; other names as they are."""
    file, colon, own = architecture.rpartition(":")
    return f"{name_of(file)}:{own}" if colon and file.endswith(".py") else architecture


def uri_without_path(uri: str) -> str:
    """The name of a source as others can read it: of a place on this machine only the last part is kept."""
    if not uri:
        return uri
    scheme, name = split_uri(uri)
    return uri if scheme in ("timm", "hf", "bundled") else f"{scheme}{':' if scheme else ''}{name_of(name)}"


def shared_record(record: Record, digests: Mapping[str, str]) -> Record:
    """A record with scores and choices, without the data's name, its digest, and everything that names an item.

    Args:
        record: of the run.
        digests: sha256 of the files that are shared.
    """
    source, data = record.source, record.data
    if source is None or data is None:
        raise InputError(
            "the run is of an older version, whose record does not name source and data: fit again"
        )
    decision = Decision.of(record)
    return dataclasses.replace(
        record,
        source=dataclasses.replace(
            source,
            uri=uri_without_path(source.uri),
            architecture=class_without_path(source.architecture),
        ),
        data=dataclasses.replace(data, name=_NOT_SHARED, digest=""),
        extra={
            **{key: record.extra[key] for key in _KEPT if key in record.extra},
            **({} if decision is None else {KEY: decision.to_json()}),
            DIGESTS: dict(digests),
        },
    )


def _check_answers(run: RunDirectory) -> None:
    """Refuse what no one could predict with: the files are read as a prediction reads them.

    Raises:
        InputError: the preprocessing, the classes or the threshold are damaged.
    """
    preprocessing_in(run.file("source.json"))
    classes, _, threshold = answers_in(run.file("head.json"))
    decision = decision_in(run, classes)
    if (None if decision is None else decision.threshold) != threshold:
        raise InputError(
            f"{run.file(METRICS)} is damaged (its threshold is not that of head.json): copy the run again, or make the "
            "run again"
        )


def _card(run: RunDirectory, record: Record, config: Mapping[str, Any], name: str) -> str:
    """The card, from the shared record; no finding, notice or command of the user is in it."""
    preprocessing, head = config["preprocessing"], read_checked(run.path, "head.json")
    has_classes = task_named(head.get("task")).has_classes
    facts = RunFacts(
        run=name,
        command="headstart fit",
        classes=tuple(head["classes"]) if has_classes else (),
        refitted="refit" in record.extra,
        environment={key: value for key, value in _environment(run).items() if key not in _OF_THIS_MACHINE},
    )
    of_library = "headstart" not in read_checked(run.path, "config.json")
    return card(record, facts, _saved(run, preprocessing, of_library), preprocessing)


def _saved(run: RunDirectory, preprocessing: Mapping[str, Any], of_library: bool) -> SavedModel:
    """The forms in which the run holds its model."""
    modality, inside, program = preprocessing["modality"], prompt_is_inside(preprocessing), None
    if (run.path / PROGRAM).is_file():
        is_open = modality == "audio" and takes_any_length(open_program(run.path / PROGRAM))
        program = Exported(("batch", "samples") if is_open else ("batch",), 0.0, 0.0, 0)
    if of_library:
        return SavedModel(program, f"{modality}-classification", "", inside)
    return SavedModel(program, None, "no class of a library can hold the network with this head", inside)


def _environment(run: RunDirectory) -> dict[str, str]:
    path = run.path / "environment.json"
    if not os.path.lexists(path):
        return {}
    with parsing(path, "the environment of a run", "copy the run again, or remove this file"):
        return dict(json.loads(read_regular(path, follow=False)))


def _sha256(held: Path | bytes) -> str:
    if isinstance(held, bytes):
        return hashlib.sha256(held).hexdigest()
    return sha256_of(held)
