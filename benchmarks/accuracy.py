"""`--freeze all` against what a careful engineer gets: `python -m benchmarks.accuracy`.

The reference column is the accuracy of frozen features and a logistic head as given with the data; one standard
error is that of the held-out part.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.work import EMODB, HYMENOPTERA, MINILM, MOBILENET, ROOT, SHARED, WHISPER, write_between

EFFICIENTNET = SHARED / "weights" / "tf_efficientnet_lite0.in1k"
E5 = SHARED / "weights" / "multilingual-e5-small-latin"
GE2E = SHARED / "weights" / "resemblyzer-ge2e"
DATA = SHARED / "data"


@dataclass(frozen=True)
class Row:
    """A data set, a source, and the accuracy to reach."""

    name: str
    data: Path
    source: Path
    reference: float
    options: dict[str, Any]


SPEAKERS = {"target": "speaker", "group": "sentence", "folds": 10}
EMOTIONS = {"target": "label", "group": "speaker", "folds": 10}
OWN = {"arch": f"{ROOT / 'examples' / 'ge2e.py'}:SpeakerEncoder"}
ROWS = (
    Row("hymenoptera, val, mobilenetv2", HYMENOPTERA, MOBILENET, 0.948, {}),
    Row("hymenoptera, val, efficientnet lite0", HYMENOPTERA, EFFICIENTNET, 0.928, {}),
    Row("chest_xray, test, mobilenetv2", DATA / "chest_xray", MOBILENET, 0.79, {}),
    Row("sst2, test, MiniLM", DATA / "sst2" / "sst2.csv", MINILM, 0.817, {}),
    Row("sst2, test, e5", DATA / "sst2" / "sst2.csv", E5, 0.855, {}),
    Row("trec, test, MiniLM", DATA / "trec" / "trec.csv", MINILM, 0.904, {}),
    Row("gnad10k, test, e5", DATA / "gnad10k" / "gnad10k.csv", E5, 0.77, {}),
    Row("emodb speakers, 10 folds by sentence, Whisper", EMODB, WHISPER, 0.95, SPEAKERS),
    Row("emodb emotions, 10 folds by speaker, Whisper", EMODB, WHISPER, 0.87, EMOTIONS),
    Row("emodb speakers, 10 folds by sentence, GE2E", EMODB, GE2E, 0.96, {**SPEAKERS, **OWN}),
)


def main() -> None:
    """Fit every row and print the table; it is written to docs/benchmarks.md too."""
    import headstart

    lines = [
        "| set, held-out part, source | reference | headstart | one standard error | head reads |",
        "|---|---|---|---|---|",
    ]
    gains, held = [], []
    with tempfile.TemporaryDirectory() as temporary:
        for row in ROWS:
            run = headstart.fit(
                row.data,
                str(row.source),
                out=Path(temporary) / "run",
                baseline=False,
                report=False,
                **row.options,
            )
            found = run.metrics["test"]["accuracy"]["value"]
            error = (found * (1 - found) / run.metrics["n_test"]) ** 0.5
            gains.append(found - row.reference)
            held.append(found >= row.reference - error)
            verification = run.metrics.get("verification")
            eer = f"; EER {verification['eer']['value']:.3f}" if verification else ""
            stages = " + ".join(run.metrics["chosen"]["head_stages"])
            lines.append(f"| {row.name} | {row.reference:.3f} | {found:.3f}{eer} | {error:.3f} | {stages} |")
            print(lines[-1], flush=True)
    lines += [
        "",
        f"Mean difference {sum(gains) / len(gains):+.4f}; within one standard error: {sum(held)} of {len(held)}.",
    ]
    print(lines[-1])
    write_between("accuracy", "\n".join(lines))
    (ROOT / "benchmarks" / "results").mkdir(exist_ok=True)
    (ROOT / "benchmarks" / "results" / "accuracy.json").write_text(json.dumps({"gains": gains}))


if __name__ == "__main__":
    main()
