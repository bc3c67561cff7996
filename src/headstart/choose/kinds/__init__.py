"""The kinds of heads that are tried, one module each. To add one, write its module and name it here."""

from __future__ import annotations

from headstart.choose.kinds.kind import HeadKind
from headstart.choose.kinds.logistic import LOGISTIC
from headstart.choose.kinds.ridge import RIDGE

KINDS: dict[str, HeadKind] = {kind.name: kind for kind in (RIDGE, LOGISTIC)}

__all__ = ["KINDS", "LOGISTIC", "RIDGE", "HeadKind"]
