"""Checkpointed stages: the same bits in gradients, statistics and dropout, for less memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from tune_networks import bits, chain, small_loop

from headstart.backbone import Backbone
from headstart.tune import Freeze
from headstart.tune.speedups.activation_checkpoints import Checkpointed

Made = tuple[Backbone, Any]


def resnet() -> Made:
    import timm

    network = timm.create_model("resnet18", num_classes=0, drop_path_rate=0.3)
    return Backbone(network), torch.randn(3, 3, 32, 32)


def convnext() -> Made:
    import timm

    network = timm.create_model("convnext_atto", num_classes=0, drop_path_rate=0.3)
    return Backbone(network), torch.randn(3, 3, 32, 32)


def vit() -> Made:
    import timm

    settings = {"img_size": 32, "patch_size": 8, "embed_dim": 24, "depth": 3, "num_heads": 2}
    network = timm.create_model("vit_tiny_patch16_224", num_classes=0, proj_drop_rate=0.2, **settings)
    return Backbone(network), torch.randn(3, 3, 32, 32)


def bert() -> Made:
    from transformers import BertConfig, BertModel

    network = BertModel(
        BertConfig(
            vocab_size=30, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32
        )
    )
    ids = torch.randint(0, 30, (3, 7))
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    return Backbone(network), {"input_ids": ids, "attention_mask": mask}


def wav2vec2() -> Made:
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    network = Wav2Vec2Model(
        Wav2Vec2Config(
            hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32, layerdrop=0.2,
            conv_dim=(8, 8), conv_stride=(5, 4), conv_kernel=(10, 8), num_feat_extract_layers=2,
            num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2, mask_time_prob=0.0,
        )
    )  # fmt: skip
    return Backbone(network), {"input_values": torch.randn(3, 800)}


def total(output: Any) -> Tensor:
    tensors = output.values() if isinstance(output, dict) else [output]
    return sum(t.square().sum() for t in tensors if isinstance(t, Tensor) and t.requires_grad)


def after_backward(
    make: Callable[[], Made], cut: int, how: str
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Gradients and tensors after one backward pass in train mode."""
    torch.manual_seed(0)
    backbone, inputs = make()
    freeze = Freeze(backbone, backbone.stages[:cut])
    state = backbone.prefix(inputs, cut) if cut else None
    trained = backbone.stages[cut:]
    checkpointed = Checkpointed(backbone, trained) if how == "checkpointed" else None
    freeze.train()
    torch.manual_seed(1)
    total(backbone(inputs) if state is None else backbone.suffix(state, cut)).backward()
    if checkpointed is not None:
        assert checkpointed.modules
        checkpointed.release()
    gradients = {n: p.grad for n, p in backbone.module.named_parameters() if p.grad is not None}
    return gradients, backbone.module.state_dict()


@pytest.mark.parametrize("make", [resnet, convnext, vit, bert, wav2vec2])
@pytest.mark.parametrize("cut", [0, 2])
def test_gradients_statistics_and_dropout_are_the_same_to_the_bit(make: Callable[[], Made], cut: int) -> None:
    plain, again = (after_backward(make, cut, how) for how in ("plain", "checkpointed"))
    for first, second in zip(plain, again, strict=True):
        assert first and first.keys() == second.keys()
        assert [name for name in first if not torch.equal(first[name], second[name])] == []


def test_statistics_of_batch_norm_move_once() -> None:
    backbone = chain()
    freeze = Freeze(backbone, ())
    checkpointed = Checkpointed(backbone, backbone.stages)
    freeze.train()
    backbone(torch.randn(8, 1, 6, 6)).sum().backward()
    norm = backbone.module.get_submodule("stem.1")
    assert norm.num_batches_tracked.item() == 1
    assert norm.num_batches_tracked is norm._buffers["num_batches_tracked"]
    checkpointed.release()


def test_releasing_leaves_every_module_as_it_was() -> None:
    backbone, _ = vit()
    own = backbone.module.blocks[0]
    own.__dict__["forward"] = kept = own.forward
    before = [dict(module.__dict__) for module in backbone.module.modules()]
    checkpointed = Checkpointed(backbone, backbone.stages)
    assert own.__dict__["forward"] is not kept
    checkpointed.release()
    checkpointed.release()
    after = [dict(module.__dict__) for module in backbone.module.modules()]
    assert [list(d) for d in before] == [list(d) for d in after] and own.__dict__["forward"] is kept


def test_without_gradients_nothing_is_run_twice() -> None:
    backbone = chain()
    Checkpointed(backbone, backbone.stages)
    calls: list[int] = []
    backbone.module.get_submodule("stem").register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        backbone(torch.randn(2, 1, 6, 6))
    assert len(calls) == 1


def test_a_chain_of_blocks_is_checkpointed_block_by_block_and_a_chain_of_layers_whole() -> None:
    backbone, _ = resnet()
    found = Checkpointed(backbone, [backbone.stages[-1]]).modules
    assert [type(module).__name__ for module in found] == ["BasicBlock", "BasicBlock"]
    layers = chain()
    assert all(type(module) is nn.Sequential for module in Checkpointed(layers, layers.stages[:3]).modules)


def test_a_training_ends_with_the_same_bits() -> None:
    loops = [small_loop(1, epochs=2), small_loop(1, epochs=2)]
    checkpointed = Checkpointed(loops[1].network.backbone, loops[1].network.backbone.stages[1:])
    for loop in loops:
        loop.run()
    checkpointed.release()
    first, second = (bits(loop) for loop in loops)
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


def test_what_is_kept_until_the_backward_pass_shrinks() -> None:
    def kept_bytes(how: str) -> int:
        torch.manual_seed(0)
        backbone, inputs = bert()
        if how == "checkpointed":
            Checkpointed(backbone, backbone.stages)
        backbone.module.train()
        kept: dict[int, int] = {}

        def pack(tensor: Tensor) -> Tensor:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            total(backbone(inputs))
        return sum(kept.values())

    assert kept_bytes("checkpointed") < 0.5 * kept_bytes("plain")
