"""Small networks of many architectures, with batch norm, dropout, drop path, layer drop and shared weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from headstart.backbone import Backbone

Inputs = Tensor | dict[str, Tensor]
N_ITEMS = 6


class Mean(nn.Module):
    """The mean of a transformer's last hidden states, as sources give it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, **inputs: Tensor) -> Tensor:
        return self.model(**inputs).last_hidden_state.mean(dim=1)


def timm_backbone(name: str, **options: object) -> tuple[Backbone, Inputs]:
    import timm

    network = timm.create_model(name, num_classes=0, **options)
    size = options.get("img_size", 64)
    return Backbone(network), torch.randn(N_ITEMS, 3, size, size)


def bert(**options: object) -> tuple[Backbone, Inputs]:
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=24
    )
    return Backbone(Mean(BertModel(config, add_pooling_layer=False))), tokens()


def albert() -> tuple[Backbone, Inputs]:
    from transformers import AlbertConfig, AlbertModel

    config = AlbertConfig(
        vocab_size=50,
        embedding_size=8,
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=24,
    )
    return Backbone(Mean(AlbertModel(config, add_pooling_layer=False))), tokens()


def wav2vec2() -> tuple[Backbone, Inputs]:
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    config = Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=24,
        conv_dim=(8, 8),
        conv_stride=(5, 4),
        conv_kernel=(10, 8),
        num_feat_extract_layers=2,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        layerdrop=0.5,
        mask_time_prob=0.5,
        mask_time_length=2,
    )
    return Backbone(Mean(Wav2Vec2Model(config))), {"input_values": torch.randn(N_ITEMS, 800)}


def tokens() -> dict[str, Tensor]:
    return {
        "input_ids": torch.randint(1, 50, (N_ITEMS, 7)),
        "attention_mask": torch.ones(N_ITEMS, 7, dtype=torch.int64),
    }


ARCHITECTURES: dict[str, Callable[[], tuple[Backbone, Inputs]]] = {
    "resnet": lambda: timm_backbone("resnet10t", channels=(8, 8, 16, 16), stem_width=8, zero_init_last=False),
    "mobilenetv2": lambda: timm_backbone("mobilenetv2_035"),
    "efficientnet, drop path": lambda: timm_backbone("test_efficientnet", drop_path_rate=0.5),
    "vit, dropout": lambda: timm_backbone(
        "vit_tiny_patch16_224", img_size=32, depth=3, embed_dim=24, num_heads=2, proj_drop_rate=0.3
    ),
    "convnext": lambda: timm_backbone(
        "convnext_atto", depths=(1, 1, 1, 1), dims=(8, 8, 8, 8), drop_path_rate=0.5
    ),
    "bert": bert,
    "albert": albert,
    "wav2vec2, layer drop and masking": wav2vec2,
}
