"""The sources that are ranked: every network of the shared folder, cut at several depths, and with random weights.

A network that is cut at a depth is the pooled vector of that stage, so one pass gives all of its versions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.ranking.sets import Items
from benchmarks.work import ROOT, SHARED
from headstart.data import AudioPreprocessing, with_window
from headstart.features import Features, Store, extract_pooled
from headstart.sources import Source, load_source
from headstart.sources.random_weights import with_random_weights

CIFAR = "examples/cifar_resnet.py:CifarResNet"
ARCH = {
    "resemblyzer-ge2e": "examples/ge2e.py:SpeakerEncoder",
    "yamnet_audioset": "examples/yamnet.py:YAMNet",
    "resnet20_cifar10": CIFAR,
    "resnet56_cifar10": CIFAR,
}
NAMES = {
    "image": (
        "mobilenetv1_100.tf1_qat_in1k",
        "mobilenetv2_100.inat_bird",
        "mobilenetv2_100.inat_insect",
        "mobilenetv2_100.tf2_ptq_in1k",
        "resnet20_cifar10",
        "resnet56_cifar10",
        "tf_efficientnet_lite0.in1k",
    ),
    "text": ("all-MiniLM-L6-v2", "multilingual-e5-small-latin"),
    "audio": ("resemblyzer-ge2e", "whisper-tiny.en-encoder", "yamnet_audioset"),
}
SAME_ARCHITECTURE = (
    "mobilenetv2_100.inat_bird",
    "mobilenetv2_100.inat_insect",
)  # as mobilenetv2_100.tf2_ptq_in1k
N_DEPTHS = 4  # of a pretrained network, spread over its stages; of a random one the middle and the last


@dataclass(frozen=True, eq=False)
class Version:
    """A network cut at a depth.

    Attributes:
        source: name of the network.
        random: whether its weights are random.
        depth: 1 for the whole network.
        n_parameters: of the whole network.
        vectors: of the set's N items, of shape (N, D).
        probabilities: of the upstream classifier, of shape (N, Z); None where there is none.
    """

    source: str
    random: bool
    depth: float
    n_parameters: int
    vectors: np.ndarray = field(repr=False)
    probabilities: np.ndarray | None = field(default=None, repr=False)


def versions(name: str, items: Items) -> Iterator[Version]:
    """Yield every version of a network, with its vectors of the items.

    Args:
        name: of the folder.
        items: of a set of the network's modality.
    """
    arch = None if name not in ARCH else str(ROOT / ARCH[name])
    pretrained = load_source(str(SHARED / "weights" / name), arch=arch, modality=items.modality)
    random = () if name in SAME_ARCHITECTURE else (with_random_weights(pretrained, arch=arch),)
    for source in (pretrained, *random):
        is_random = not source.provenance.pretrained
        features = extract(source, items)
        classifier = None if is_random else source.classifier
        depths = _depths(features.n_stages, 2 if is_random else N_DEPTHS)
        for index in depths:
            x_ND = features.stage(index)
            last = index == features.n_stages - 1
            logits = None if classifier is None or not last else classifier.logits(x_ND)
            p_NZ = None if logits is None else _probabilities(logits)
            depth = (index + 1) / features.n_stages
            yield Version(name, is_random, depth, source.provenance.n_parameters, x_ND, p_NZ)


def extract(source: Source, items: Items) -> Features:
    """Return the pooled vectors of every stage; of audio in the window of the items that are learned from."""
    if isinstance(source.preprocessing, AudioPreprocessing):
        seconds = items.scan.seconds[~items.test]
        source = replace(source, preprocessing=with_window(source.preprocessing, seconds))
    return extract_pooled(source, items.items, items.scan.digests, Store(), precision="fp32", threads=1)


def _depths(n_stages: int, n_depths: int) -> list[int]:
    """Return stage indices, the last among them."""
    wanted = np.linspace(0, n_stages, n_depths + 1)[1:]
    return sorted({round(stage) - 1 for stage in wanted} - {-1})


def _probabilities(logits_NZ: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits_NZ.astype(np.float64) - logits_NZ.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)
