"""Train the suffix of a cut network with its weights sharded over processes (FSDP2), for networks that no one
device holds.

    torchrun --nproc_per_node 2 examples/fsdp.py SOURCE first:2
    accelerate launch --config_file examples/fsdp.yaml examples/fsdp.py SOURCE first:2

The frozen prefix runs once, as always; the blocks after the cut are sharded one by one. On two
processors with gloo the embeddings and gradients of all-MiniLM-L6-v2 are those of one process to the bit.
"""

from __future__ import annotations

import sys

import torch
import torch.distributed as distributed
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from headstart.sources import load_source
from headstart.tune import Policy
from headstart.tune.speedups.activation_checkpoints import pieces_of
from headstart.tune.training.network_copy import network_to_train

N_STEPS = 5


def main() -> None:
    source = load_source(sys.argv[1])
    policy = Policy.parse(sys.argv[2], tuple(source.stages))
    kind = "cuda" if torch.cuda.is_available() else "cpu"
    distributed.init_process_group("nccl" if kind == "cuda" else "gloo")
    number, n = distributed.get_rank(), distributed.get_world_size()
    if kind == "cuda":
        torch.cuda.set_device(number % torch.cuda.device_count())
    device = torch.device(kind)

    ids = torch.randint(5, 1000, (8, 16), generator=torch.Generator().manual_seed(0)).to(device)
    labels = (ids[:, 0] % 2).float()
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    backbone, freeze = network_to_train(source, policy, device=device, seed=0, inputs=inputs)
    torch.manual_seed(0)
    head = torch.nn.Linear(backbone(inputs).shape[1], 1).to(device)
    state = backbone.prefix(inputs, policy.resolved_cut)

    mesh = init_device_mesh(kind, (n,))
    for block in [*pieces_of(backbone, policy.trained), head]:
        fully_shard(block, mesh=mesh)
    parameters = [*freeze.trained_parameters().values(), *head.parameters()]
    sharded = [parameter for parameter in parameters if hasattr(parameter, "to_local")]
    optimizer = torch.optim.AdamW(sharded, lr=1e-4)
    own = slice(number, None, n)
    freeze.train(False)
    for step in range(N_STEPS):
        logits = head(backbone.suffix(state[own], policy.resolved_cut))[:, 0]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels[own])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        distributed.all_reduce(mean := loss.detach() / n)
        if number == 0:
            print(f"step {step + 1}: loss {mean:.6f}")
    here = sum(parameter.to_local().numel() for parameter in sharded)
    whole = sum(parameter.numel() for parameter in sharded)
    print(f"process {number} of {n} held {here:,} of {whole:,} trained numbers")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
