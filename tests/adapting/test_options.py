"""The names of methods in options are those of the parts; a path in place of a column is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from headstart.adapt.alignments import ALIGNMENTS
from headstart.adapt.catalogue import BATCH_NORM
from headstart.adapt.label_shift.correction import CORRECTIONS
from headstart.adapt.learners import LEARNERS, LOGISTIC
from headstart.adapting.method_names import PARTS
from headstart.adapting.options import adapt_options, refuse_path_as_column
from headstart.adapting.procedure import run_adapt
from headstart.errors import OptionError


def test_help_names_every_part() -> None:
    learners = [name for name in LEARNERS if name != LOGISTIC.name]
    assert (*ALIGNMENTS, *learners, *CORRECTIONS, BATCH_NORM) == PARTS


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
