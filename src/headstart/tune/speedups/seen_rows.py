"""Of an embedding table, train only the rows of tokens that the training items hold; the others stay as they are.

The row of a token that does not occur has no gradient: weight decay would only shrink it, yet every step
would read and write the row and its two moments. Word embeddings are half of MiniLM's parameters, and a small
data set has a fraction of the tokens.

    train_seen_rows(network, inputs, seen)     # the output is as before
    ...                                        # a training
    whole_again(network)                       # the tables whole, the trained rows in them
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbone import eval_mode
from headstart.data.preprocessing import Preprocessing, TextPreprocessing
from headstart.data.texts import encode_all

_MOST_SEEN = 0.5  # share of a table's rows; if nearly all rows are seen, little is saved


class SeenRows(nn.Module):
    """Stands in for an embedding table: `weight` is its seen rows, the others are looked up and never change.

    Args:
        table: the whole table; not changed until `whole`.
        rows: indices of the seen rows, each once, of shape (n_seen,), int64.
    """

    def __init__(self, table: nn.Embedding, rows: Tensor) -> None:
        super().__init__()
        place = torch.full((table.num_embeddings,), -1, device=rows.device)
        place[rows] = torch.arange(len(rows), device=rows.device)
        self.weight = nn.Parameter(table.weight.detach()[rows].clone(), table.weight.requires_grad)
        self._table = (
            table,
            rows,
            place,
        )  # in a tuple, it is not registered as a part of the module that trains
        self.training = table.training

    def forward(self, ids: Tensor) -> Tensor:
        """Rows of the table, of shape (*ids.shape, D)."""
        table, _, place = self._table
        places = place[ids]
        seen = functional.embedding(places.clamp(min=0), self.weight)
        return torch.where((places < 0)[..., None], functional.embedding(ids, table.weight.detach()), seen)

    @property
    def rows(self) -> Tensor:
        """Indices of the seen rows, of shape (n_seen,)."""
        return self._table[1]

    def whole(self) -> nn.Embedding:
        """The table, with the seen rows as they are now."""
        table, rows, _ = self._table
        with torch.no_grad():
            table.weight[rows] = self.weight
        return table


def tokens_of(items: Sequence[Any], preprocessing: Preprocessing) -> Tensor | None:
    """The token ids that items hold, each once, of shape (n,), int64; None if they are not texts."""
    if not isinstance(preprocessing, TextPreprocessing):
        return None
    encoded = encode_all([str(item) for item in items], preprocessing)
    return torch.from_numpy(np.unique(np.concatenate(encoded)).astype(np.int64))


def train_seen_rows(network: nn.Module, inputs: Mapping[str, Tensor], tokens: Tensor) -> None:
    """Put `SeenRows` in the place of the network's token embeddings, if that saves half a table or more.

    Args:
        network: changed in place, on its device; stage paths and parameter names stay.
        inputs: of a few items, with `input_ids`; a table that takes anything else is not a token embedding.
        tokens: ids that the training items hold.
    """
    for path, table in _token_tables(network, inputs):
        rows = (
            tokens if table.padding_idx is None else tokens[tokens != table.padding_idx]
        )  # which never trains
        if len(rows) <= _MOST_SEEN * table.num_embeddings:
            network.set_submodule(path, SeenRows(table, rows.to(table.weight.device)))


def seen_alone(network: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of the plain network in the form of this one: of each `SeenRows`, only the seen rows.

    Args:
        network: with or without `SeenRows`.
        weights: by name, tables whole.
    """
    seen = {f"{path}.weight": m.rows for path, m in network.named_modules() if isinstance(m, SeenRows)}
    return {name: tensor[seen[name].cpu()] if name in seen else tensor for name, tensor in weights.items()}


def whole_again(network: nn.Module) -> None:
    """Put the whole tables back in place, with their trained rows."""
    for path, module in list(network.named_modules()):
        if isinstance(module, SeenRows):
            network.set_submodule(path, module.whole())


def _token_tables(network: nn.Module, inputs: Mapping[str, Tensor]) -> Iterator[tuple[str, nn.Embedding]]:
    """The plain tables, shared with no other module, that are asked for the items' token ids and nothing else."""
    ids, asked = inputs["input_ids"], dict[nn.Module, bool]()

    def note(module: nn.Module, arguments: tuple[Any, ...]) -> None:
        asked[module] = asked.get(module, True) and len(arguments) == 1 and torch.equal(arguments[0], ids)

    tables = {path: module for path, module in network.named_modules() if _is_plain(module)}
    hooks = [table.register_forward_pre_hook(note) for table in tables.values()]
    try:
        with eval_mode(list(network.modules())), torch.no_grad():
            network(**inputs)
    finally:
        for hook in hooks:
            hook.remove()
    uses = [id(parameter) for _, parameter in network.named_parameters(remove_duplicate=False)]
    for path, table in tables.items():
        if asked.get(table) and uses.count(id(table.weight)) == 1:
            yield path, table


def _is_plain(module: nn.Module) -> bool:
    return (
        type(module) is nn.Embedding
        and module.max_norm is None
        and not (module.scale_grad_by_freq or module.sparse)
    )
