"""Every freeze policy, one row each: what it takes, what it trains, and its texts.

Everything that depends on a policy reads its row: parsing, the owner of what is frozen, rates, the table of
stages, the report, the model card, the help of `--freeze` and the table of docs/freezing.md. To add a policy
that trains other parameters, add a row here and, if no selection fits, a selection in selections.py.

A row with `opens(value, n_stages)` is a cut: it gives the indices of the stages that train,

    all       range(n, n)        first:K     range(K, n)        only:STAGE   range(s, s + 1)
    none      range(0, n)        last:K      range(n - K, n)    until:STAGE  range(s + 1, n)

with n the number of stages and s the index of STAGE. A row without `opens` says what trains after a cut, to
which it may be joined by a comma; without a cut it applies to all stages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from headstart.tune.adapters.kinds import Method
from headstart.tune.policies.selections import ADAPTER, BIAS, NORM, WHOLE, Selection

Value = Literal["", "K", "STAGE", "RANK"]
Chooser = Literal["gradients", "race"]


@dataclass(frozen=True)
class PolicyKind:
    """A freeze policy before it is read against the stages of a backbone.

    Attributes:
        name: what `--freeze` takes, without a value.
        trains: what trains besides the head, as text for the docs.
        value: what follows a colon: K, a number of stages; STAGE, a name; RANK, which may be left out.
        opens: which stages train, by the value and the number of stages; None: those after the cut it is joined
            to.
        alone: whether it cannot be joined to a cut.
        selection: which parameters of these stages train.
        adapter: the adapter that is put on their layers.
        gradual: whether the stages start to train one by one, from the last.
        from_probe: whether the head must start at the linear probe.
        chooses: how it chooses what trains: by "gradients" or by a "race"; None: it does not choose.
        done: the verb of the report: "headstart fine-tuned layer4 of ...".
        result: what the model card calls the result; empty: "trained by the policy `...`".
        by_stage: the policy that takes a stage's name instead of a number, for the hint of an error.
        aliases: other spellings.
    """

    name: str
    trains: str
    value: Value = ""
    opens: Callable[[int, int], range] | None = None
    alone: bool = False
    selection: Selection = WHOLE
    adapter: Method | None = None
    gradual: bool = False
    from_probe: bool = False
    chooses: Chooser | None = None
    done: str = "fine-tuned"
    result: str = ""
    by_stage: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """How it is written, such as "first:K" or "lora[:RANK]"."""
        if self.value == "RANK":
            return f"{self.name}[:RANK]"
        return f"{self.name}:{self.value}" if self.value else self.name


_ROWS = (
    PolicyKind(
        "all",
        "nothing; the head reads the stored features of the stages it is best on",
        opens=lambda _, n: range(n, n),
        result="a head on frozen features",
    ),
    PolicyKind("none", "every stage", opens=lambda _, n: range(n), result="the whole network trained"),
    PolicyKind(
        "first", "the stages after the first K", "K", opens=lambda k, n: range(k, n), by_stage="until"
    ),
    PolicyKind("until", "the stages after STAGE", "STAGE", opens=lambda s, n: range(s + 1, n)),
    PolicyKind("last", "the last K stages", "K", opens=lambda k, n: range(n - k, n), by_stage="only"),
    PolicyKind(
        "only",
        "that stage alone (surgical fine-tuning)",
        "STAGE",
        opens=lambda s, _: range(s, s + 1),
        alone=True,
    ),
    PolicyKind(
        "only:auto",
        "the stage with the largest relative gradient norm",
        alone=True,
        chooses="gradients",
    ),
    PolicyKind(
        "norm",
        "the scales and shifts of the normalisation layers; their statistics stay as they are",
        selection=NORM,
        done="trained the normalisation in",
    ),
    PolicyKind("bias", "the biases (BitFit)", selection=BIAS, done="trained the biases in"),
    PolicyKind(
        "lora",
        "low-rank additions to the weights of linear layers and convolutions (rank 8 if none is given); merged "
        "into the weights at the end",
        "RANK",
        selection=ADAPTER,
        adapter="lora",
        done="trained LoRA adapters in",
    ),
    PolicyKind(
        "dora",
        "as lora, with a magnitude per row of the weight",
        "RANK",
        selection=ADAPTER,
        adapter="dora",
        done="trained DoRA adapters in",
    ),
    PolicyKind(
        "ia3",
        "one gain per channel; merged into the weights at the end",
        selection=ADAPTER,
        adapter="ia3",
        done="trained IA3 adapters in",
    ),
    PolicyKind(
        "gradual",
        "the last stage in the first epoch, one stage more with each epoch (ULMFiT)",
        gradual=True,
    ),
    PolicyKind(
        "lp-ft",
        "every stage, starting from the linear probe even if a recipe says head_start: random",
        from_probe=True,
        aliases=("lpft", "lp_ft"),
    ),
    PolicyKind(
        "auto",
        "what a race within the --budget chooses on validation",
        alone=True,
        chooses="race",
    ),
)

CATALOGUE: dict[str, PolicyKind] = {kind.name: kind for kind in _ROWS}
"""The policies by name, in the order of the docs."""


def find_kind(term: str) -> PolicyKind | None:
    """The row of one term of a policy, such as "lora:8"; None if there is no such policy."""
    text = term.strip().lower()
    if text in CATALOGUE:  # "only:auto" is a policy of its own
        return CATALOGUE[text]
    name = text.partition(":")[0]
    return next((kind for kind in CATALOGUE.values() if name in (kind.name, *kind.aliases)), None)


def kind_of(policy: str) -> PolicyKind:
    """The row that says what trains under a policy: of "first:2,lora:8" that of lora.

    Raises:
        KeyError: there is no such policy.
    """
    kind = find_kind(policy.rpartition(",")[2])
    if kind is None:
        raise KeyError(policy)
    return kind


def usages() -> str:
    """How every policy is written, as a list in a sentence."""
    *others, last = [kind.usage for kind in CATALOGUE.values()]
    return f"{', '.join(others)} or {last}"


def result_words(policy: str) -> str:
    """What the model card calls the result of training under a policy."""
    return kind_of(policy).result or f"trained by the policy `{policy}`"
