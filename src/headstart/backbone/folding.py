"""Fold batch norms into the convolutions before them, and activations into the convolution's own pass.

In eval mode a batch norm is y = (x - mean) / sqrt(var + eps) * gain + shift, a factor and a shift per
channel, which the convolution before it can carry. Only pairs are folded where a pass over a made-up input
shows that the norm takes the convolution's output and nothing else does; after it the outputs before and
after are compared.
"""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from headstart.backbone._calls import Inputs, as_call, eval_mode
from headstart.backbone._flow import Flow
from headstart.backbone._made_up import made_up_inputs

TOLERANCE = 1e-4
"""Largest difference that folding makes in float32, relative to the largest output."""

_SMALL = 96  # pixels: after a stride of 32, three positions per side are left
_watching = Lock()  # filters of warnings are those of all threads

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def fold_batch_norm(module: nn.Module, example: Inputs | None = None) -> nn.Module:
    """Return a deep copy in eval mode with its batch norms folded into convolutions, where that is exact.

    Module paths do not change; a folded norm is replaced by its activation (timm's BatchNormAct2d) or by nothing.

    Args:
        module: a network.
        example: a few items to watch it on; None: made up if the network takes images or waveforms.

    Returns:
        The copy; unchanged if no input could be made up or its output would change by more than
        `TOLERANCE`.
    """
    plain = copy.deepcopy(module).eval()
    flow = watch(plain, example)
    if flow is None:
        return plain
    folded = copy.deepcopy(plain)
    paths = {id(part): path for path, part in plain.named_modules()}
    for path, norm in plain.named_modules():
        convolution = flow.feeder(norm, _CONVOLUTIONS) if _can_fold(norm) else None
        if convolution is not None and _is_plain(convolution):
            _fold_pair(folded, paths[id(convolution)], path)
    return folded if _agree(flow, folded) else plain


def watch(module: nn.Module, example: Inputs | None) -> Flow | None:
    """Return the record of a pass of a network with convolutions; None if no pass can be made."""
    if not any(isinstance(part, _CONVOLUTIONS) for part in module.modules()):
        return None
    for inputs in [example] if example is not None else _examples(module):
        with contextlib.suppress(Exception), _watching, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Flow(module, inputs)
    # The user's own network may take other inputs: it then runs unchanged, only slower.
    return None


def _examples(module: nn.Module) -> Iterator[Inputs]:
    """Made-up items: small images first, which take a fraction of the time, then images of full size."""
    whole = made_up_inputs(module)
    if isinstance(whole, Tensor) and whole.ndim == 4 and min(whole.shape[2:]) > _SMALL:
        yield whole[:, :, :_SMALL, :_SMALL]
    if whole is not None:
        yield whole


def _can_fold(norm: nn.Module) -> bool:
    if not isinstance(norm, _NORMS) or norm.running_var is None:
        return False
    return type(norm) in _NORMS or type(norm).__name__ in ("BatchNormAct2d", "SyncBatchNorm")


def _is_plain(convolution: nn.Module) -> bool:
    """Whether the convolution uses its weight unchanged (weight standardisation does not)."""
    own = type(convolution).forward
    return own in (nn.Conv1d.forward, nn.Conv2d.forward, nn.Conv3d.forward) or is_same_padded(convolution)


def is_same_padded(convolution: nn.Module) -> bool:
    """Whether it is timm's convolution with TensorFlow's SAME padding, computed from the input's size."""
    return type(convolution).__name__ == "Conv2dSame" and type(convolution).__module__.startswith("timm.")


def _fold_pair(root: nn.Module, convolution_path: str, norm_path: str) -> None:
    convolution: Any = root.get_submodule(convolution_path)
    norm: Any = root.get_submodule(norm_path)
    with torch.no_grad():
        factor = (norm.running_var + norm.eps).rsqrt()
        if norm.weight is not None:
            factor = factor * norm.weight
        shift = -norm.running_mean * factor
        if norm.bias is not None:
            shift = shift + norm.bias
        if convolution.bias is not None:
            shift = shift + convolution.bias * factor
        weight = convolution.weight * factor.reshape(-1, *[1] * (convolution.weight.ndim - 1))
    convolution.weight = nn.Parameter(weight, requires_grad=False)
    convolution.bias = nn.Parameter(shift, requires_grad=False)
    root.set_submodule(norm_path, getattr(norm, "act", None) or nn.Identity())


def _agree(before: Flow, network: nn.Module) -> bool:
    """Whether a network still gives the recorded output, within `TOLERANCE`."""
    args, kwargs = as_call(before.inputs)
    with torch.no_grad(), eval_mode(list(network.modules())):
        after = network(*args, **kwargs)
    pairs = zip(tree_leaves(before.output), tree_leaves(after), strict=True)
    return all(
        bool(torch.allclose(a, b, rtol=0, atol=TOLERANCE * a.abs().max().item() + 1e-12, equal_nan=True))
        for a, b in pairs
        if isinstance(a, Tensor) and a.dtype.is_floating_point
    )


class FusedConv2d(nn.Module):
    """A convolution and the activation after it in one pass over memory, on a CPU with oneDNN.

    Args:
        convolution: `nn.Conv2d`, or timm's with SAME padding.
        activation: the module after it; None: none.
    """

    def __init__(self, convolution: nn.Conv2d, activation: nn.Module | None) -> None:
        super().__init__()
        self.weight, self.bias = convolution.weight, convolution.bias
        self.stride, self.dilation = convolution.stride, convolution.dilation
        self.groups, self.kernel_size = convolution.groups, convolution.kernel_size
        self.padding = convolution.padding
        self.in_channels, self.out_channels = convolution.in_channels, convolution.out_channels
        self.same = is_same_padded(convolution)
        self.activation = activation
        self._attribute = _attribute(activation)
        self._widened: Tensor | None = None
        self._packed: tuple[Any, Tensor] | None = None

    def forward(self, x_NCHW: Tensor) -> Tensor:
        x_NCHW, weight = x_NCHW.to(self.weight.dtype), self.weight
        padding = [int(size) for size in self.padding]
        if self.same:
            x_NCHW, weight, padding = self._padded(x_NCHW)
        weight = self._in_own_order(weight, padding, x_NCHW)
        name, scalars, algorithm = self._attribute
        output: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x_NCHW,
            weight,
            self.bias,
            padding,
            self.stride,
            self.dilation,
            self.groups,
            name,
            scalars,
            algorithm,
        )
        return output

    def _in_own_order(self, weight: Tensor, padding: list[int], x_NCHW: Tensor) -> Tensor:
        """The weight in oneDNN's own order, made on the first batch (saves a tenth of MobileNet's time)."""
        key = (weight.data_ptr(), weight.dtype, *padding)
        if self._packed is None or self._packed[0] != key:
            reorder: Any = torch._C._nn.mkldnn_reorder_conv2d_weight
            sizes = padding, self.stride, self.dilation, self.groups, list(x_NCHW.shape)
            try:
                packed = reorder(weight.detach().to_mkldnn(), *sizes)
            except RuntimeError:
                packed = weight
            self._packed = (key, packed)
        return self._packed[1]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_packed": None}

    def _padded(self, x_NCHW: Tensor) -> tuple[Tensor, Tensor, list[int]]:
        """TensorFlow's SAME padding, which puts an odd row or column at the end.

        A depthwise convolution gets a row and a column of zeros before its kernel in place of a copy of its
        input.
        """
        spans = [(k - 1) * d + 1 for k, d in zip(self.kernel_size, self.dilation)]
        totals = [_same_padding(*sizes) for sizes in zip(x_NCHW.shape[2:], spans, self.stride)]
        odd = [total % 2 for total in totals]
        if not any(odd):
            return x_NCHW, self.weight, [total // 2 for total in totals]
        if all(odd) and self.groups == self.in_channels and tuple(self.dilation) == (1, 1):
            if self._widened is None or self._widened.dtype != self.weight.dtype:
                wide = F.pad(self.weight, [1, 0, 1, 0])
                self._widened = wide.contiguous(memory_format=torch.channels_last)
            return x_NCHW, self._widened, [(total + 1) // 2 for total in totals]
        high, wide_by = totals
        sides = [wide_by // 2, wide_by - wide_by // 2, high // 2, high - high // 2]
        return F.pad(x_NCHW, sides), self.weight, [0, 0]


def _same_padding(size: int, kernel: int, stride: int) -> int:
    return int(max((-(-size // stride) - 1) * stride + kernel - size, 0))


def _attribute(activation: nn.Module | None) -> tuple[str, list[float], str]:
    """oneDNN's name of an activation and its parameters.

    Raises:
        KeyError: oneDNN does not know it.
    """
    if activation is None:
        return "none", [], ""
    own = type(activation)
    if own.__module__.partition(".")[0] not in ("torch", "timm"):
        raise KeyError(own.__name__)
    return _ACTIVATIONS[own.__name__](activation)


_ACTIVATIONS: dict[str, Callable[[Any], tuple[str, list[float], str]]] = {
    "ReLU": lambda a: ("relu", [], ""),
    "ReLU6": lambda a: ("hardtanh", [0.0, 6.0], ""),
    "Hardswish": lambda a: ("hardswish", [], ""),
    "SiLU": lambda a: ("swish", [], ""),
    "Sigmoid": lambda a: ("sigmoid", [], ""),
    "Tanh": lambda a: ("tanh", [], ""),
    "GELU": lambda a: ("gelu", [], str(getattr(a, "approximate", "none"))),
    "LeakyReLU": lambda a: ("leaky_relu", [float(a.negative_slope)], ""),
}
