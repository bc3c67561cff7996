"""Small random networks of every family that must be cut exactly, and inputs for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import tiny

Made = tuple[nn.Module, Any]

# name -> image size, arguments of timm.create_model
TIMM: dict[str, tuple[int, dict[str, Any]]] = {
    "resnet18": (48, {}),
    "resnet26d": (48, {}),
    "regnety_002": (48, {}),
    "efficientnet_b0": (48, {}),
    "tf_efficientnet_lite0": (48, {}),
    "mobilenetv1_100": (48, {}),
    "mobilenetv2_050": (48, {}),
    "mobilenetv3_small_050": (48, {}),
    "mobilenetv4_conv_small_050": (48, {}),
    "convnext_atto": (48, {}),
    "densenet121": (48, {"growth_rate": 8, "block_config": (2, 2, 2, 2)}),
    "vit_tiny_patch16_224": (48, {"img_size": 48, "depth": 4}),
    "deit3_small_patch16_224": (48, {"img_size": 48, "depth": 3}),
    "vit_small_patch14_reg4_dinov2": (42, {"img_size": 42, "depth": 3}),
    "eva02_tiny_patch14_224": (42, {"img_size": 42, "depth": 3}),
    "beit_base_patch16_224": (48, {"img_size": 48, "depth": 3, "embed_dim": 96, "num_heads": 4}),
    "swin_tiny_patch4_window7_224": (56, {"img_size": 56, "depths": (2, 2, 2), "num_heads": (3, 6, 12)}),
    "maxvit_rmlp_pico_rw_256": (64, {"img_size": 64, "depths": (1, 1, 2, 1)}),
    "coatnet_nano_rw_224": (64, {"img_size": 64, "depths": (1, 1, 2, 1)}),
    "fastvit_t8": (64, {"layers": (1, 1, 2, 1)}),
    "efficientformerv2_s0": (224, {}),
    "hgnetv2_b0": (48, {}),
    "ghostnet_050": (48, {}),
    "tnt_s_legacy_patch16_224": (224, {"depth": 2}),
    "poolformer_s12": (48, {}),
    "repvgg_a0": (48, {}),
}


def make_timm(name: str, n_items: int = 3) -> Made:
    """Return a network of timm with random weights and batch norms that do something, and pictures for it."""
    import timm

    torch.manual_seed(0)
    size, arguments = TIMM[name]
    network = timm.create_model(name, pretrained=False, num_classes=0, **arguments).eval()
    shake_norms(network)
    return network, torch.randn(n_items, 3, size, size)


def shake_norms(network: nn.Module) -> None:
    """Give batch norms statistics, gains and shifts as training would."""
    for part in network.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.1)
            part.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(part.weight, 0.7, 1.3)
            nn.init.normal_(part.bias, 0, 0.1)


def texts(n_items: int = 4, length: int = 9, seed: int = 0) -> dict[str, torch.Tensor]:
    """Return token ids and masks of texts of random lengths, the longest unpadded."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(3, 100, (n_items, length), generator=generator)
    lengths = torch.randint(2, length + 1, (n_items,), generator=generator)
    lengths[-1] = length
    mask = (torch.arange(length)[None] < lengths[:, None]).long()
    return {"input_ids": torch.where(mask.bool(), ids, 1), "attention_mask": mask}


def waves(n_items: int = 4, length: int = 800, seed: int = 0) -> dict[str, torch.Tensor]:
    """Return waveforms and masks of clips of random lengths."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(length // 2, length + 1, (n_items,), generator=generator)
    lengths[0] = length
    mask = (torch.arange(length)[None] < lengths[:, None]).long()
    return {"input_values": torch.randn(n_items, length, generator=generator) * mask, "attention_mask": mask}


def _text_config(hidden: int = 16, layers: int = 3, heads: int = 2) -> dict[str, Any]:
    return {
        **tiny.sizes(hidden * heads, layers, heads),
        "vocab_size": 100,
        "max_position_embeddings": 64,
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
    }


def _wave_config(hidden: int = 16, layers: int = 3, heads: int = 2) -> dict[str, Any]:
    return {
        **tiny.sizes(hidden * heads, layers, heads),
        "conv_dim": (16, 16),
        "conv_kernel": (10, 3),
        "conv_stride": (5, 2),
        "num_conv_pos_embeddings": 8,
        "num_conv_pos_embedding_groups": 2,
        "num_feat_extract_layers": 2,
        "mask_time_prob": 0.0,
    }


def _picture_config(hidden: int = 16, layers: int = 3, heads: int = 2) -> dict[str, Any]:
    return tiny.sizes(hidden * heads, layers, heads)


def _albert(hidden: int = 16, layers: int = 3, heads: int = 2) -> nn.Module:
    from transformers import AlbertConfig, AlbertModel

    groups = {"num_hidden_groups": 2, "inner_group_num": 2} if layers % 2 == 0 else {}
    return AlbertModel(AlbertConfig(**_text_config(hidden, layers, heads), embedding_size=12, **groups))


def _distilbert(hidden: int = 16, layers: int = 3, heads: int = 2) -> nn.Module:
    from transformers import DistilBertConfig, DistilBertModel

    config = DistilBertConfig(
        dim=hidden * heads, n_layers=layers, n_heads=heads, hidden_dim=48, vocab_size=100
    )
    return DistilBertModel(config)


def _deberta(hidden: int = 16, layers: int = 3, heads: int = 2) -> nn.Module:
    from transformers import DebertaV2Config, DebertaV2Model

    config = DebertaV2Config(
        **_text_config(hidden, layers, heads),
        relative_attention=True,
        pos_att_type=["p2c", "c2p"],
        position_buckets=8,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        position_biased_input=False,
    )
    return DebertaV2Model(config)


def _modernbert(hidden: int = 16, layers: int = 3, heads: int = 2) -> nn.Module:
    from transformers import ModernBertConfig, ModernBertModel

    config = ModernBertConfig(
        **_text_config(hidden, layers, heads),
        global_attn_every_n_layers=2,
        local_attention=4,
        cls_token_id=0,
        sep_token_id=2,
    )
    return ModernBertModel(config)


def _whisper(hidden: int = 16, layers: int = 3, heads: int = 2) -> nn.Module:
    from transformers import WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    config = WhisperConfig(
        d_model=hidden * heads,
        encoder_layers=layers,
        encoder_attention_heads=heads,
        encoder_ffn_dim=48,
        num_mel_bins=16,
        max_source_positions=50,
        vocab_size=100,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
    )
    return WhisperEncoder(config)


def _plain(name: str, make_config: Callable[..., dict[str, Any]], **more: Any) -> Callable[..., nn.Module]:
    def make(hidden: int = 16, layers: int = 3, heads: int = 2) -> nn.Module:
        import transformers

        config = getattr(transformers, f"{name}Config")(**{**make_config(hidden, layers, heads), **more})
        network: nn.Module = getattr(transformers, f"{name}Model")(config)
        return network

    return make


def _pictures(n_items: int = 4, **ignored: Any) -> torch.Tensor:
    return torch.randn(n_items, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def _spectra(*shape: int) -> Callable[..., torch.Tensor]:
    def make(n_items: int = 4, **ignored: Any) -> torch.Tensor:
        return torch.randn(n_items, *shape, generator=torch.Generator().manual_seed(0))

    return make


# name -> makes the network, makes its inputs
TRANSFORMERS: dict[str, tuple[Callable[..., nn.Module], Callable[..., Any]]] = {
    "bert": (_plain("Bert", _text_config), texts),
    "roberta": (_plain("Roberta", _text_config), texts),
    "xlm-roberta": (_plain("XLMRoberta", _text_config), texts),
    "electra": (_plain("Electra", _text_config, embedding_size=12), texts),
    "distilbert": (_distilbert, texts),
    "deberta-v2": (_deberta, texts),
    "mpnet": (_plain("MPNet", _text_config), texts),
    "modernbert": (_modernbert, texts),
    "albert": (_albert, texts),
    "wav2vec2": (_plain("Wav2Vec2", _wave_config), waves),
    "wav2vec2-stable": (
        _plain("Wav2Vec2", _wave_config, do_stable_layer_norm=True, feat_extract_norm="layer"),
        waves,
    ),
    "hubert": (_plain("Hubert", _wave_config), waves),
    "wavlm": (_plain("WavLM", _wave_config), waves),
    "data2vec-audio": (
        _plain("Data2VecAudio", _wave_config, num_conv_pos_embeddings=2, conv_pos_kernel_size=5),
        waves,
    ),
    "whisper": (_whisper, _spectra(16, 100)),
    "ast": (_plain("AST", _picture_config, max_length=64, num_mel_bins=32), _spectra(64, 32)),
    "vit": (_plain("ViT", _picture_config, image_size=32, patch_size=8), _pictures),
    "dinov2": (_plain("Dinov2", _picture_config, image_size=32, patch_size=8), _pictures),
}


def make_transformers(name: str, seed: int = 0, **sizes: int) -> nn.Module:
    """Return a small network of transformers with random weights, in eval mode."""
    torch.manual_seed(seed)
    return TRANSFORMERS[name][0](**sizes).eval()
