"""Conformance suites: what a member of each family must satisfy; call them from a test of your own member.

Each `check_...` makes the small data and networks it needs, and raises an AssertionError that says what failed and
by how much. CONTRIBUTING.md says which files to touch to add a member.
"""

from headstart.testing.adaptation import check_alignment, check_learner, check_method
from headstart.testing.backbone import check_backbone
from headstart.testing.head import check_head, check_head_kind
from headstart.testing.layout import check_layout
from headstart.testing.metric import check_metric
from headstart.testing.objective import check_objective
from headstart.testing.policy import check_policy
from headstart.testing.score import check_score

__all__ = [
    "check_alignment",
    "check_backbone",
    "check_head",
    "check_head_kind",
    "check_layout",
    "check_learner",
    "check_method",
    "check_metric",
    "check_objective",
    "check_policy",
    "check_score",
]
