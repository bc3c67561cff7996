"""With every part present an item gives what prediction gives; without some, the rest is as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

import tiny
from headstart.data import (
    AudioPreprocessing,
    ImagePreprocessing,
    Preprocessing,
    TextPreprocessing,
    load_batches,
)
from headstart.data.items import Item
from headstart.explaining.parts.cutting import parts_of
from headstart.explaining.parts.parts import Way
from headstart.explaining.parts.pictures import PictureParts
from headstart.explaining.parts.recordings import N_BANDS, RecordingParts
from headstart.explaining.parts.texts import MOST_PARTS, TextParts

WAYS: tuple[Way, ...] = ("explain", "test")


def words(prompt: str = "", max_length: int = 512) -> TextPreprocessing:
    """A tokenizer of words and single characters with [CLS] and [SEP]."""
    known = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *dict.fromkeys(tiny.SENTENCE.split()),
        "don",
        "t",
        "query",
        *"',.:狗猫",
    ]
    tokenizer = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate(dict.fromkeys(known))}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)]
    )
    return TextPreprocessing(tokenizer.to_str(), max_length, prompt)


def inputs_of(item: Item, preprocessing: Preprocessing) -> tuple[torch.Tensor, ...]:
    """What prediction gives the program."""
    ((_, inputs),) = load_batches([item], preprocessing, [np.array([0])], threads=1, exact=True)
    return tuple(inputs.values())


def sound(folder: Path, seconds: float = 0.6) -> Path:
    noise = np.random.default_rng(0).normal(size=int(16_000 * seconds)).astype(np.float32) * 0.1
    soundfile.write(folder / "a.wav", noise, 16_000, subtype="FLOAT")
    return folder / "a.wav"


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_changed_if_every_part_is_present(way: Way, tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (50, 40, 3)).astype(np.uint8)
    for item, preprocessing in (
        (picture, ImagePreprocessing(size=(30, 26))),
        (np.zeros((3, 5), np.uint8), ImagePreprocessing(size=(3, 5), crop_pct=1.0)),
        ("the small dog saw 狗猫 , near", words("query: ")),
        (sound(tmp_path), AudioPreprocessing(window_samples=12_000)),
        (sound(tmp_path, 0.01), AudioPreprocessing(window_samples=12_000)),
    ):
        parts = parts_of(item, preprocessing)
        assert len(parts.places) == parts.n_parts
        found = parts.inputs(np.ones((2, parts.n_parts), bool), way)
        for one, other in zip(found, inputs_of(item, preprocessing), strict=True):
            torch.testing.assert_close(one[:1], other, atol=2e-6, rtol=0)
            torch.testing.assert_close(one[1:], other, atol=2e-6, rtol=0)


@pytest.mark.parametrize("way", WAYS)
def test_a_cell_of_a_picture(way: Way) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (35, 35, 3)).astype(np.uint8)
    parts = PictureParts.of(picture, ImagePreprocessing(size=(35, 35), crop_pct=1.0))
    present = np.ones((1, 49), bool)
    present[0, 8] = False  # the second row and column of the grid
    changed = (parts.inputs(present, way)[0][0] != parts.pixels).any(dim=0)
    inside = torch.zeros(35, 35, dtype=torch.bool)
    inside[5:10, 5:10] = True
    assert (changed == inside).all() and parts.places[8] == "row 2, column 2"


def test_words_of_a_text() -> None:
    parts = TextParts.of("the red don't 狗猫.", words("query: "))
    assert list(parts.places) == ["the", "red", "don't", "狗", "猫", "."]
    present = np.ones((1, 6), bool)
    present[0, 1] = False
    whole = parts.inputs(np.ones((1, 6), bool), "test")[0][0].tolist()
    masked, left = (parts.inputs(present, way)[0][0].tolist() for way in ("test", "explain"))
    tokenizer = Tokenizer.from_str(words().tokenizer_json)
    red, mask = tokenizer.token_to_id("red"), tokenizer.token_to_id("[MASK]")
    assert masked == [mask if token == red else token for token in whole]
    assert [token for token in left if token] == [token for token in whole if token not in (0, red)]
    nothing = parts.inputs(np.zeros((1, 6), bool), "explain")[0][0]
    assert [tokenizer.id_to_token(token) for token in nothing if token][:4] == [
        "[CLS]",
        "query",
        ":",
        "[SEP]",
    ]


def test_long_texts_and_texts_beyond_the_length() -> None:
    text = " ".join(["dog", "saw"] * 100)
    parts = TextParts.of(text, words())
    assert parts.n_parts == 50 <= MOST_PARTS and parts.places[0] == "dog saw dog saw"
    cut = TextParts.of(text, words(max_length=10))
    assert cut.n_parts == 8 and cut.spans[-1][1] == len(" ".join(["dog", "saw"] * 4))
    assert TextParts.of("  ", words()).n_parts == 0


@pytest.mark.parametrize("way", WAYS)
def test_a_cell_of_a_recording(way: Way, tmp_path: Path) -> None:
    """A band that is removed at all times is more quiet, and the others are as they were."""
    preprocessing = AudioPreprocessing(window_samples=12_000)
    parts = RecordingParts.of(sound(tmp_path), preprocessing)
    present = np.ones((1, N_BANDS, parts.n_times), bool)
    present[0, 3] = False
    waveform, lengths = parts.inputs(present.reshape(1, -1), way)
    assert waveform.shape == (1, 12_000) and int(lengths) == 9_600 and not waveform[0, 9_600:].any()
    before, after = (
        np.abs(np.fft.rfft(each[:9_600]))
        for each in (inputs_of(tmp_path / "a.wav", preprocessing)[0][0].numpy(), waveform[0].numpy())
    )
    hz = np.fft.rfftfreq(9_600, 1 / 16_000)
    low, high = parts.edges_hz[3], parts.edges_hz[4]
    inside, outside = (hz > low + 100) & (hz < high - 100), (hz < low - 100) | (hz > high + 100)
    assert after[inside].mean() < (0.35 if way == "explain" else 0.02) * before[inside].mean()
    np.testing.assert_allclose(after[outside].mean(), before[outside].mean(), rtol=0.01)
