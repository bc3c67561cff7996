"""Whether a checkpoint can be resumed: its settings must be the present ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from headstart.errors import OptionError, shortened


def check_can_resume(saved: Mapping[str, Any], present: Mapping[str, Any], what: str | Path) -> None:
    """Refuse to resume with other settings.

    Args:
        saved: what was kept, as plain values by name.
        present: the settings now.
        what: the name of what is resumed, for the message.

    Raises:
        OptionError: naming everything that differs.
    """
    differing = list(_differing(saved, present))
    if differing:
        raise OptionError(
            f"cannot resume {what}: it was started with {'; '.join(differing)}. "
            "Resume with the same settings, or start a new run"
        )


def _differing(saved: Mapping[str, Any], present: Mapping[str, Any], within: str = "") -> Iterator[str]:
    """What differs, each as "name this, not that"; of nested settings, only those that differ."""
    for name in {**saved, **present}:
        was, is_ = saved.get(name), present.get(name)
        if was == is_:
            continue
        if isinstance(was, Mapping) and isinstance(is_, Mapping):
            yield from _differing(was, is_, f"{name} ")
        else:
            yield f"{within}{name} {_short(was)}, not {_short(is_)}"


def _short(value: Any) -> str:
    return shortened(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
