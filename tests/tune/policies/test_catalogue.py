"""The catalogue: a policy that is added to it works everywhere, and the docs say what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from tune_networks import States, chain, labelled_loop, pictures

from headstart.errors import OptionError
from headstart.tune import Freeze, Policy, Recipe
from headstart.tune.feeds.feed import Labelled
from headstart.tune.feeds.stored import StoredFeed
from headstart.tune.loop.setup import Network
from headstart.tune.policies.catalogue import CATALOGUE, PolicyKind, find_kind, kind_of, result_words, usages
from headstart.tune.policies.selections import Selection
from headstart.tune.policies.stage_table import as_table, policy_rows

DOCS = Path(__file__).parents[3] / "docs" / "freezing.md"
README = Path(__file__).parents[3] / "README.md"


def kernels(network: nn.Module) -> frozenset[str]:
    """The weights of the convolutions."""
    return frozenset(name for name, parameter in network.named_parameters() if parameter.ndim == 4)


NEW = PolicyKind(
    "kernels",
    "the weights of the convolutions",
    selection=Selection("kernels", kernels, 3.0, "kernels", "convolution"),
    done="trained the kernels in",
    result="a network with its kernels trained",
)


def test_a_new_policy_is_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is parsed, joined, trained under, shown, described and offered in help and messages."""
    monkeypatch.setitem(CATALOGUE, "kernels", NEW)
    backbone, (x, labels) = chain(), pictures()
    policy = Policy.parse("first:1,kernels", backbone.stages)
    assert (policy.text, policy.cut, policy.what, policy.rate) == ("first:1,kernels", 1, "kernels", 3.0)
    freeze = Freeze(backbone, policy.frozen, policy.selection)
    before = {name: tensor.clone() for name, tensor in backbone.module.state_dict().items()}
    recipe = Recipe(lr=0.1, head_lr=0.1, steps=1, warmup_share=0, batch_size=16)
    feed = StoredFeed([States(backbone, x, 1)], 1, backbone)
    labelled_loop(Network(backbone, freeze, policy), Labelled(feed, labels), None, recipe).run()
    after = backbone.module.state_dict()
    assert {name for name in before if not torch.equal(before[name], after[name])} == {
        "block1.0.weight",
        "block2.0.weight",
    }
    table = as_table(policy_rows(policy, freeze, recipe, [52, 234, 216, 72])).splitlines()
    assert table[1].endswith("frozen") and table[2].endswith("kernels alone, 216 of 234, at 0.1")
    assert table[4].endswith("frozen (it has no kernels)")
    assert kind_of(policy.text).done == "trained the kernels in"
    assert result_words("first:1,kernels") == "a network with its kernels trained"
    assert "kernels" in usages()
    with pytest.raises(OptionError, match="Did you mean 'kernels'"):
        Policy.parse("kernel", backbone.stages)
    with pytest.raises(OptionError, match="the stages block3 have no convolution"):
        Freeze(chain(), backbone.stages[:3], policy.selection)


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=lambda kind: kind.name)
def test_every_row_is_found_by_what_the_user_writes(kind: PolicyKind) -> None:
    written = kind.usage.replace("[:RANK]", ":4").replace(":K", ":1").replace(":STAGE", ":b")
    assert find_kind(written) is kind and find_kind(f" {written.upper()} ") is kind
    assert all(find_kind(alias) is kind for alias in kind.aliases)
    policy = Policy.parse(written, ("a", "b", "c"))
    assert policy.kind is kind and kind_of(policy.text) is kind
    assert (policy.cut is None) == (kind.chooses is not None)


def test_what_is_not_there() -> None:
    assert find_kind("norms") is None
    with pytest.raises(KeyError):
        kind_of("first:2,norms")


def rows_of_table(text: str) -> dict[str, str]:
    """Policy -> what it trains, of a table of the docs; links as their text."""
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)
    return dict(re.findall(r"^\| `([^`]+)`(?: \(default\))? \| (.*) \|$", plain, flags=re.MULTILINE))


def test_the_docs_table_is_the_catalogue() -> None:
    text = DOCS.read_text(encoding="utf-8").split("<!-- policies -->")[0]
    said = {usage: trains.replace("`", "") for usage, trains in rows_of_table(text).items()}
    assert said == {kind.usage: kind.trains for kind in CATALOGUE.values()}


def test_the_readme_names_every_policy() -> None:
    section = (
        README.read_text(encoding="utf-8").split("`--freeze` says what trains")[1].split("`--recipe`")[0]
    )
    named = {word.removesuffix(" --budget 5m") for word in re.findall(r"`([^`]+)`", section)}
    assert {kind.usage for kind in CATALOGUE.values()} <= named


def test_every_policy_in_the_docs_exists() -> None:
    root = README.parent
    pages = [README, *(root / "docs").glob("*.md"), *(root / "src/headstart/tune/recipes").glob("*.yaml")]
    written = [
        (page.name, term)
        for page in pages
        for policy in re.findall(r"--freeze ([a-z][\w:.,-]*)", page.read_text(encoding="utf-8"))
        for term in policy.rstrip(".:,").split(",")
    ]
    assert len(written) > 20
    assert not [(page, term) for page, term in written if find_kind(term) is None]


@given(st.data())
def test_a_policy_splits_the_stages(data: st.DataObject) -> None:
    """Whatever is written: what is frozen and what trains are all stages, and the cut is where training begins."""
    stages = tuple(f"s{index}" for index in range(data.draw(st.integers(1, 6))))
    kind = data.draw(st.sampled_from([kind for kind in CATALOGUE.values() if not kind.chooses]))
    values = {"": "", "RANK": ":3", "K": f":{data.draw(st.integers(0, len(stages)))}"}
    value = values.get(kind.value, f":{data.draw(st.sampled_from(stages))}")
    policy = Policy.parse(kind.name + value, stages)
    assert policy.cut is not None
    assert policy.trained == stages[policy.cut : policy.cut + len(policy.trained)]
    assert kind.gradual or {*policy.frozen, *policy.trained} == set(stages)
    assert kind.gradual or not {*policy.frozen} & {*policy.trained}
    assert Policy.parse(policy.text, stages) == policy


def test_the_catalogue_is_read_without_torch() -> None:
    """The help of the command reads it."""
    code = "import sys, headstart.tune.policies.catalogue as c; c.usages(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
