"""Every option is declared once: command, signature, estimators, headstart.yaml and docs follow from it."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from sklearn.base import clone

import headstart
from headstart.cli.fit import fit as fit_command
from headstart.cli.options import help_of
from headstart.cli.options_page import page
from headstart.errors import OptionError
from headstart.fitting.options import FitOptions, LearnOptions, fit_options
from headstart.fitting.shared_options import GROUPS, seconds_of, shown

NAMES = list(FitOptions.model_fields)


def test_the_command_the_verb_and_the_estimators_take_what_is_declared() -> None:
    verb = inspect.signature(headstart.fit).parameters
    assert set(verb) == set(NAMES) and list(verb)[:2] == ["data", "source"]
    assert verb["batch_size"].kind is inspect.Parameter.KEYWORD_ONLY and verb["seed"].default == 0
    assert set(inspect.signature(fit_command).parameters) == {
        *NAMES, "config", "resume", "dry_run", "as_json", "quiet",
    }  # fmt: skip
    for estimator in (headstart.TransferClassifier, headstart.TransferRegressor):
        made = estimator("bundled:letters", "none", seed=3)
        assert made.get_params() == {
            **{name: field.default for name, field in LearnOptions.model_fields.items()},
            "source": "bundled:letters", "freeze": "none", "seed": 3,
        }  # fmt: skip
        assert clone(made).get_params() == made.get_params()
        with pytest.raises(TypeError, match="unexpected keyword argument 'folds'"):
            estimator(folds=3)  # type: ignore[call-arg]


@pytest.mark.parametrize("name", NAMES)
def test_an_option_has_words_and_a_place(name: str) -> None:
    field = FitOptions.model_fields[name]
    assert field.description and field.description.endswith(".") and shown(field).group in GROUPS
    assert (
        field.is_required()
        or isinstance(field.default, bool)
        or "[default: " in help_of(field)
        or (field.default is None)
    )


def test_the_docs_page_is_what_is_declared() -> None:
    written = Path(__file__).parents[2] / "docs" / "options.md"
    assert written.read_text(encoding="utf-8") == page(), "run python -m headstart.cli.options_page"


def test_all_faults_are_reported_at_once() -> None:
    with pytest.raises(OptionError) as told:
        headstart.fit("x", batch_sise=3, epochs=0, lr="fast")  # type: ignore[call-arg, arg-type]
    for words in ("no option 'batch_sise'", "batch_size", "option epochs", "option lr: "):
        assert words in str(told.value)
    assert str(told.value).count("\n") == 2, "one line per option"
    with pytest.raises(TypeError, match="multiple values for argument 'data'"):
        headstart.fit("x", data="y")  # type: ignore[misc]


def test_what_options_need_of_each_other() -> None:
    with pytest.raises(OptionError, match="needs a --budget"):
        fit_options(data="x", freeze="auto")
    with pytest.raises(OptionError, match="compile every candidate"):
        fit_options(data="x", freeze="auto", budget="5m", compile=True)
    assert fit_options(data="x", freeze="auto", budget="5m").budget_seconds == 300


def test_a_typo_in_a_policy_or_recipe_is_found_before_anything_is_read() -> None:
    with pytest.raises(OptionError, match="Did you mean 'first:3'"):
        fit_options(data="x", freeze="frist:3")
    with pytest.raises(OptionError, match="Did you mean 'few-shot'"):
        fit_options(data="x", recipe="few-shots")


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("1h", 3600), (" 5 ", 5)])
def test_times(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "-1s", "0", "inf", "1d"])
def test_what_is_not_a_time(text: str) -> None:
    with pytest.raises(OptionError, match="90s, 10m or 1h"):
        seconds_of(text)


def test_paths_are_kept_as_text_and_out_is_not_kept() -> None:
    options = fit_options(
        data=Path("a"), source=Path("b"), store=Path("c"), recipe=Path("d.yaml"), out=Path("e")
    )
    kept = options.model_dump()
    assert [kept[name] for name in ("data", "source", "store", "recipe")] == ["a", "b", "c", "d.yaml"]
    assert "out" not in kept and options.out == "e"
    assert fit_options(**kept).model_dump() == kept


def test_a_name_that_is_not_text_is_an_unknown_option(tmp_path: Path) -> None:
    from headstart.fitting.configuration import options_of_command

    (tmp_path / "headstart.yaml").write_text("data: x\n1: 2\n")
    with pytest.raises(OptionError, match="there is no option '1'"):
        options_of_command({}, tmp_path / "headstart.yaml", None)


def test_a_seed_that_numpy_cannot_take_is_refused() -> None:
    assert fit_options(data="x", seed=2**32 - 1).seed == 2**32 - 1
    with pytest.raises(OptionError, match="option seed: must be less than or equal to 4294967295"):
        fit_options(data="x", seed=2**32)


@pytest.mark.parametrize("value", ["x" * 300, "x" * 5_000, "~no-such-user/x", "a\0b", "", " "])
@pytest.mark.parametrize("name", ["data", "source", "recipe", "out", "store"])
def test_a_name_that_no_file_can_have_is_refused_at_once(name: str, value: str) -> None:
    with pytest.raises(OptionError) as told:
        fit_options(**{"data": "x", name: value})
    assert f"option {name}: " in str(told.value) and len(str(told.value)) < 300


def test_a_source_that_is_a_run_of_an_unknown_user() -> None:
    with pytest.raises(OptionError, match="no user with this home folder"):
        fit_options(data="x", source="run:~no-such-user/x")


@pytest.mark.parametrize("name", ["epochs", "seed", "threads", "lr", "batch_size", "folds"])
def test_a_truth_value_is_no_number(name: str) -> None:
    with pytest.raises(OptionError, match=f"option {name}: must not be true or false.*got True"):
        fit_options(data="x", **{name: True})


@pytest.mark.parametrize("seed", [-1, 2**32, 10**400])
def test_a_seed_that_no_generator_takes(seed: int) -> None:
    with pytest.raises(OptionError, match="option seed: ") as told:
        fit_options(data="x", seed=seed)
    assert len(str(told.value)) < 250
