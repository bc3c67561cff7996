"""What kind of shift lies between two domains: findings with numbers, a sentence each, and what to do."""

from headstart.adapt.shift.diagnose import Diagnosis, diagnose
from headstart.adapt.shift.differences import Difference, compare
from headstart.adapt.shift.pictures import picture_statistics
from headstart.adapt.shift.recordings import Windows, compare_windows, recording_statistics
from headstart.adapt.shift.sentences import (
    advice,
    difference_sentences,
    sentences,
    text_sentences,
    warnings,
    window_sentences,
)
from headstart.adapt.shift.texts import Texts, compare_texts
from headstart.adapt.shift.to_label import to_label

__all__ = [
    "Diagnosis",
    "Difference",
    "Texts",
    "Windows",
    "advice",
    "compare",
    "compare_texts",
    "compare_windows",
    "diagnose",
    "difference_sentences",
    "picture_statistics",
    "recording_statistics",
    "sentences",
    "text_sentences",
    "to_label",
    "warnings",
    "window_sentences",
]
