"""Choose: the depth profile and the head, from evidence on training items only."""

from headstart.choose.features import ArrayFeatures, Rows, StageFeatures
from headstart.choose.head import Choice, choose_head
from headstart.choose.prior import Posterior, SourcePrior, source_prior, with_evidence
from headstart.choose.profile import ProfileRow, interval_around
from headstart.choose.tried_head import TriedHead

__all__ = [
    "ArrayFeatures",
    "Choice",
    "Posterior",
    "ProfileRow",
    "Rows",
    "SourcePrior",
    "StageFeatures",
    "TriedHead",
    "choose_head",
    "interval_around",
    "source_prior",
    "with_evidence",
]
