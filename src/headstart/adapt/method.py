"""An adaptation method: an alignment of the domains, a learner, a correction; each with its name in the method's text.

`standardise`, `infomax`, `standardise+infomax` and `standardise+infomax+bbse` are such texts: what is left out is no
alignment, logistic regression on the source, and no correction of class shares.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from headstart.adapt.affine import LinearClassifier
from headstart.adapt.alignments import ALIGNMENTS, NONE, Alignment
from headstart.adapt.domains import Domains
from headstart.adapt.label_shift.correction import CORRECTIONS, Correction
from headstart.adapt.learners import LEARNERS, LOGISTIC, Learner
from headstart.adapt.method_names import Parts


@dataclass(frozen=True)
class Method:
    """One method.

    Attributes:
        alignment: maps both domains into one space.
        learner: learns a classifier there.
        correction: gives the class shares that the target is taken to have; None: those that the domains have.
    """

    alignment: Alignment = NONE
    learner: Learner = LOGISTIC
    correction: Correction | None = None

    @classmethod
    def parse(cls, text: str) -> Method:
        """The method of a text on the features as they are given, so that "bn" has no effect on it.

        Args:
            text: such as "standardise+infomax".

        Raises:
            OptionError: a part is unknown, or two parts are of one kind.
        """
        parts = Parts.of(text)
        return cls(
            ALIGNMENTS[parts.alignment] if parts.alignment else NONE,
            LEARNERS[parts.learner] if parts.learner else LOGISTIC,
            CORRECTIONS[parts.correction] if parts.correction else None,
        )

    @property
    def name(self) -> str:
        """Its text; `none` if it neither aligns nor learns from the target."""
        parts = [self.alignment.name] if self.alignment is not NONE else []
        parts += [self.learner.name] if self.learner is not LOGISTIC else []
        parts += [self.correction.name] if self.correction is not None else []
        return "+".join(parts) or NONE.name

    @property
    def label(self) -> str:
        """Its name for a reader."""
        parts = [self.alignment.label] if self.alignment is not NONE else []
        parts += [self.learner.label] if self.learner is not LOGISTIC else []
        label = ", then ".join(parts) or "source only"
        return label if self.correction is None else f"{label}, {self.correction.label}"

    @property
    def uncorrected(self) -> Method:
        """The same without its correction."""
        return replace(self, correction=None)

    def corrected(self, domains: Domains) -> Domains:
        """The domains with the class shares that the correction gives the target.

        Args:
            domains: the source and target features.
        """
        if self.correction is None:
            return domains
        return self.correction.correct(
            domains, lambda each: self.alignment.align(each)[0], self.uncorrected.fit
        )

    def fit(self, domains: Domains) -> LinearClassifier:
        """Learn a classifier of target items.

        Args:
            domains: the source and target features.
        """
        aligned, affine = self.alignment.align(self.corrected(domains))
        return LinearClassifier.after(affine, *self.learner.learn(aligned))
