"""What every freeze policy must satisfy: frozen parts do not change, the named parts train, and it resumes exactly.

Example:
    >>> check_policy("first:1").trained
    ('middle', 'last')
"""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path

import torch
from torch import Tensor, nn

from headstart.backbone import Backbone
from headstart.features import Setting, Store
from headstart.testing.close import require, require_same_bits
from headstart.testing.small_source import CLASSES, SIZE, STAGES, small_part, small_source
from headstart.tune.adapters.attach import attach
from headstart.tune.policies.catalogue import CATALOGUE, kind_of, usages
from headstart.tune.policies.freeze import Freeze
from headstart.tune.policies.policy import Policy
from headstart.tune.policies.selections import WHOLE
from headstart.tune.policies.stage_table import as_table, policy_rows
from headstart.tune.recipes.recipe import Recipe
from headstart.tune.training.result import Trained
from headstart.tune.training.training import Training

N_EPOCHS = 3  # as many as there are stages, so that a gradual policy opens them all


def check_policy(text: str) -> Policy:
    """Check a freeze policy on a small network with the stages stem, middle and last.

    A policy that may be joined to a cut is checked so too, as "first:1,POLICY".

    Args:
        text: as `--freeze` takes it, such as "first:1", "only:middle" or "lora:2".

    Returns:
        The policy.

    Raises:
        AssertionError: a check fails; the message says which, and for which stage or tensor.
    """
    policy = _check_text(text)
    texts = [policy.text]
    if policy.kind.opens is None and not policy.kind.alone and "," not in policy.text:
        texts.append(f"first:1,{policy.text}")
    for each in texts:
        one = _check_text(each)
        freeze = None
        if one.trained and one.cut is not None:
            freeze = _check_release(one)
            with tempfile.TemporaryDirectory() as folder:
                _check_training(one, Path(folder))
        _check_rows(one, freeze)
    return policy


def _check_text(text: str) -> Policy:
    """The text is read, and what is read says the same."""
    policy = Policy.parse(text, STAGES)
    kind = policy.kind
    require(Policy.parse(policy.text, STAGES) == policy, f"'{policy.text}' is not read as it is written")
    require(
        Policy.parse(f" {text} ", STAGES) == policy, f"'{text}' is read in another way with spaces around"
    )
    require(CATALOGUE.get(kind.name) is kind, f"'{kind.name}' has another key in the catalogue")
    require(
        kind_of(policy.text) is kind, f"'{policy.text}' is another row of the catalogue than '{kind.name}'"
    )
    require(kind.usage in usages(), f"the messages do not offer '{kind.usage}'")
    require(
        bool(kind.trains) and bool(kind.done), f"'{kind.name}': `trains` and `done` are words for a reader"
    )
    require(
        (policy.cut is None) == (kind.chooses is not None), f"'{text}': a policy that chooses has no cut yet"
    )
    below = () if policy.cut is None else STAGES[: policy.cut]
    trained_below = [stage for stage in policy.trained if stage in below]
    require(not trained_below, f"'{text}' trains {trained_below} below its cut, whose output is stored")
    return policy


def _check_rows(policy: Policy, freeze: Freeze | None) -> None:
    """The table has a typed row per stage, and one of the head."""
    network = small_source().network
    n_parameters = [sum(p.numel() for p in network.get_submodule(name).parameters()) for name in STAGES]
    recipe = _recipe()
    rows = policy_rows(policy, freeze, recipe, n_parameters)
    require([row.stage for row in rows] == [*STAGES, "head"], f"rows of {[row.stage for row in rows]}")
    for row in rows[:-1]:
        where = f"the row of {row.stage} under '{policy.text}'"
        n_trained = 0 if freeze is None or row.stage not in policy.trained else freeze.n_trained(row.stage)
        require(
            row.trains == (n_trained > 0), f"{where}: trains is {row.trains}, and {n_trained} parameters do"
        )
        require(row.n_trained == n_trained, f"{where}: n_trained is {row.n_trained}, not {n_trained}")
        expected = policy.selection.name if n_trained else ""
        require(row.what == expected, f"{where}: what is {row.what!r}, expected {expected!r}")
        require((row.rate is not None and row.rate > 0) == row.trains, f"{where}: its rate is {row.rate}")
        require(bool(row.fate), f"{where} has no words")
    require(len(as_table(rows).splitlines()) == len(rows) + 1, "a row of the table is not one line")


def _check_release(policy: Policy) -> Freeze:
    """Frozen parts do not change in a forward pass in train mode; after release the network is as before."""
    source = small_source()
    network = copy.deepcopy(source.network)
    pixels = torch.randn(4, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    if policy.adapter is not None:
        attach(network, source.stages, policy.trained, policy.adapter, 0, {"pixels": pixels})
    flags = {name: parameter.requires_grad for name, parameter in network.named_parameters()}
    before = {name: tensor.clone() for name, tensor in _tensors(network).items()}
    later = policy.stages[policy.resolved_cut : policy.cut_at(1)]
    freeze = Freeze(Backbone(network, source.stages), policy.frozen, policy.selection, later)
    network.train()
    for stage in policy.frozen:
        require(
            not network.get_submodule(stage).training,
            f"{stage} is frozen, and network.train() puts it in train mode",
        )
    network(pixels).square().sum().backward()
    kept = {name: before[name] for name in freeze.frozen_tensors}
    now = _tensors(network)
    require_same_bits(
        {name: now[name] for name in kept}, kept, f"'{policy.text}': frozen, after a forward pass"
    )
    for name, parameter in network.named_parameters():
        trains = name in freeze.trained_parameters()
        require(parameter.requires_grad == trains, f"'{name}': requires_grad is {parameter.requires_grad}")
    freeze.release()
    for name, parameter in network.named_parameters():
        require(parameter.requires_grad == flags[name], f"released: requires_grad of '{name}' has changed")
    awake = [path for path, module in network.named_modules() if module.training]
    require(not awake, f"released: {awake[:3]} were in eval mode, and are in train mode")
    network.train()
    asleep = [path for path, module in network.named_modules() if not module.training]
    require(not asleep, f"released: {asleep[:3]} do not follow network.train()")
    return freeze


def _check_training(policy: Policy, folder: Path) -> None:
    """Frozen tensors keep their bits through a training, the others move, and it can be stopped and resumed."""
    source = {name: tensor.clone() for name, tensor in small_source().network.state_dict().items()}
    training = _training(policy, folder)
    before = {name: tensor.clone() for name, tensor in _tensors(training.backbone.module).items()}
    whole = training.run()
    after, frozen = _tensors(training.backbone.module), training.freeze.frozen_tensors
    what = f"'{policy.text}': frozen, after training"
    require_same_bits({n: after[n] for n in frozen}, {n: before[n] for n in frozen}, what)
    require(set(whole.state_dict) == set(source), "the result has other tensors than the source: merge them")
    moved = {name for name in source if not torch.equal(whole.state_dict[name], source[name])}
    outside = sorted(name for name in moved if name.partition(".")[0] not in policy.trained)
    require(not outside, f"'{policy.text}' changes {outside[:3]}, of stages that it does not train")
    if policy.selection != WHOLE and policy.adapter is None:
        others = sorted(moved - policy.selection.parameters(small_source().network))
        require(not others, f"'{policy.text}' changes {others[:3]}, which its selection does not name")
    still = [
        stage
        for stage in policy.trained
        if training.freeze.n_trained(stage) and not any(name.startswith(f"{stage}.") for name in moved)
    ]
    require(bool(moved) and not still, f"'{policy.text}' leaves {still or policy.trained} as they were")
    _check_resume(policy, folder, whole)


def _check_resume(policy: Policy, folder: Path, whole: Trained) -> None:
    """A training that is stopped after an epoch and resumed ends with the same bits."""
    _training(policy, folder, folder / "run").run(until_epoch=1)
    resumed = _training(policy, folder, folder / "run").run(resume=True)
    require(resumed.stopped_because == whole.stopped_because, f"resumed, it ends: {resumed.stopped_because}")
    require_same_bits(resumed.state_dict, whole.state_dict, f"'{policy.text}': resumed after an epoch")
    require_same_bits(resumed.head.tensors(), whole.head.tensors(), f"'{policy.text}': the head, resumed")


def _training(policy: Policy, folder: Path, run: Path | None = None) -> Training:
    return Training(
        small_source(),
        small_part(),
        None,
        CLASSES,
        policy=policy,
        recipe=_recipe(),
        store=Store(folder / "store"),
        setting=Setting(torch.device("cpu"), "fp32", 1),
        folder=run,
        checkpoint_seconds=0.0,
    )


def _recipe() -> Recipe:
    return Recipe.for_modality("image", epochs=N_EPOCHS, batch_size=8, lr=1e-2, head_lr=1e-2, patience=99)


def _tensors(network: nn.Module) -> dict[str, Tensor]:
    return {**dict(network.named_parameters()), **dict(network.named_buffers())}
