"""Made-up finished runs."""

from __future__ import annotations

from typing import Any

from headstart.past_runs import FinishedRun

RUN = FinishedRun(
    finished="2026-01-02T03:04:05Z",
    headstart="0.1.0",
    data_digest="d0",
    modality="image",
    task="classification",
    n_items=100,
    n_classes=2,
    item_size=224.0,
    source="timm:resnet18.a1_in1k",
    source_digest="s0",
    preprocessing_digest="p0",
    n_parameters=11_176_512,
    policy="all",
    n_train=80,
    n_test=20,
    metric="accuracy",
    value=0.9,
    low=0.7,
    high=0.97,
    head_alone=0.85,
    head_alone_low=0.64,
    head_alone_high=None,
)


def run(**changes: Any) -> FinishedRun:
    """A finished run with some values of its own."""
    from dataclasses import replace

    return replace(RUN, **changes)
