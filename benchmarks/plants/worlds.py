"""The planted cases: a world is a data set and a source, a case is an audit of one slice of it.

A slice draws its own training items and its own held-out items from the data set. Slices of a world share items, so
their results are not quite independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Help = Literal["no", "yes"]
SIZES, SIZES_OF_MANY = (20, 50, 100), (30, 60, 120)  # numbers of labels; of seven classes and more


@dataclass(frozen=True)
class World:
    """A data set and a source.

    Attributes:
        kind: of plant, as in the table.
        data: name of the data set (see `benchmarks.plants.data`).
        source: NAME/FORM (see `benchmarks.plants.sources`).
        helps: what is planted; the truth is measured (see `benchmarks.plants.truth`).
        n_held_out: held-out items of a slice.
        n_slices: cases.
        sizes: numbers of labels, rising; the last is the number of training items.
        scratch: time of an audit with training from random weights, for the first slice; "" for none.
        permuted: whether the labels are permuted over the items.
    """

    kind: str
    data: str
    source: str
    helps: Help
    n_held_out: int
    n_slices: int
    sizes: tuple[int, ...] = SIZES
    scratch: str = ""
    permuted: bool = False

    @property
    def name(self) -> str:
        """Unique among the worlds."""
        return f"{self.source} on {self.data}{', permuted' * self.permuted}"

    @property
    def modality(self) -> str:
        """Of the data set."""
        first = self.data.partition(" ")[0]
        return {"sst2": "text", "trec": "text", "amazon": "text", "fsdd": "audio", "emodb": "audio"}.get(
            first, "image"
        )


RANDOM, SHUFFLED, PERMUTED = "random weights", "weights shuffled in each tensor", "labels permuted"
ON_RANDOM, WRONG = "pretrained on random labels", "wrong normalisation"
OTHER, REAL = "pretrained on something else", "real source, few labels"

WORLDS = (
    World(RANDOM, "digits", "letters/random", "no", 350, 4),
    World(RANDOM, "x-rays", "resnet20/random", "no", 400, 3),
    World(SHUFFLED, "digits", "letters/shuffled", "no", 350, 4),
    World(SHUFFLED, "pictures", "resnet20/shuffled", "no", 350, 3, SIZES_OF_MANY),
    World(PERMUTED, "digits", "letters/real", "no", 350, 4, scratch="20s", permuted=True),
    World(PERMUTED, "x-rays", "resnet20/real", "no", 400, 4, permuted=True),
    World(ON_RANDOM, "x-rays", "letters/random-labels", "no", 400, 4),
    World(OTHER, "pictures", "letters/spectrograms", "no", 350, 3, SIZES_OF_MANY),
    World(OTHER, "spectrograms", "resnet20/real", "no", 350, 3, SIZES_OF_MANY),
    World(OTHER, "x-rays", "letters/real", "no", 400, 4, scratch="20s"),
    World(WRONG, "digits", "letters/wrong", "no", 350, 3, scratch="20s"),
    World(WRONG, "pictures", "resnet20/wrong", "no", 350, 3, SIZES_OF_MANY),
    World(RANDOM, "trec", "bert/random", "no", 400, 4, SIZES_OF_MANY),
    World(RANDOM, "amazon", "bert/random", "no", 400, 3, (50, 100, 200)),
    World(SHUFFLED, "trec", "minilm/shuffled", "no", 400, 3, SIZES_OF_MANY),
    World(PERMUTED, "sst2", "minilm/real", "no", 400, 4, permuted=True),
    World(PERMUTED, "trec", "minilm/real", "no", 400, 4, SIZES_OF_MANY, permuted=True),
    World(ON_RANDOM, "trec", "bert/random-labels", "no", 400, 3, SIZES_OF_MANY),
    World(WRONG, "trec", "minilm/tokens", "no", 400, 3, SIZES_OF_MANY),
    World(RANDOM, "fsdd digits", "yamnet/random", "no", 300, 3, SIZES_OF_MANY),
    World(SHUFFLED, "emodb emotions", "yamnet/shuffled", "no", 250, 3, SIZES_OF_MANY),
    World(SHUFFLED, "fsdd digits", "whisper/shuffled", "no", 300, 3, SIZES_OF_MANY),
    World(PERMUTED, "fsdd digits", "whisper/real", "no", 300, 4, SIZES_OF_MANY, permuted=True),
    World(PERMUTED, "emodb emotions", "yamnet/real", "no", 250, 4, SIZES_OF_MANY, permuted=True),
    World(ON_RANDOM, "fsdd digits", "wav2vec2/random-labels", "no", 300, 3, SIZES_OF_MANY),
    World(WRONG, "fsdd digits", "yamnet/wrong", "no", 300, 3, SIZES_OF_MANY),
    World(OTHER, "emodb speakers", "yamnet/real", "no", 250, 3, SIZES_OF_MANY),
    World(REAL, "digits", "letters/real", "yes", 500, 5, scratch="20s"),
    World(REAL, "hymenoptera", "mobilenetv2/real", "yes", 300, 4, (20, 40, 80)),
    World(REAL, "hymenoptera", "insects/real", "yes", 300, 3, (20, 40, 80)),
    World(REAL, "pacs photos", "mobilenetv2/real", "yes", 150, 3, (20, 35, 60)),
    World(REAL, "sst2", "minilm/real", "yes", 500, 5),
    World(REAL, "trec", "minilm/real", "yes", 500, 4, SIZES_OF_MANY),
    World(REAL, "amazon", "minilm/real", "yes", 500, 4),
    World(REAL, "fsdd digits", "whisper/real", "yes", 400, 5, SIZES_OF_MANY),
    World(REAL, "emodb emotions", "whisper/real", "yes", 300, 4, SIZES_OF_MANY),
    World(REAL, "emodb speakers", "ge2e/real", "yes", 300, 3, SIZES_OF_MANY),
)
