"""The sources of the plants: real ones, and copies whose weights or preprocessing make them useless.

real           as it is
random         random weights, as the architecture's own class gives them
shuffled       the weights of each tensor in another order
random-labels  a network trained from random weights on labels that were drawn at random
spectrograms   a network of pictures that was trained on spectrograms of speech
wrong          pictures or sounds are normalised so that hardly anything is left of them
tokens         the rows of the table of words in another order: each word has the vector of another one
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from benchmarks.plants.data import population
from benchmarks.ranking_plants import DAMAGES
from benchmarks.work import ROOT, SHARED
from headstart.bundled.network import LettersNet, train_classifier

WEIGHTS = SHARED / "weights"
ORIGINALS = {
    "letters": ROOT / "src" / "headstart" / "bundled" / "letters",
    "resnet20": WEIGHTS / "resnet20_cifar10",
    "mobilenetv2": WEIGHTS / "mobilenetv2_100.tf2_ptq_in1k",
    "insects": WEIGHTS / "mobilenetv2_100.inat_insect",
    "minilm": WEIGHTS / "all-MiniLM-L6-v2",
    "yamnet": WEIGHTS / "yamnet_audioset",
    "whisper": WEIGHTS / "whisper-tiny.en-encoder",
    "ge2e": WEIGHTS / "resemblyzer-ge2e",
}
ARCH = {
    "resnet20": str(ROOT / "examples" / "cifar_resnet.py:CifarResNet"),
    "yamnet": str(ROOT / "examples" / "yamnet.py:YAMNet"),
    "ge2e": str(ROOT / "examples" / "ge2e.py:SpeakerEncoder"),
}
FRONT_END = ("mel", "window")  # of yamnet: constants beside the weights
SEED = 1234
N_PRETRAINED = 600  # items that a tiny network is pretrained on
N_RANDOM_CLASSES = 10


def arch_of(name: str) -> str | None:
    """The architecture of a source that does not name its own."""
    return ARCH.get(name.partition("/")[0])


def source(name: str, root: Path) -> str:
    """A source as the audit is given it; a copy is written below `root` the first time.

    Args:
        name: NAME/FORM.
        root: of what the plants write.
    """
    original, _, form = name.partition("/")
    if form == "real":
        return "bundled:letters" if original == "letters" else str(ORIGINALS[original])
    folder = root / "sources" / f"{original}-{form}"
    if not folder.exists():
        building = root / "sources" / f".{folder.name}-{np.random.SeedSequence().entropy}"
        building.parent.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(SEED)
        MAKERS[name](original, building, root)
        try:
            building.rename(folder)
        except OSError:  # another process was first
            shutil.rmtree(building)
    return str(folder)


def _shuffled(original: str, folder: Path, root: Path) -> None:
    draws = torch.Generator().manual_seed(SEED)
    _with_weights(
        original, folder, lambda name, old: old if name in FRONT_END else DAMAGES["shuffled"](old, draws)
    )


def _tokens(original: str, folder: Path, root: Path) -> None:
    def changed(name: str, old: torch.Tensor) -> torch.Tensor:
        if not name.endswith("word_embeddings.weight"):
            return old
        return old[torch.randperm(len(old), generator=torch.Generator().manual_seed(SEED))]

    _with_weights(original, folder, changed)


def _random(original: str, folder: Path, root: Path) -> None:
    """Random weights of the original's own class."""
    from headstart.sources import load_source
    from headstart.sources.random_weights import with_random_weights

    arch = arch_of(original)
    found = load_source(source(f"{original}/real", root), arch=arch)
    drawn = with_random_weights(found, seed=SEED, arch=arch).network.state_dict()
    drawn = {name.removeprefix("model."): new for name, new in drawn.items()}

    def changed(name: str, old: torch.Tensor) -> torch.Tensor:
        return old if name in FRONT_END else drawn[name]

    _with_weights(original, folder, changed)


def _with_weights(original: str, folder: Path, change: Callable[[str, torch.Tensor], torch.Tensor]) -> None:
    """A copy with other weights: `change` gets the name and the tensor of each."""
    shutil.copytree(ORIGINALS[original], folder, copy_function=shutil.copyfile)
    folder.chmod(0o755)
    path = folder / "model.safetensors"
    weights = {
        name: change(name, old).contiguous() if old.is_floating_point() else old
        for name, old in load_file(path).items()
    }
    path.unlink()
    save_file(weights, path, metadata={"format": "pt"})


def _wrong(original: str, folder: Path, root: Path) -> None:
    """A copy whose preprocessing hides the items: far-off mean and deviation, or a large offset in the logarithm."""
    _with_weights(original, folder, lambda name, old: old)
    path = folder / "config.json"
    config: dict[str, Any] = json.loads(path.read_text())
    if original == "yamnet":
        config["frontend"]["log_offset"] = 1e5
    elif original == "letters":
        config["preprocessing"].update(mean=[30.0] * 3, std=[0.01] * 3)
    else:
        config.update(mean=[30.0] * 3, std=[0.01] * 3)
    path.unlink()
    path.write_text(json.dumps(config))


def _letters_on(data: str, *, random_labels: bool) -> Callable[[str, Path, Path], None]:
    """The letters network from random weights, trained on 16-pixel pictures of a data set."""

    def make(original: str, folder: Path, root: Path) -> None:
        from PIL import Image

        whole = population(data, root)
        chosen = np.random.default_rng(SEED).permutation(len(whole.items))[:N_PRETRAINED]
        pixels = []
        for number in chosen:
            with Image.open(whole.folder / whole.items[number]) as image:
                pixels.append(np.asarray(image.convert("RGB").resize((16, 16)), dtype=np.float32) / 255)
        x_NCHW = (torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2) - 0.3) / 0.38
        names = sorted(set(whole.labels))
        codes = torch.tensor([names.index(whole.labels[number]) for number in chosen])
        if random_labels:
            codes = torch.randint(N_RANDOM_CLASSES, (len(chosen),))
        config = json.loads((ORIGINALS["letters"] / "config.json").read_text())
        config["preprocessing"]["size"] = [16, 16]
        network = LettersNet(config)
        train_classifier(
            network, config["widths"][-1], x_NCHW, codes, n_steps=150, lr=0.01, seed=SEED, batch_size=64
        )
        folder.mkdir()
        save_file(network.state_dict(), folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps(config))

    return make


def _bert(*, random_labels: bool) -> Callable[[str, Path, Path], None]:
    """A BERT of two small layers with the tokenizer of MiniLM."""

    def make(original: str, folder: Path, root: Path) -> None:
        from transformers import AutoTokenizer, BertConfig, BertModel

        tokenizer = AutoTokenizer.from_pretrained(WEIGHTS / "all-MiniLM-L6-v2")
        config = BertConfig(
            hidden_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=128,
            max_position_embeddings=256,
        )
        model = BertModel(config)
        if random_labels:
            texts = population("trec", root).items[-N_PRETRAINED:]

            def vectors(rows: list[int]) -> torch.Tensor:
                batch = tokenizer([texts[row] for row in rows], padding=True, return_tensors="pt")
                return torch.as_tensor(model(**batch).last_hidden_state.mean(dim=1))

            _train_on_random_labels(model, vectors, len(texts), config.hidden_size)
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)

    return make


def _wav2vec2(original: str, folder: Path, root: Path) -> None:
    """A small Wav2Vec2, trained on spoken digits with random labels."""
    import soundfile
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

    config = Wav2Vec2Config(
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=96,
        conv_dim=(32, 32, 32),
        conv_kernel=(10, 8, 4),
        conv_stride=(5, 8, 4),
        num_feat_extract_layers=3,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4,
        mask_time_prob=0.0,
        layerdrop=0.0,
    )
    model, whole = Wav2Vec2Model(config), population("fsdd digits", root)
    waves = []
    for name in whole.items[-N_PRETRAINED // 2 :]:
        wave, _ = soundfile.read(whole.folder / name, dtype="float32")
        wave = np.repeat(np.resize(wave, 4_000), 2)  # half a second, 8 to 16 kHz
        waves.append((wave - wave.mean()) / (wave.std() + 1e-5))
    x_NT = torch.from_numpy(np.stack(waves))

    def vectors(rows: list[int]) -> torch.Tensor:
        return torch.as_tensor(model(x_NT[rows]).last_hidden_state.mean(dim=1))

    _train_on_random_labels(model, vectors, len(x_NT), config.hidden_size)
    model.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(sampling_rate=16_000, do_normalize=True).save_pretrained(folder)


def _train_on_random_labels(
    model: torch.nn.Module, vectors: Callable[[list[int]], torch.Tensor], n_items: int, width: int
) -> None:
    """Five epochs of AdamW on labels that are drawn at random."""
    codes = torch.randint(N_RANDOM_CLASSES, (n_items,))
    head = torch.nn.Linear(width, N_RANDOM_CLASSES)
    optimizer = torch.optim.AdamW([*model.parameters(), *head.parameters()], lr=1e-3)
    model.train()
    for _ in range(5):
        for rows in torch.randperm(n_items).split(32):
            loss = torch.nn.functional.cross_entropy(head(vectors(rows.tolist())), codes[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    model.eval()


MAKERS: dict[str, Callable[[str, Path, Path], None]] = {
    "letters/random": _random,
    "letters/shuffled": _shuffled,
    "letters/wrong": _wrong,
    "letters/random-labels": _letters_on("spectrograms", random_labels=True),
    "letters/spectrograms": _letters_on("spectrograms", random_labels=False),
    "resnet20/random": _random,
    "resnet20/shuffled": _shuffled,
    "resnet20/wrong": _wrong,
    "bert/random": _bert(random_labels=False),
    "bert/random-labels": _bert(random_labels=True),
    "minilm/shuffled": _shuffled,
    "minilm/tokens": _tokens,
    "yamnet/random": _random,
    "yamnet/shuffled": _shuffled,
    "yamnet/wrong": _wrong,
    "whisper/shuffled": _shuffled,
    "wav2vec2/random-labels": _wav2vec2,
}
