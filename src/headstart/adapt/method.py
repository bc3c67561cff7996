"""An adaptation method: an alignment of the domains, then a learner; each with its name in the method's text.

`standardise`, `coral`, `infomax` and `standardise+infomax` are such texts: what is left out is no alignment, and
logistic regression on the source.
"""

from __future__ import annotations

from dataclasses import dataclass

from headstart.adapt.affine import LinearClassifier
from headstart.adapt.alignments import ALIGNMENTS, NONE, Alignment
from headstart.adapt.domains import Domains
from headstart.adapt.learners import LEARNERS, LOGISTIC, Learner
from headstart.errors import OptionError, did_you_mean


@dataclass(frozen=True)
class Method:
    """One method.

    Attributes:
        alignment: maps both domains into one space.
        learner: learns a classifier there.
    """

    alignment: Alignment = NONE
    learner: Learner = LOGISTIC

    @classmethod
    def parse(cls, text: str) -> Method:
        """The method of a text, such as "standardise+infomax".

        Raises:
            OptionError: a part is unknown, or two parts are of one kind.
        """
        alignments: list[Alignment] = []
        learners: list[Learner] = []
        for name in text.split("+"):
            if name in ALIGNMENTS:
                alignments.append(ALIGNMENTS[name])
            elif name in LEARNERS:
                learners.append(LEARNERS[name])
            else:
                known = (*ALIGNMENTS, *LEARNERS)
                raise OptionError(
                    f"there is no method '{name}'.{did_you_mean(name, known)} Known are {', '.join(known)}"
                )
        if len(alignments) > 1 or len(learners) > 1:
            raise OptionError(f"method {text}: at most one alignment and one learner can be joined by +")
        alignment, learner = (*alignments, NONE)[0], (*learners, LOGISTIC)[0]
        return cls(alignment, learner)

    @property
    def name(self) -> str:
        """Its text; `none` if it neither aligns nor learns from the target."""
        parts = [self.alignment.name] if self.alignment is not NONE else []
        parts += [self.learner.name] if self.learner is not LOGISTIC else []
        return "+".join(parts) or NONE.name

    @property
    def label(self) -> str:
        """Its name for a reader."""
        parts = [self.alignment.label] if self.alignment is not NONE else []
        parts += [self.learner.label] if self.learner is not LOGISTIC else []
        return ", then ".join(parts) or "source only"

    def fit(self, domains: Domains) -> LinearClassifier:
        """Learn a classifier of target items.

        Args:
            domains: the source and target features.
        """
        aligned, affine = self.alignment.align(domains)
        return LinearClassifier.after(affine, *self.learner.learn(aligned))
