"""Adapt a classifier to a domain without labels, on stored features: alignments, learners, the choice among them."""

from headstart.adapt.affine import Affine, LinearClassifier
from headstart.adapt.domains import Domains
from headstart.adapt.method import Method

__all__ = ["Affine", "Domains", "LinearClassifier", "Method"]
