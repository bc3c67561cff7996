"""The names of methods in options are those of the parts; a path in place of a column is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from headstart.adapt.alignments import ALIGNMENTS
from headstart.adapt.label_shift.correction import CORRECTIONS
from headstart.adapt.learners import LEARNERS, LOGISTIC
from headstart.adapt.method_names import BATCH_NORM, PARTS
from headstart.adapting.options import adapt_options, refuse_path_as_column
from headstart.adapting.procedure import run_adapt
from headstart.errors import OptionError


def test_help_names_every_part() -> None:
    learners = [name for name in LEARNERS if name != LOGISTIC.name]
    assert (*ALIGNMENTS, *learners, *CORRECTIONS, BATCH_NORM) == PARTS


def test_a_method_is_read_without_torch() -> None:
    code = "import sys; from headstart.adapt.method_names import Parts; Parts.of('bn'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("coral+standardise", "method coral.standardise: coral and standardise are 2 alignments"),
        ("infomax+mcc+infomax", "infomax and mcc and infomax are 3 learners"),
        ("Coral", "there is no method 'Coral'. Did you mean 'coral'"),
        ("auto+bn", "auto stands alone"),
        ("", "there is no method ''"),
    ],
)
def test_what_is_no_method_is_named(text: str, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        adapt_options(data="photos", target_data="drawings", method=text)


def test_a_path_after_target_is_the_other_domain(tmp_path: Path) -> None:
    (tmp_path / "new items").mkdir()
    place = str(tmp_path / "new items")
    with pytest.raises(
        OptionError, match=r"--target names the column .* headstart adapt photos '.*new items'"
    ):
        run_adapt(adapt_options(data="photos", target=place))
    refuse_path_as_column(adapt_options(data="photos", target="species"))
    refuse_path_as_column(adapt_options(data="photos", target=place, target_data="drawings"))
    refuse_path_as_column(adapt_options(data="photos", target=place, from_domain="a", to_domain="b"))
