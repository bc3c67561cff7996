"""Choose: the depth profile and the head, from evidence on training items only."""

from headstart.choose.candidate import Candidate
from headstart.choose.features import ArrayFeatures, Rows, StageFeatures
from headstart.choose.head import Choice, ProfileRow, choose_head

__all__ = [
    "ArrayFeatures",
    "Candidate",
    "Choice",
    "ProfileRow",
    "Rows",
    "StageFeatures",
    "choose_head",
]
