"""What lies beside an ONNX file: NAME.json with the facts, NAME.md with the lines that use it, and the tokenizer."""

from __future__ import annotations

from headstart import files
from headstart.files import read_regular
from headstart.run_files import METRICS, PROGRAM, sha256_of
from headstart.runs.card import takes_words, window_words
from headstart.runs.model import Model
from headstart.runs.onnx_check import TOLERANCE
from headstart.runs.onnx_form import OnnxFile
from headstart.runs.onnx_place import TOKENIZER
from headstart.runs.prompts import prompt_is_inside
from headstart.runs.shared_onnx import DIGESTS, OF_PROGRAM
from headstart.runs.usage import environment, in_code, needed_packages, program_lines
from headstart.tasks import task_named


def write_beside(model: Model, made: OnnxFile) -> None:
    """Write the facts, the card and, for texts, the tokenizer of the run beside an ONNX file.

    Args:
        model: the run.
        made: the file that was written.
    """
    folder, modality = made.path.parent, model.preprocessing.modality
    if modality == "text" and folder.resolve() != model.path.resolve():
        files.write_bytes(folder / TOKENIZER, read_regular(model.path / TOKENIZER))
    digests = {each.name: sha256_of(each) for each in (made.path, made.data) if each is not None}
    card = made.path.with_name(f"{made.path.name}.md")
    files.write_text(card, onnx_card(model, made, digests))
    facts = {
        **made.to_json(),
        DIGESTS: {**digests, card.name: sha256_of(card)},
        OF_PROGRAM: sha256_of(model.path / PROGRAM),
    }
    files.write_json(made.path.with_name(f"{made.path.name}.json"), facts)


def onnx_card(model: Model, made: OnnxFile, digests: dict[str, str]) -> str:
    """The text of NAME.md; no name of a folder is in it, since it is uploaded with the run.

    Args:
        model: the run.
        made: the file that was written.
        digests: sha256 of its files.
    """
    preprocessing, task = model.preprocessing.to_json(), task_named(model.task)
    target = files.read_json(model.path / METRICS).get("data", {}).get("target", "")
    if preprocessing["modality"] == "text":
        digests = {**digests, TOKENIZER: sha256_of(model.path / TOKENIZER)}
    text: str = environment().get_template("onnx.md.j2").render(
        name=made.path.name, file=in_code(made.path.name), made=made, tolerance=TOLERANCE,
        takes=takes_words(preprocessing), gives=task.words.gives.format(target=in_code(target)),
        sizes=window_words(preprocessing, "samples" in made.inputs.get("waveform", ())),
        of_what="of a probability" if task.has_classes else "in standard deviations of the quantity",
        packages=needed_packages(preprocessing["modality"], onnx=True), n_outputs=len(model.classes),
        lines=program_lines(preprocessing, prompt_is_inside(preprocessing), digests, onnx=made.path.name),
    )  # fmt: skip
    return text
