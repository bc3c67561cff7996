"""recipes: list, show, copy, check."""

from __future__ import annotations

from pathlib import Path

import pytest

from headstart.errors import OptionError
from headstart.verbs.recipes import check_recipe, copy_recipe, recipes, show_recipe


def test_the_list_has_a_line_a_recipe() -> None:
    lines = recipes().splitlines()
    assert any(line.startswith("bit-small ") for line in lines)
    assert len([line for line in lines if line.startswith("default-")]) == 3


def test_a_copy_is_the_same_and_never_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert copy_recipe("ulmfit") == Path("ulmfit.yaml")
    assert Path("ulmfit.yaml").read_text().rstrip("\n") == show_recipe("ulmfit")
    Path("ulmfit.yaml").write_text("mine")
    with pytest.raises(OptionError, match="exists already"):
        copy_recipe("ulmfit")
    assert Path("ulmfit.yaml").read_text() == "mine"
    (tmp_path / "folder").mkdir()
    assert copy_recipe("lp-ft", tmp_path / "folder") == tmp_path / "folder" / "lp-ft.yaml"
    with pytest.raises(OptionError, match="there is no folder"):
        copy_recipe("lp-ft", tmp_path / "none" / "x.yaml")


def test_a_check_tells_all_faults_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("epochs: 0\nlayer_decya: 0.9\nschedule: cosin\n")
    with pytest.raises(OptionError) as caught:
        check_recipe(path)
    for part in ("epochs", "Did you mean 'layer_decay'", "schedule", str(path)):
        assert part in str(caught.value)
    path.write_text("epochs: 2\n")
    assert "valid" in check_recipe(path)
    with pytest.raises(OptionError, match="cannot be read"):
        show_recipe(str(tmp_path / "absent.yaml"))
    with pytest.raises(OptionError, match="Did you mean"):
        show_recipe("ulmfi")


def test_a_recipe_that_is_wrong_is_not_shown_as_if_it_were_right(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("epochs: true\nfoo: 1\n")
    with pytest.raises(OptionError, match=r"(?s)epochs: input should not be true.*there is no setting 'foo'"):
        show_recipe(str(path))


@pytest.mark.parametrize("name", ["x" * 300, "~no-such-user/x.yaml", ""])
def test_a_name_that_no_file_can_have(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionError, match="the recipe"):
        show_recipe(name)
    with pytest.raises(OptionError, match="the new file"):
        copy_recipe("ulmfit", name)
    assert not list(tmp_path.iterdir())
