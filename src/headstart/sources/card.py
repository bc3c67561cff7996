"""The licence of a source and the task it was pretrained on, from its own card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headstart.sources.links import check_inside


def licence_and_upstream(folder: Path, raw: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the licence and the upstream task, each None if neither card nor configuration names it.

    Args:
        folder: may hold a README.md that begins with the hub's metadata.
        raw: its config.json.
    """
    card = _metadata(folder / "README.md")
    own = {**raw, **_mapping(raw.get("pretrained_cfg"))}
    origin = _mapping(raw.get("source"))
    licences = (own.get("licence"), own.get("license"), card.get("license"), origin.get("licence"))
    licence = next((str(found) for found in licences if found), None)
    return licence, own.get("upstream") or _upstream(card, own)


def _upstream(card: Mapping[str, Any], own: Mapping[str, Any]) -> str | None:
    """Task and data sets of a card; for a classifier its number of classes."""
    task = card.get("pipeline_tag")
    n_classes = own.get("num_classes")
    if task is None and n_classes:
        task = f"classification, {n_classes:,} classes" if isinstance(n_classes, int) else "classification"
    datasets = card.get("datasets") or []
    names = [str(name) for name in ([datasets] if isinstance(datasets, str) else datasets)]
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    if task and listed:
        return f"{task} ({listed})"
    return str(task) if task else listed or None


def _metadata(path: Path) -> dict[str, Any]:
    """The YAML between the first two lines of dashes; {} if there is none that can be read."""
    import yaml

    if not path.is_file():
        return {}
    text = check_inside(path).read_text(encoding="utf-8", errors="replace")
    if not text.startswith("---"):
        return {}
    try:
        return _mapping(yaml.safe_load(text.split("\n---", 1)[0].removeprefix("---")))
    except yaml.YAMLError:
        return {}


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
