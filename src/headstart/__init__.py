"""headstart gives a model a head start: transfer learning with evidence.

import headstart

run = headstart.fit("photos", source="timm:resnet50.a1_in1k", out="runs/photos")
run.predict("new_photos")
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headstart.adapting.result import Adaptation
    from headstart.auditing.result import Audit
    from headstart.backbone import Backbone
    from headstart.calibrating.result import Calibration
    from headstart.errors import HeadstartError
    from headstart.estimators import TransferAdapter, TransferClassifier, TransferRegressor
    from headstart.evaluating.result import Evaluation
    from headstart.explaining.result import Explanations
    from headstart.ranking.result import Ranking
    from headstart.runs.run import Run
    from headstart.sources import Source, load_source
    from headstart.verbs.adapt import adapt
    from headstart.verbs.audit import audit
    from headstart.verbs.cache import cache
    from headstart.verbs.calibrate import calibrate
    from headstart.verbs.demo import demo
    from headstart.verbs.evaluate import evaluate
    from headstart.verbs.explain import explain
    from headstart.verbs.export import export
    from headstart.verbs.fit import fit
    from headstart.verbs.load import load
    from headstart.verbs.predict import predict
    from headstart.verbs.push import push
    from headstart.verbs.rank import rank
    from headstart.verbs.report import report

# Names are imported when they are first used: `import headstart` loads no library.
_HOMES = {
    "Adaptation": "headstart.adapting.result",
    "Audit": "headstart.auditing.result",
    "Backbone": "headstart.backbone",
    "Calibration": "headstart.calibrating.result",
    "Evaluation": "headstart.evaluating.result",
    "Explanations": "headstart.explaining.result",
    "HeadstartError": "headstart.errors",
    "Ranking": "headstart.ranking.result",
    "Run": "headstart.runs.run",
    "Source": "headstart.sources",
    "TransferAdapter": "headstart.estimators",
    "TransferClassifier": "headstart.estimators",
    "TransferRegressor": "headstart.estimators",
    "adapt": "headstart.verbs.adapt",
    "audit": "headstart.verbs.audit",
    "cache": "headstart.verbs.cache",
    "calibrate": "headstart.verbs.calibrate",
    "demo": "headstart.verbs.demo",
    "evaluate": "headstart.verbs.evaluate",
    "export": "headstart.verbs.export",
    "explain": "headstart.verbs.explain",
    "fit": "headstart.verbs.fit",
    "load": "headstart.verbs.load",
    "load_source": "headstart.sources",
    "predict": "headstart.verbs.predict",
    "push": "headstart.verbs.push",
    "rank": "headstart.verbs.rank",
    "report": "headstart.verbs.report",
}

__all__ = [
    "Adaptation",
    "Audit",
    "Backbone",
    "Calibration",
    "Evaluation",
    "Explanations",
    "HeadstartError",
    "Ranking",
    "Run",
    "Source",
    "TransferAdapter",
    "TransferClassifier",
    "TransferRegressor",
    "adapt",
    "audit",
    "cache",
    "calibrate",
    "demo",
    "evaluate",
    "explain",
    "export",
    "fit",
    "load",
    "load_source",
    "predict",
    "push",
    "rank",
    "report",
]


class _Package(types.ModuleType):
    """The package; a subpackage with the name of a verb (`report`) does not replace the verb."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _HOMES or not isinstance(value, types.ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'headstart' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
