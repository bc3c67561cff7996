"""audit: how much transfer helps on the data at hand, over the number of labels, and when it hurts."""

from __future__ import annotations

from typing import Any

from headstart.auditing.options import AuditOptions, audit_options
from headstart.auditing.procedure import run_audit
from headstart.auditing.result import Audit
from headstart.fitting.signatures import takes


@takes(AuditOptions)
def audit(**options: Any) -> Audit:
    """Measure what transfer gains: accuracy, labels and time, against doing without pretrained weights.

    Args:
        data: a folder, a table, an npz file or a hub id; or a pandas DataFrame, a Dataset
            or DatasetDict of `datasets`, or a list of (item, label).
        source: `timm:NAME`, `hf:NAME`, a folder, a file, `run:RUN` or `bundled:letters`; None: the default of
            the data's modality.
        options: every other option by name, such as labels="20,50,all" (docs/options.md).

    Returns:
        The audit.

    Raises:
        InputError: anything about the data, a source or the options is wrong.
    """
    return run_audit(audit_options(**options))
