"""Items that cannot be read: reported, and left out if they are few."""

from __future__ import annotations

import numpy as np

from headstart.data.examples import Examples
from headstart.data.findings import Finding, about
from headstart.data.listing import HOW_TO_FOLLOW, LEADS_OUT
from headstart.data.scanning import Scan
from headstart.errors import DataError
from headstart.units import UNITS

MAX_UNREADABLE = 0.05


def check_unreadable(examples: Examples, scan: Scan, max_share: float = MAX_UNREADABLE) -> list[Finding]:
    """Items that cannot be read: an error if they are more than a share, else a warning; [] if all can be read.

    Args:
        examples: N items.
        scan: what one pass over them found.
        max_share: of the items that may be left out.
    """
    n_bad = len(scan.problems)
    if not n_bad:
        return []
    fatal = n_bad > max_share * len(examples)
    message = f"{n_bad:,} of {len(examples):,} {UNITS[examples.modality]} cannot be read: "
    message += f"{_problems(examples, scan)}. "
    message += f"More than {max_share:.0%}: {_remedy(scan)}." if fatal else "They are left out."
    names = [str(examples.names[i]) for i in scan.problems]
    return [about("unreadable", "error" if fatal else "warning", message, names)]


def drop_unreadable(
    examples: Examples, scan: Scan, max_share: float = MAX_UNREADABLE
) -> tuple[Examples, Scan]:
    """Leave out the items that cannot be read, if they are few.

    Args:
        examples: N items.
        scan: what one pass over them found.
        max_share: of the items that may be left out.

    Returns:
        Examples and scan of the readable items.

    Raises:
        DataError: more than the share cannot be read, or a class vanishes with it.
    """
    if not scan.problems:
        return examples, scan
    if len(scan.problems) > max_share * len(examples):
        raise DataError(check_unreadable(examples, scan, max_share)[0].message)
    keep = np.setdiff1d(np.arange(len(examples)), np.fromiter(scan.problems, dtype=np.int64))
    kept = examples.take(keep)
    gone = sorted(set(examples.classes) - set(kept.classes))
    if gone:
        raise DataError(f"no item of class {', '.join(gone)} can be read: {_problems(examples, scan)}.")
    return kept, scan.take(keep)


def _remedy(scan: Scan) -> str:
    outside = [text.startswith(LEADS_OUT) for text in scan.problems.values()]
    if not any(outside):
        return "repair them or remove them"
    move = f"move files that lie outside into the data folder, or, if this is meant, {HOW_TO_FOLLOW}"
    return move if all(outside) else f"{move}; repair the others or remove them"


def _problems(examples: Examples, scan: Scan) -> str:
    shown = [f"{examples.names[i]} ({text})" for i, text in list(scan.problems.items())[:3]]
    return "; ".join(shown) + (f" and {len(scan.problems) - 3:,} more" if len(scan.problems) > 3 else "")
