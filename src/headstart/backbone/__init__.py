"""A network as stages that can be cut: prefix and suffix, pooling per stage, folding and precision."""

from headstart.backbone._calls import eval_mode
from headstart.backbone._made_up import made_up_inputs
from headstart.backbone.cut import Backbone
from headstart.backbone.folding import fold_batch_norm
from headstart.backbone.pooling import StagePooler
from headstart.backbone.precision import bf16_is_faster, gain_of_bf16, prepare_for_inference
from headstart.backbone.stages import find_stages
from headstart.backbone.state import State

__all__ = [
    "Backbone",
    "StagePooler",
    "State",
    "bf16_is_faster",
    "eval_mode",
    "find_stages",
    "fold_batch_norm",
    "gain_of_bf16",
    "made_up_inputs",
    "prepare_for_inference",
]
