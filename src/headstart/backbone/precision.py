"""Make a copy of a network that runs fast on one device: folded, channels_last, in bf16 if asked for.

Weights go to bf16; buffers stay in float32 (angles of rotary positions, spectral filters), and the network
runs under autocast, which brings both together where they meet. A front end without weights runs in float32
as a whole.
"""

from __future__ import annotations

import copy
import functools
import inspect
import math
import time
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from headstart.backbone._calls import Inputs
from headstart.backbone._flow import Flow
from headstart.backbone.folding import FusedConv2d, fold_batch_norm, is_same_padded, watch

BF16_TOLERANCE = 0.08
"""Largest root mean square difference that bf16 makes in a network's output, relative to the output.

Reached by MobileNetV2, whose depthwise kernels cancel; ResNets and transformers stay under 0.02."""

LEAST_GAIN = 1.2  # least gain in speed, since bf16 loses digits

_SMALL_KERNEL = 64
_NORMS = (nn.LayerNorm, nn.GroupNorm, nn.modules.batchnorm._BatchNorm)
"""Norms compute in float32 and take bf16 inputs with float32 weights."""

_FRONT_END_BUFFERS = ("window", "mel", "filter", "fbank", "dft", "stft")


def prepare_for_inference(
    module: nn.Module,
    precision: Literal["fp32", "bf16"],
    device: torch.device | str,
    example: Inputs | None = None,
) -> nn.Module:
    """Return a copy of a network for extraction only: eval mode, no gradients, same module paths.

    Batch norms are folded into convolutions; on a CPU activations too; convolution networks run in
    channels_last.

    Args:
        module: a network in float32.
        precision: "bf16" if the machine is faster in it (`bf16_is_faster`), else "fp32".
        device: where it will run.
        example: a few items to watch the network on; None: made up.

    Returns:
        The copy; in float32 within `folding.TOLERANCE` of the original, in bf16 within `BF16_TOLERANCE`.
    """
    there = torch.device(device)
    ready = fold_batch_norm(_in_single(module), example).requires_grad_(False)
    if there.type == "cpu" and _onednn_computes(precision):
        ready = _fuse_activations(ready, example)
    ready = ready.to(there)
    if any(isinstance(part, nn.Conv2d | FusedConv2d) for part in ready.modules()):
        ready = ready.to(memory_format=torch.channels_last)
    return _in_bf16(ready, there.type) if precision == "bf16" else ready


def bf16_is_faster(device: torch.device | str, gain: Callable[[], float] | None = None) -> bool:
    """Whether a device multiplies matrices in bf16 faster than in float32.

    For a GPU it is known. For a processor with instructions for it, it is measured: without tiles (AMX), as on many
    rented machines, they can be slower than those for float32.

    Args:
        device: where it will run.
        gain: gives how many times as fast the processor is in bf16; None: `gain_of_bf16`.
    """
    kind = torch.device(device).type
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return kind == "cpu" and _has_bf16_instructions() and (gain or gain_of_bf16)() > LEAST_GAIN


def _has_bf16_instructions() -> bool:
    cpu = torch.backends.cpu.get_cpu_capability()
    has = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    has_tiles = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    return cpu.startswith("AVX512") and bool(has() or has_tiles())


def _onednn_computes(precision: str) -> bool:
    """Whether oneDNN computes convolutions in a precision here: for bf16 it needs a processor with AVX-512."""
    if not torch._C._has_mkldnn:
        return False
    return precision != "bf16" or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


@functools.cache
def gain_of_bf16() -> float:
    """How many times as fast a layer of 384 inputs and 1,536 outputs is in bf16, each the best of five, in turn.

    It is measured once per process.
    """
    kinds = (torch.float32, torch.bfloat16)
    operands = [(torch.ones(256, 384, dtype=kind), torch.ones(1536, 384, dtype=kind)) for kind in kinds]
    seconds = [math.inf, math.inf]
    with torch.inference_mode():
        for _ in range(6):  # the first makes the kernels, and is never the best
            for which, (inputs, weight) in enumerate(operands):
                started = time.perf_counter()
                nn.functional.linear(inputs, weight)
                seconds[which] = min(seconds[which], time.perf_counter() - started)
    return seconds[0] / seconds[1]


def _in_single(module: nn.Module) -> nn.Module:
    """The module itself if its weights are in float32, else a copy in float32."""
    if all(p.dtype == torch.float32 for p in module.parameters() if p.dtype.is_floating_point):
        return module
    return copy.deepcopy(module).float()


def _fuse_activations(network: nn.Module, example: Inputs | None) -> nn.Module:
    """Replace convolutions, and the activations that alone take their output, by `FusedConv2d`."""
    flow = watch(network, example)
    if flow is None or not _runs_fused():
        return network
    followers = _followers(network, flow)
    for path, part in list(network.named_modules()):
        if not isinstance(part, nn.Conv2d) or not (type(part) is nn.Conv2d or is_same_padded(part)):
            continue
        if part.padding_mode != "zeros" or isinstance(part.padding, str) or flow.n_calls[part] == 0:
            continue
        follower = followers.get(part)
        fused = None if follower is None else _try_fuse(part, follower[1])
        if fused is not None and follower is not None:
            network.set_submodule(follower[0], nn.Identity())
        network.set_submodule(path, fused or FusedConv2d(part, None))
    return network


def _followers(network: nn.Module, flow: Flow) -> dict[nn.Module, tuple[str, nn.Module]]:
    """Convolution -> path and module of the one part that takes its output."""
    return {
        giver: (path, part)
        for path, part in network.named_modules()
        if not list(part.children()) and (giver := flow.feeder(part, (nn.Conv2d,))) is not None
    }


def _try_fuse(convolution: nn.Conv2d, activation: nn.Module) -> FusedConv2d | None:
    try:
        return FusedConv2d(convolution, activation)
    except KeyError:
        return None


@functools.cache
def _runs_fused() -> bool:
    """Whether this build of torch has the fused convolution and it is correct."""
    try:
        convolution = nn.Conv2d(3, 4, 3, padding=1).requires_grad_(False)
        x_NCHW = torch.randn(2, 3, 8, 8)
        return torch.allclose(
            FusedConv2d(convolution, nn.ReLU())(x_NCHW), convolution(x_NCHW).relu(), atol=1e-5
        )
    except (RuntimeError, AttributeError, NotImplementedError):
        return False


def _in_bf16(network: nn.Module, device_type: str) -> nn.Module:
    front_ends = [part for part in network.modules() if _is_front_end(part)]
    kept = {id(parameter) for part in front_ends for parameter in part.parameters()}
    norms = [part for part in network.modules() if isinstance(part, _NORMS)]
    kept |= {id(parameter) for part in norms for parameter in part.parameters(recurse=False)}
    for parameter in network.parameters():
        if parameter.dtype == torch.float32 and id(parameter) not in kept:
            parameter.data = round_to_bf16(parameter.data)
    for part in front_ends:
        _with_forward(part, _in_float32(device_type))
    _with_forward(network, _under_autocast(device_type))
    return network


def round_to_bf16(weight: Tensor) -> Tensor:
    """Return weights in bf16; the sum of a small kernel stays what it was.

    Depthwise kernels often cancel: their weights are far larger than their sum, and rounding each to the
    nearest made 8% of the output of a trained MobileNetV2. Here what one rounding lost goes into the next
    smaller weight of the kernel (error diffusion), which brought it to 3%.

    Args:
        weight: float32, a convolution's of shape (C, ...) or any other.
    """
    kernel = weight[0].numel() if weight.ndim > 2 and len(weight) else 0
    if not 1 < kernel <= _SMALL_KERNEL:
        return weight.to(torch.bfloat16)
    flat_CK = weight.reshape(len(weight), kernel)
    order_CK = flat_CK.abs().argsort(dim=1, descending=True)
    sorted_CK = flat_CK.gather(1, order_CK)
    lost_C = torch.zeros_like(sorted_CK[:, 0])
    rounded = []
    for column in sorted_CK.unbind(1):
        wanted_C = column + lost_C
        rounded.append(wanted_C.to(torch.bfloat16))
        lost_C = wanted_C - rounded[-1].float()
    result_CK = torch.empty_like(flat_CK, dtype=torch.bfloat16).scatter_(
        1, order_CK, torch.stack(rounded, dim=1)
    )
    return torch.empty_like(weight, dtype=torch.bfloat16).copy_(result_CK.view(weight.shape))


def _is_front_end(part: nn.Module) -> bool:
    """A part that stays in float32: marked `keep_float32`, recurrent, or with filters and no weights.

    In a recurrent layer rounding adds up over time: bf16 cost a speaker encoder a point of accuracy.
    """
    if getattr(part, "keep_float32", False) or isinstance(part, nn.RNNBase):
        return True
    own = [name for name, _ in part.named_buffers(recurse=False)]
    has_filters = any(word in name for name in own for word in _FRONT_END_BUFFERS)
    return has_filters and next(part.parameters(), None) is None


def _with_forward(part: nn.Module, decorate: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Give one module its own class, whose forward is decorated (copies of the module keep it)."""
    own = type(part)
    forward = functools.wraps(own.forward)(decorate(own.forward))
    forward.__dict__["__signature__"] = inspect.signature(own.forward)
    part.__class__ = type(own.__name__, (own,), {"forward": forward, "__module__": own.__module__})


def _under_autocast(device_type: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def decorate(forward: Callable[..., Any]) -> Callable[..., Any]:
        def run(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
            with torch.autocast(device_type, torch.bfloat16, cache_enabled=False):
                return forward(self, *args, **kwargs)

        return run

    return decorate


def _in_float32(device_type: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def decorate(forward: Callable[..., Any]) -> Callable[..., Any]:
        def run(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
            args, kwargs = tree_map_only(Tensor, _to_float32, (args, kwargs))
            with torch.autocast(device_type, enabled=False):
                return forward(self, *args, **kwargs)

        return run

    return decorate


def _to_float32(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype.is_floating_point else tensor
