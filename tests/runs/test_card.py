"""The card tells what a reader needs, and its lines give the run's predictions without headstart."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
import yaml
from PIL import Image

from headstart.data.audio import decode_audio, fit_window
from headstart.data.findings import Finding
from headstart.data.images import decode_image
from headstart.data.preprocessing import ImagePreprocessing, preprocessing_from_json
from headstart.evidence import Verdict
from headstart.metrics import Interval
from headstart.runs import Record, RunFacts, SplitPart
from headstart.runs.card import card, write_card
from headstart.runs.usage import program_lines

from .conftest import CLASSES, Made
from .test_export import TEXTS, probabilities, text_rows, without_headstart
from .test_record import CLASSIFICATION, DATA, SOURCE
from .test_record import make as make_record

FACTS = RunFacts(
    run="runs/xray|1",
    command="headstart fit data/chest_xray --out runs/xray",
    classes=CLASSES,
    parts=tuple(
        SplitPart(part, 3 * n, counts=dict.fromkeys(CLASSES, n)) for part, n in (("train", 30), ("test", 5))
    ),
    findings=(Finding("unreadable", "warning", "2 files could not be read"),),
    environment={"python": "3.11", "torch": "2.14"},
)


def python_blocks(text: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


def record_of(made: Made, **changes: Any) -> Record:
    return make_record(data=replace(DATA, modality=made.preprocessing["modality"]), **changes)


def written(made: Made) -> str:
    write_card(made.run, record_of(made), FACTS, made.saved, made.preprocessing)
    return (made.run.path / "README.md").read_text()


def test_the_lines_of_the_card_give_the_predictions(
    work: Path, image_run: Made, mean_text_run: Made, speech_run: Made
) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (70, 91, 4), dtype=np.uint8)
    Image.fromarray(pixels).save(work / "transparent.png")
    Image.fromarray(pixels[:60, :50, 0]).save(work / "grey.png")
    clip = np.random.default_rng(0).normal(size=(4_000, 2)) * 0.1
    soundfile.write(work / "short.wav", clip, 8_000)
    soundfile.write(work / "long.flac", np.tile(clip[:, 0], 10), 16_000)
    pictures, clips = ["transparent.png", "grey.png"], ["short.wav", "long.flac"]
    items = {"image": pictures, "mean": TEXTS, "speech": clips}
    lines = []
    for made in (image_run, mean_text_run, speech_run):
        folder = made.run.path.name
        asked = items[folder] if folder == "mean" else [str(work / name) for name in items[folder]]
        code = python_blocks(written(made))[0]
        lines.append(f"os.chdir({str(made.run.path)!r})\n{code}\nrows += predict({asked!r}).tolist()\n")
    printed = without_headstart(
        "import os, json\nrows = []\n" + "".join(lines) + "print(json.dumps(rows))", work
    )
    image: Any = preprocessing_from_json(image_run.preprocessing)
    mean, std = (torch.tensor(image_run.preprocessing[key])[:, None, None] for key in ("mean", "std"))
    batch = torch.stack([(decode_image(work / name, image) / 255.0 - mean) / std for name in pictures])
    windows, lengths = zip(*(fit_window(decode_audio(work / name, 16_000), 16_000) for name in clips))
    waveform = torch.from_numpy(np.stack(windows))
    expected = [
        probabilities(image_run, batch),
        text_rows(mean_text_run),
        probabilities(speech_run, waveform, torch.tensor(lengths)),
    ]
    np.testing.assert_allclose(np.array(printed), np.concatenate(expected), atol=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"size": (40, 60)},
        {"crop_mode": "squash", "crop_pct": 1.0},
        {"crop_mode": "squash", "size": (40, 60)},
        {"crop_mode": "border", "crop_pct": 0.9},
        {"interpolation": "bilinear", "crop_pct": 0.95},
        {"interpolation": "lanczos", "crop_pct": 1.0},
    ],
)
@pytest.mark.parametrize("size", [(91, 70), (33, 80), (300, 40)])
def test_pixels_of_the_lines_are_those_of_headstart(
    changes: dict[str, Any], size: tuple[int, int], tmp_path: Path
) -> None:
    preprocessing = replace(ImagePreprocessing(size=(48, 48), mean=(0.4, 0.5, 0.6)), **changes)
    values = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    smooth = Image.fromarray(values).resize((12, 12)).resize(size, Image.Resampling.BICUBIC)
    smooth.save(tmp_path / "picture.png")
    code = program_lines(preprocessing.to_json())
    space: dict[str, Any] = {}
    exec(
        "import torch, numpy as np\nfrom PIL import Image, ImageOps\n" + code[code.index("def pixels") :],
        space,
    )
    got = space["pixels"](tmp_path / "picture.png")
    mean, std = (torch.tensor(values)[:, None, None] for values in (preprocessing.mean, preprocessing.std))
    expected = (decode_image(tmp_path / "picture.png", preprocessing) / 255.0 - mean) / std
    assert got.shape == expected.shape
    assert float((got - expected).abs().max()) < 0.05
    assert float((got - expected).abs().mean()) < 0.004


def test_the_card_tells_data_evidence_and_limits(image_run: Made) -> None:
    text = written(image_run)
    front = yaml.safe_load(text.split("---")[1])
    assert front["license"] == "apache-2.0"
    assert front["library_name"] == "transformers"
    assert front["base_model"] == "some/model"
    assert front["model-index"][0]["results"][0]["metrics"][0]["value"] == 0.9
    for words in (
        "# xray\\|1",
        "0.900 (0.800 to 0.950)",
        "Most frequent class",
        "Transfer helped",
        "2 files could not be read",
        'pipeline("image-classification", model=".")',
        "run:xray",
        "| train | 90 |",
        "torch 2.14",
    ):
        assert words in text, words
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert not any("\n" in row for row in rows)


def test_a_result_without_a_pipeline_says_why(mean_text_run: Made) -> None:
    text = written(mean_text_run)
    assert "No pipeline of transformers opens this folder: its head reads other stages" in text
    assert yaml.safe_load(text.split("---")[1])["library_name"] == "pytorch"
    assert "Text after the first 20 tokens is not read." in text
    assert 'adds "query: " in front, cuts at 20 tokens' in text
    outside = program_lines(mean_text_run.preprocessing, prompt_inside=False)
    assert 'texts = ["query: " + text for text in texts]' in outside


def test_the_card_tells_why_an_interval_is_missing_and_what_to_know(image_run: Made) -> None:
    why = "2 independent units, 3 are needed for an interval"
    test = {**{name: Interval(0.5, 0.4, 0.6) for name in CLASSIFICATION}, "accuracy": Interval(0.9, why=why)}
    record = record_of(image_run, test=test)
    record = replace(record, n_test=12, data=replace(DATA, modality="image", group="patient"))
    facts = replace(
        FACTS, notices=(("Why this head", "The last stage is the best by cross-validation (0.900)."),)
    )
    text = card(record, facts, image_run.saved, image_run.preprocessing)
    assert "No interval: 2 independent groups, 3 are needed (Accuracy)." in text
    assert "read the intervals" not in text
    assert "- **Why this head.** The last stage is the best by cross-validation (0.900)." in text


def test_other_verdicts_and_folds(speech_run: Made) -> None:
    test = {name: Interval(0.5) for name in CLASSIFICATION}
    verification = {"eer": Interval(0.1, 0.05, 0.2), "min_dcf": Interval(0.6)}
    record = record_of(
        speech_run,
        verdict=Verdict("undecided", "", Interval(None), ""),
        test=test,
        verification=verification,
        baselines={},
        n_folds=10,
        source=replace(SOURCE, licence=None, upstream=None),
    )
    record = replace(record, data=replace(DATA, modality="audio", group="speaker"))
    text = card(record, FACTS, speech_run.saved, speech_run.preprocessing)
    assert "Whether transfer helped is undecided." in text
    assert "10-fold cross-validation" in text
    assert "items that belong together are counted together" in text
    assert "equal error rate 0.100 (0.050 to 0.200)" in text
    assert "After" not in text and "A recording is not read beyond its first 1 s." in text
    assert yaml.safe_load(text.split("---")[1])["license"] == "unknown"
    assert "at 16000 Hz, at most 16000 of them" in text
    assert "| **This model** |" in text
    mixed = replace(record, extra={**record.extra, "returned_in_folds": {"classical": 4, "pretrained": 6}})
    text = card(mixed, FACTS, speech_run.saved, speech_run.preprocessing)
    assert "| **The whole procedure** |" in text and "This model" not in text


def test_no_name_of_the_data_writes_markup_or_escapes(image_run: Made) -> None:
    hostile = "label`\n\n```python\nimport os\n```\n\n<img src=x>\x1b]0;own\x07"
    record = record_of(image_run)
    record = replace(
        record, data=replace(DATA, modality="image", target=hostile, group=hostile, name=hostile)
    )
    text = card(record, replace(FACTS, run=hostile), image_run.saved, image_run.preprocessing)
    assert not any("import os" in block and "torch" not in block for block in python_blocks(text))
    outside_code = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL).replace("\\<", "")
    assert "<img" not in outside_code and "\x1b" not in text and "\x07" not in text
