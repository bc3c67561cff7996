"""The licence of a source and the task it was pretrained on, from its own card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headstart.errors import InputError, parsing
from headstart.files import read_regular
from headstart.sources.links import check_inside
from headstart.yaml_files import settings_of

_MOST = 200  # characters of a text, and texts of a list


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
        classes = f", {n_classes:,} classes" if isinstance(n_classes, int) else ""
        task = f"classification{classes}"
    datasets = card.get("datasets") or []
    names = [str(name) for name in ([datasets] if isinstance(datasets, str) else datasets)]
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    if task and listed:
        return f"{task} ({listed})"
    return str(task) if task else listed or None


def _metadata(path: Path) -> dict[str, str | list[str]]:
    """Texts and lists of texts in the YAML between the first two lines of dashes; {} if it cannot be read."""
    if not path.is_file():
        return {}
    check_inside(path)
    try:
        with parsing(path, "a card", "its licence is not known"):
            content = read_regular(path)
        if not content.startswith(b"---"):
            return {}
        found = settings_of(content.removeprefix(b"---").split(b"\n---", 1)[0], str(path), "the card")
    except InputError:
        return {}
    texts = {name: value[:_MOST] for name, value in found.items() if isinstance(value, str)}
    lists = {name: value for name, value in found.items() if isinstance(value, list)}
    return texts | {
        name: [one[:_MOST] for one in values if isinstance(one, str)][:_MOST]
        for name, values in lists.items()
    }


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
