"""A result in the form of a library's own class, so that the library opens the run's folder.

These results have one: a linear head on a timm network's own pooled output; a linear head in the place of the
last layer of a transformers class for texts (its own pooling, trained); a linear head on the mean of the last
hidden states of the Wav2Vec2 family. Each form is a module of the library, compared with the result before it
is written.

Legend: N items, C classes, D features, L samples, T tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from headstart.heads.head import FoldedHead
from headstart.sources.timm_arguments import model_arguments
from headstart.tasks import CLASSIFICATION, Task

WAV2VEC2_FAMILY = ("wav2vec2", "hubert", "wavlm", "data2vec-audio")
STANDARD_POOLING = "standard"  # pooling mode of a text network that ends in the class's own pooling
_PREFIX = "model."  # a source's network holds the library's module under this name


@dataclass(frozen=True)
class LibraryForm:
    """A model in the form of a library's own class.

    Attributes:
        task: the pipeline of transformers that opens it.
        module: the class's own module, giving probabilities for the inputs that the result takes.
        tensors: what goes to model.safetensors, by the class's names.
        config: the content of config.json.
        others: further JSON files, by name.
    """

    task: str
    module: nn.Module
    tensors: Mapping[str, Tensor]
    config: Mapping[str, Any]
    others: Mapping[str, Any] = field(default_factory=dict)


class NoForm(Exception):
    """No class of the library can hold this result; the text says why."""


def library_form(
    source: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    head: FoldedHead,
    classes: tuple[str, ...],
    task: Task = CLASSIFICATION,
) -> LibraryForm:
    """Put a network and a linear head on its embedding into the library's own class.

    Args:
        source: the source's configuration (`Source.config`), with its preprocessing.
        tensors: of the network, by its own names.
        head: on the network's embedding; for audio, on its first features.
        classes: C names, in the order of the head's rows.
        task: what is learned.

    Raises:
        NoForm: the library has no class that holds this result.
    """
    library, modality = source.get("library"), source.get("modality")
    bare = {name.removeprefix(_PREFIX): tensor for name, tensor in tensors.items()}
    if library == "timm":
        return _timm_form(source, bare, head, classes, task)
    if str(source.get("architecture")).startswith("headstart.evidence.classical_network:"):
        raise NoForm("no class of a library computes classical features")
    if library != "transformers":
        raise NoForm("it is a network of your own")
    if modality == "text":
        return _text_form(source, bare, head, classes, task)
    if modality == "audio" and source["config"].get("model_type") in WAV2VEC2_FAMILY:
        return _speech_form(source, bare, head, classes, task)
    raise NoForm(f"the {source['config'].get('model_type')} class pools otherwise")


def _timm_form(
    source: Mapping[str, Any],
    bare: Mapping[str, Tensor],
    head: FoldedHead,
    classes: tuple[str, ...],
    task: Task,
) -> LibraryForm:
    import timm

    architecture, model_args = source["architecture"], model_arguments(source)
    model = timm.create_model(architecture, pretrained=False, num_classes=len(classes), **model_args).eval()
    classifier = model.get_classifier()
    name = next((name for name, module in model.named_modules() if module is classifier), "")
    if not isinstance(classifier, nn.Linear):
        raise NoForm(f"timm's {architecture} ends in something other than one linear layer")
    own = _filled(model, bare, {f"{name}.weight": head.weight, f"{name}.bias": head.bias})
    preprocessing = source["preprocessing"]
    shown = {key: preprocessing[key] for key in ("interpolation", "crop_pct", "crop_mode", "mean", "std")}
    config = {
        "model_type": "timm_wrapper",
        "architectures": ["TimmWrapperForImageClassification"],
        "architecture": architecture,
        "model_args": model_args,
        "num_classes": len(classes),
        "label_names": list(classes),
        "num_features": classifier.in_features,
        "problem_type": task.problem_type,
        "dtype": "float32",
        "pretrained_cfg": {
            "input_size": [3, *preprocessing["size"]],
            **shown,
            "num_classes": len(classes),
            "classifier": name,
        },
    }
    return LibraryForm("image-classification", _Activated(model, task), own, config)


def _text_form(
    source: Mapping[str, Any],
    bare: Mapping[str, Tensor],
    head: FoldedHead,
    classes: tuple[str, ...],
    task: Task,
) -> LibraryForm:
    if list((source.get("pooling") or {}).get("modes", ())) != [STANDARD_POOLING]:
        raise NoForm("its text is pooled otherwise than the class of transformers does (see --head standard)")
    from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING as CLASSES

    model, config = _classifier(source["config"], classes, CLASSES, {}, task)
    layer = next(
        (name for name in ("classifier.out_proj", "classifier", "score") if _is_linear(model, name)), None
    )
    if layer is None or f"{layer}.weight" in bare:
        raise NoForm(f"the last layer of {type(model).__name__} is not one that a linear head replaces")
    # Tensors of the base model have the class's own prefix; those of the class's head do not.
    wanted = model.state_dict()
    own = {name if name in wanted else f"{model.base_model_prefix}.{name}": t for name, t in bare.items()}
    tensors = _filled(model, own, {f"{layer}.weight": head.weight, f"{layer}.bias": head.bias})
    return LibraryForm("text-classification", _TextActivated(model, task), tensors, config)


def _speech_form(
    source: Mapping[str, Any],
    bare: Mapping[str, Tensor],
    head: FoldedHead,
    classes: tuple[str, ...],
    task: Task,
) -> LibraryForm:
    from transformers.models.auto.modeling_auto import MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING as CLASSES

    width = int(source["config"].get("hidden_size", 768))
    # The last stage's vector is mean and deviation of its states; if the network continues after it (a final
    # norm), the network's own mean follows them.
    continues = bool(source["config"].get("do_stable_layer_norm"))
    on_mean = head.only(slice(-width, None) if continues else slice(width))
    if on_mean is None:
        raise NoForm("its head reads more than the mean of the last hidden states (their deviation)")
    changes = {"classifier_proj_size": width, "use_weighted_layer_sum": False}
    model, config = _classifier(source["config"], classes, CLASSES, changes, task)
    own = {f"{model.base_model_prefix}.{name}": tensor for name, tensor in bare.items()}
    last = {
        "projector.weight": torch.eye(width),
        "projector.bias": torch.zeros(width),
        "classifier.weight": on_mean.weight,
        "classifier.bias": on_mean.bias,
    }
    processor = source.get("processor") or {}
    normalise = bool(processor.get("do_normalize", True))
    extractor = {
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "feature_size": 1,
        "sampling_rate": int(source["preprocessing"]["rate_hz"]),
        "do_normalize": normalise,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": source["config"].get("feat_extract_norm") == "layer",
    }
    module = _SpeechActivated(model, task, normalise)
    tensors = _filled(model, own, last)
    return LibraryForm(
        "audio-classification", module, tensors, config, {"preprocessor_config.json": extractor}
    )


def _classifier(
    raw: Mapping[str, Any], classes: tuple[str, ...], mapping: Any, changes: Mapping[str, Any], task: Task
) -> tuple[Any, dict[str, Any]]:
    """The library's class for a configuration, with random weights, and its config.json."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    # Labels, pruning and names of the source are its own; the rest is the architecture.
    left_out = (
        "id2label",
        "label2id",
        "num_labels",
        "architectures",
        "_name_or_path",
        "torch_dtype",
        "dtype",
    )
    kept = {key: value for key, value in raw.items() if key not in left_out and key != "model_type"}
    library_config = CONFIG_MAPPING[raw["model_type"]](
        **{
            **kept,
            **changes,
            "id2label": dict(enumerate(classes)),
            "label2id": {name: index for index, name in enumerate(classes)},
            "problem_type": task.problem_type,
        }
    )
    if type(library_config) not in mapping:
        raise NoForm(f"transformers has no classifier for {raw['model_type']}")
    model_class = mapping[type(library_config)]
    model = model_class._from_config(library_config).eval()
    config = library_config.to_dict()
    config.pop("_name_or_path", None)
    return model, {**config, "architectures": [model_class.__name__], "dtype": "float32"}


def _filled(model: nn.Module, own: Mapping[str, Tensor], last: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Load tensors, which must be exactly those of the model, and return them by name."""
    wanted = model.state_dict()
    given = {**own, **last}
    different = set(wanted) ^ set(given)
    misfits = [name for name in wanted if name in given and wanted[name].shape != given[name].shape]
    if different or misfits:
        names = ", ".join(sorted([*different, *misfits])[:3])
        raise NoForm(f"the network and {type(model).__name__} differ in {names}")
    model.load_state_dict(given)
    return given


def _is_linear(model: nn.Module, name: str) -> bool:
    try:
        return isinstance(model.get_submodule(name), nn.Linear)
    except AttributeError:
        return False


class _Activated(nn.Module):
    """A timm classifier giving probabilities or values."""

    def __init__(self, model: nn.Module, task: Task) -> None:
        super().__init__()
        self.model, self.task = model, task

    def forward(self, pixels: Tensor) -> Tensor:
        return self.activated(self.model(pixels))

    def activated(self, logits: Tensor) -> Tensor:
        return self.task.activated_tensor(logits)


class _TextActivated(_Activated):
    """A text classifier of transformers giving probabilities or values."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:  # type: ignore[override]
        return self.activated(self.model(input_ids=input_ids, attention_mask=attention_mask).logits)


class _SpeechActivated(_Activated):
    """A speech classifier of transformers, run on each clip alone as its pipeline does."""

    def __init__(self, model: nn.Module, task: Task, normalise: bool) -> None:
        super().__init__(model, task)
        self.normalise = normalise

    def forward(self, waveform: Tensor, lengths: Tensor) -> Tensor:  # type: ignore[override]
        rows = []
        for clip, length in zip(waveform, lengths.tolist(), strict=True):
            own = clip[:length]
            if self.normalise:
                own = (own - own.mean()) / torch.sqrt(own.var(unbiased=False) + 1e-7)
            rows.append(self.activated(self.model(own[None]).logits))
        return torch.cat(rows)
