"""Compare the installed packages with the advisories of the index by pip-audit; exit code 1 if one is known.

An index without advisories answers "not found" for every package, and an index that cannot be reached gives no report.
Both are reported as skipped, not as "nothing found".
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any


def verdict(report: dict[str, Any] | None) -> tuple[str, int]:
    """Return the message and the exit code for what pip-audit wrote; None: nothing."""
    packages = [] if report is None else report["dependencies"]
    audited = [package for package in packages if "vulns" in package]
    if not audited:
        return "skipped: the index gives no advisories here", 0
    known = [
        f"{package['name']} {package['version']}: {found['id']}, fixed in {', '.join(found['fix_versions']) or 'none'}"
        for package in audited
        for found in package["vulns"]
    ]
    return "\n".join(
        [*known, f"{len(audited)} of {len(packages)} packages audited, {len(known)} advisories"]
    ), int(bool(known))


def main() -> int:
    """Run pip-audit on this environment, print the verdict, and return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        command = [
            sys.executable,
            "-m",
            "pip_audit",
            "--skip-editable",
            "--progress-spinner=off",
            "-f=json",
            f"-o={path}",
        ]
        subprocess.run(command, capture_output=True, check=False)
        report = (
            json.loads(path.read_text(encoding="utf-8")) if path.is_file() and path.stat().st_size else None
        )
    message, code = verdict(report)
    print(message)
    return code


if __name__ == "__main__":
    sys.exit(main())
