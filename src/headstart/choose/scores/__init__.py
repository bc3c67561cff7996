"""Transferability scores, one module each. To add one, write its module and name it here.

| score | classes | labels | quantity | needs | scored on at most |
|---|---|---|---|---|---|
| LogME, raw and standardised | yes | yes | yes | features | 5,000 items |
| cross-validated quality and loss | yes | yes | yes | features | 5,000 items |
| H-score, GBC, SFDA, 1-NN | yes | | | features | 5,000 items |
| N-LEEP, PARC | yes | | | features | 2,000 items |
| LEEP, NCE | yes | | | upstream probabilities | 20,000 items |
"""

from __future__ import annotations

from headstart.choose.scores.gbc import GBC
from headstart.choose.scores.hscore import HSCORE
from headstart.choose.scores.leep import LEEP
from headstart.choose.scores.logme import LOGME, LOGME_SCALED
from headstart.choose.scores.nce import NCE
from headstart.choose.scores.neighbours import NEIGHBOURS
from headstart.choose.scores.nleep import NLEEP
from headstart.choose.scores.parc import PARC
from headstart.choose.scores.probe import PROBE, PROBE_LOSS
from headstart.choose.scores.sample import Sample
from headstart.choose.scores.score import Score
from headstart.choose.scores.sfda import SFDA

SCORES: dict[str, Score] = {
    score.name: score
    for score in (
        LOGME_SCALED,
        LOGME,
        PROBE,
        PROBE_LOSS,
        PARC,
        HSCORE,
        NLEEP,
        GBC,
        SFDA,
        NEIGHBOURS,
        LEEP,
        NCE,
    )
}

__all__ = ["SCORES", "Sample", "Score"]
