"""Names are cut so that they fit and stay different."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headstart.report.terminal import cut, fitting

names = st.lists(st.text("ab", min_size=1, max_size=30), min_size=1, max_size=5, unique=True)


@given(names, st.integers(6, 20))
def test_names_that_are_cut_stay_different(found: list[str], width: int) -> None:
    letters = [chr(65 + k) for k in range(len(found))]
    short = fitting(found, width, letters)
    assert len(set(short)) == len(found) and all(len(name) <= width for name in short)
    assert all(
        name == whole
        for name, whole in zip(short, found)
        if len(whole) <= width and "…" not in "".join(short)
    )


def test_a_cut_keeps_more_of_the_end() -> None:
    assert cut("mobilenetv2_100.tf2_ptq_in1k", 16) == "mobil…2_ptq_in1k"
    assert cut("abcdefghij", 6) == "ab…hij" and cut("abcdef", 6) == "abcdef"
