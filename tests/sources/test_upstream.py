"""The upstream classifier: what the library's whole model gives, from the last stored vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

import tiny
from headstart.data import scan
from headstart.features import Store, extract_pooled
from headstart.sources import Source, UpstreamClassifier, load_source
from headstart.sources.random_weights import with_random_weights
from headstart.sources.upstream import class_names, names_by_index

CLASSES = {0: "cat", 1: "dog", 2: "elk", 3: "fox", 4: "gnu"}
SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "image_size": 32,
    "patch_size": 8,
}
RESNET = {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"}
SWIN = {"embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "image_size": 32, "patch_size": 2}
SWIN["window_size"] = 4


def save_whole(folder: Path, kind: str, model_type: str, **more: Any) -> Any:
    """Write a tiny model of transformers with its classification head over a folder; return it."""
    import transformers

    torch.manual_seed(1)
    config = transformers.AutoConfig.for_model(
        model_type, **more, id2label=CLASSES, label2id={name: i for i, name in CLASSES.items()}
    )
    auto = getattr(transformers, f"AutoModelFor{kind}Classification")
    whole = auto.from_config(config).eval()
    with torch.no_grad():
        for parameter in whole.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    whole.save_pretrained(folder)
    return whole


def last_vectors(source: Source, **inputs: torch.Tensor) -> np.ndarray:
    return source.backbone.pooled(inputs)[-1].numpy()


def assert_alike(found: np.ndarray, expected: torch.Tensor) -> None:
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected.detach().numpy(), atol=1e-4)


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_convnext", "test_efficientnet"])
def test_timm(tmp_path: Path, name: str) -> None:
    model = tiny.save_timm(tmp_path, name, label_names=list("abcdefg"))
    source = load_source(str(tmp_path))
    digest, names = source.digest, list(source.network.state_dict())
    classifier = source.classifier
    assert isinstance(classifier, UpstreamClassifier) and source.why_no_classifier is None
    assert classifier.classes == tuple("abcdefg")
    size = model.pretrained_cfg["input_size"][-1]
    pixels = torch.randn(3, 3, size, size)
    with torch.no_grad():
        assert_alike(classifier.logits(last_vectors(source, pixels=pixels)), model(pixels))
    assert (source.digest, list(source.network.state_dict())) == (digest, names)
    assert load_source(str(tmp_path)).digest == digest


def test_two_heads_of_one_network_are_refused(tmp_path: Path) -> None:
    model = timm.create_model("test_vit", num_classes=7)
    tiny.save_timm(tmp_path, "test_vit")
    config = json.loads((tmp_path / "config.json").read_text())
    config["pretrained_cfg"]["classifier"] = ["head", "head_dist"]
    tiny.write_json(tmp_path / "config.json", config)
    source = load_source(str(tmp_path))
    assert source.classifier is None and "no single classifier" in str(source.why_no_classifier)
    assert model.num_classes == 7


def test_a_checkpoint_without_its_classifier_has_none(tmp_path: Path) -> None:
    tiny.save_timm(tmp_path)
    tensors = {
        name: value
        for name, value in load_file(tmp_path / "model.safetensors").items()
        if not name.startswith("fc.")
    }
    save_file(tensors, tmp_path / "model.safetensors")
    source = load_source(str(tmp_path))
    assert source.classifier is None and "no single classifier" in str(source.why_no_classifier)


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.save_timm(tmp_path)
    calls: list[str] = []
    import headstart.sources.library_timm as library

    own = library.read_weights
    monkeypatch.setattr(library, "read_weights", lambda files: calls.append("read") or own(files))
    source = load_source(str(tmp_path))
    assert calls == ["read"]
    assert source.classifier is source.classifier
    assert calls == ["read", "read"]


def test_without_pretrained_weights_there_is_none(tmp_path: Path) -> None:
    tiny.save_timm(tmp_path)
    source = with_random_weights(load_source(str(tmp_path)))
    assert source.classifier is None and source.why_no_classifier == "its weights are random"
    letters = load_source("bundled:letters")
    assert letters.classifier is None and "user's own class" in str(letters.why_no_classifier)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("vit", SMALL),
        ("resnet", RESNET),
        ("convnext", {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2}),
        ("swin", SWIN),
        ("beit", SMALL),
    ],
)
def test_images_of_transformers(tmp_path: Path, name: str, more: dict[str, Any]) -> None:
    tiny.save_vision(tmp_path, name, None, **more)
    whole = save_whole(tmp_path, "Image", name, **more)
    source = load_source(str(tmp_path))
    pixels = torch.randn(3, 3, 32, 32)
    assert source.classifier is not None, source.why_no_classifier
    assert source.classifier.classes == tuple(CLASSES.values())
    with torch.no_grad():
        assert_alike(source.classifier.logits(last_vectors(source, pixels=pixels)), whole(pixels).logits)


def test_a_run_in_its_librarys_own_form_has_its_own_classifier(tmp_path: Path) -> None:
    model = tiny.save_timm(tmp_path / "run", label_names=list("abcdefg"), model_type="timm_wrapper")
    first = load_source(str(tmp_path / "run"))
    tiny.write_json(tmp_path / "run" / "source.json", dict(first.config))
    tiny.write_json(tmp_path / "run" / "metrics.json", {"format_version": 1})
    source = load_source(f"run:{tmp_path / 'run'}")
    assert source.classifier is not None and source.classifier.classes == tuple("abcdefg")
    pixels = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert_alike(source.classifier.logits(last_vectors(source, pixels=pixels)), model(pixels))
    tiny.write_json(tmp_path / "run" / "config.json", {"headstart": {}})
    source = load_source(f"run:{tmp_path / 'run'}")
    assert source.classifier is None and "no single classifier" in str(source.why_no_classifier)


def test_a_head_on_more_than_the_embedding_is_refused(tmp_path: Path) -> None:
    """DINOv2's head reads the class token and the mean of the patches; the embedding is the class token."""
    tiny.save_vision(tmp_path, "dinov2", None, **SMALL)
    save_whole(tmp_path, "Image", "dinov2", **SMALL)
    source = load_source(str(tmp_path))
    assert source.classifier is None
    assert "does not read the source's own embedding" in str(source.why_no_classifier)


def tokens() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    mask = torch.tensor([[1] * 9, [1] * 5 + [0] * 4, [1] * 2 + [0] * 7])
    return {"input_ids": torch.randint(5, 18, (3, 9)) * mask, "attention_mask": mask}


@pytest.mark.parametrize("name", ["bert", "roberta", "distilbert", "electra"])
def test_texts_whose_embedding_is_the_first_token(tmp_path: Path, name: str) -> None:
    more = {"embedding_size": 32} if name == "electra" else {}
    tiny.save_text(tmp_path, name, **more)
    sizes = {**tiny.sizes(), "vocab_size": len(tiny._WORDS), "max_position_embeddings": 40, "pad_token_id": 0}
    whole = save_whole(tmp_path, "Sequence", name, **sizes, **more)
    mean = load_source(str(tmp_path))
    assert mean.classifier is None  # it reads the first token, and the embedding is the mean
    tiny.write_json(tmp_path / "modules.json", [{"type": "Transformer"}, {"type": "x.Pooling", "path": "1"}])
    tiny.write_json(tmp_path / "1" / "config.json", {"pooling_mode_cls_token": True})
    source = load_source(str(tmp_path))
    assert source.classifier is not None, source.why_no_classifier
    assert source.classifier.classes == tuple(CLASSES.values())
    with torch.no_grad():
        assert_alike(source.classifier.logits(last_vectors(source, **tokens())), whole(**tokens()).logits)


def test_an_encoder_alone_has_none(tmp_path: Path) -> None:
    tiny.save_text(tmp_path)
    source = load_source(str(tmp_path))
    assert source.classifier is None
    assert source.why_no_classifier == "its checkpoint is of BertModel, which has no classifier"


@pytest.mark.parametrize(
    ("name", "more"),
    [("wav2vec2", {}), ("hubert", {}), ("wavlm", {}), ("wav2vec2", {"do_stable_layer_norm": True})],
    ids=["wav2vec2", "hubert", "wavlm", "stable"],
)
def test_recordings(tmp_path: Path, name: str, more: dict[str, Any]) -> None:
    more = {"feat_extract_norm": "layer", **more}
    tiny.save_audio(tmp_path, name, **more)
    values = {**tiny._AUDIO, "num_feat_extract_layers": 3, "classifier_proj_size": 12, **more}
    whole = save_whole(tmp_path, "Audio", name, **values)
    source = load_source(str(tmp_path))
    assert source.classifier is not None, source.why_no_classifier
    torch.manual_seed(0)
    waveform, lengths = torch.randn(2, 8000), torch.tensor([8000, 5000])
    waveform[1, 5000:] = 0
    vectors = last_vectors(source, waveform=waveform, lengths=lengths)
    assert vectors.shape[1] > source.classifier.width
    found = source.classifier.logits(vectors)
    for row, n_samples in enumerate(lengths.tolist()):
        clip = waveform[row : row + 1, :n_samples]
        clip = (clip - clip.mean()) / (clip.var(correction=0) + 1e-7).sqrt()
        with torch.no_grad():
            assert_alike(found[row : row + 1], whole(clip).logits)


def test_a_weighted_sum_of_layers_is_refused(tmp_path: Path) -> None:
    tiny.save_audio(tmp_path, "wav2vec2")
    values = {**tiny._AUDIO, "num_feat_extract_layers": 3, "use_weighted_layer_sum": True}
    save_whole(tmp_path, "Audio", "wav2vec2", **values)
    source = load_source(str(tmp_path))
    assert source.classifier is None and "own embedding" in str(source.why_no_classifier)


def test_whisper_on_its_whole_window(tmp_path: Path) -> None:
    sizes = {"d_model": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 16}
    more = {**sizes, "num_mel_bins": 80, "max_source_positions": 50, "classifier_proj_size": 12}
    more |= {"decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 16}
    whole = save_whole(tmp_path, "Audio", "whisper", **more)
    tiny.write_json(tmp_path / "preprocessor_config.json", {"sampling_rate": 16000, "chunk_length": 1})
    source = load_source(str(tmp_path))
    assert source.classifier is not None, source.why_no_classifier
    torch.manual_seed(0)
    waveform, lengths = torch.randn(2, 16000), torch.tensor([16000, 16000])
    network: Any = source.network
    with torch.no_grad():
        expected = whole(network.front_end(waveform)).logits
        assert_alike(
            source.classifier.logits(last_vectors(source, waveform=waveform, lengths=lengths)), expected
        )


def test_vectors_that_are_too_narrow_are_refused(tmp_path: Path) -> None:
    tiny.save_timm(tmp_path)
    classifier = load_source(str(tmp_path)).classifier
    assert classifier is not None
    with pytest.raises(ValueError, match=f"{classifier.width}"):
        classifier.logits(np.zeros((2, 3), np.float32))
    assert classifier.logits(np.zeros((0, classifier.width), np.float32)).shape == (0, 7)


def test_class_names(tmp_path: Path) -> None:
    assert class_names(2, tmp_path, None) == ("class 0", "class 1")
    assert class_names(2, tmp_path, None, ["x", "y"]) == ("x", "y")
    (tmp_path / "labels.txt").write_text("ant\nbee\n")
    assert class_names(2, tmp_path, None, ["x", "y"]) == ("ant", "bee")
    assert class_names(2, tmp_path, ["left", "right"]) == ("left", "right")
    assert class_names(3, tmp_path, ["left", "right"]) == ("class 0", "class 1", "class 2")
    assert names_by_index({"1": "b", "0": "a"}) == ("a", "b")
    assert names_by_index({0: "LABEL_0", 1: "LABEL_1"}) is None
    assert names_by_index({"x": "a"}) is None and names_by_index({2: "a"}) is None


@pytest.mark.real
@pytest.mark.parametrize("name", ["mobilenetv1_100.tf1_qat_in1k", "mobilenetv2_100.tf2_ptq_in1k"])
def test_real_photos_get_their_imagenet_classes(shared: Path, tmp_path: Path, name: str) -> None:
    folder = shared / "weights" / name
    source = load_source(str(folder))
    photos = [
        path
        for kind in ("ants", "bees")
        for path in sorted((shared / "data" / "hymenoptera" / "val" / kind).glob("*.jpg"))[:10]
    ]
    digests = scan(photos, "image", threads=1).digests
    options = {"precision": "fp32", "device": "cpu", "threads": 1}
    features = extract_pooled(source, photos, digests, Store(tmp_path), **options)
    classifier = source.classifier
    assert classifier is not None, source.why_no_classifier
    logits = classifier.logits(features.stage(-1))
    assert_alike(logits, timm_logits(folder, source, photos))
    wanted = [classifier.classes.index(kind) for kind in ["ant, emmet, pismire"] * 10 + ["bee"] * 10]
    best_five = np.argsort(-logits)[:, :5]
    assert sum(kind in row for kind, row in zip(wanted, best_five)) >= 15


def timm_logits(folder: Path, source: Source, photos: list[Path]) -> torch.Tensor:
    """What timm's own model gives, with its classifier, on the source's own pixels."""
    from headstart.data.loading import load_batches

    config = json.loads((folder / "config.json").read_text())
    model = timm.create_model(config["architecture"], num_classes=1000, **config["model_args"]).eval()
    model.load_state_dict(
        {
            name: value.float() if value.is_floating_point() else value
            for name, value in load_file(folder / "model.safetensors").items()
        }
    )
    ((_, inputs),) = load_batches(photos, source.preprocessing, [np.arange(len(photos))], threads=1)
    with torch.no_grad():
        return model(inputs["pixels"])
