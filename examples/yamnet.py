"""A network of one's own for sounds: YAMNet, a MobileNet trained on AudioSet (TensorFlow's research models).

    headstart fit recordings --source yamnet_audioset --arch examples/yamnet.py:YAMNet

The class takes the folder's config.json as a dictionary; `forward` takes waveforms and gives one vector a
clip. `stages` names the modules between which the network can be cut, `sampling_rate` what recordings are
brought to. `own_positions` (optional) tells which of a stage's positions are the clip's, not its padding.
"""

import torch
from torch import nn
from torch.nn import functional as F
from transformers.audio_utils import mel_filter_bank


class SamePadding(nn.Conv2d):
    """A convolution with TensorFlow's SAME padding: the odd row or column goes to the bottom or right."""

    def forward(self, x):
        (height, width), stride, kernel = x.shape[-2:], self.stride[0], self.kernel_size[0]
        rows, columns = (
            max(0, kernel - (stride if n % stride == 0 else n % stride)) for n in (height, width)
        )
        return super().forward(F.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)))


class Layer(nn.Module):
    """A depthwise and a pointwise convolution, each followed by ReLU; batch norm is folded into them."""

    def __init__(self, n_in, n_out, stride):
        super().__init__()
        self.depthwise = SamePadding(n_in, n_in, 3, stride, groups=n_in)
        self.pointwise = nn.Conv2d(n_in, n_out, 1)

    def forward(self, x):
        return F.relu(self.pointwise(F.relu(self.depthwise(x))))


def mel_filters(settings, rate_hz):
    """Give the mel filters (n_fft / 2 + 1, bands): triangles on the HTK scale, not normalised."""
    n_rows, n_bands = 1 + settings["n_fft"] // 2, settings["mel_bands"]
    filters = mel_filter_bank(
        n_rows,
        n_bands,
        settings["fmin"],
        settings["fmax"],
        rate_hz,
        mel_scale="htk",
        triangularize_in_mel_space=True,
    )
    return torch.from_numpy(filters).float()


class YAMNet(nn.Module):
    """Log-mel patches of 0.96 s every 0.48 s, fourteen layers of convolutions, the mean over patches."""

    def __init__(self, config):
        super().__init__()
        self.sampling_rate = config["sample_rate"]
        self.settings, self.n_frames, self.step = (
            config["frontend"],
            config["patch_frames"],
            config["patch_hop"],
        )
        self.n_least = config["min_samples"]
        first, *rest = config["layers"]
        widths = [layer["out"] for layer in config["layers"]]
        # In the checkpoint too, but made here: with random weights the network must still hear something.
        self.register_buffer("mel", mel_filters(self.settings, self.sampling_rate))
        self.register_buffer("window", torch.hann_window(400))
        self.conv1 = SamePadding(1, first["out"], first["kernel"], first["stride"])
        self.layers = nn.ModuleList(
            Layer(n_in, layer["out"], layer["stride"]) for n_in, layer in zip(widths, rest, strict=False)
        )
        self.classifier = nn.Linear(
            config["num_features"], config["num_classes"]
        )  # of AudioSet: not used here
        self.stages = ["conv1", *(layer["name"] for layer in rest)]

    def forward(self, waveform, lengths):
        """Give embeddings (N, 1024) for waveforms (N, samples), zeros after each clip's own `lengths`."""
        patches = self.log_mel(waveform).unfold(1, self.n_frames, self.step).transpose(2, 3)  # (N, P, 96, 64)
        x = F.relu(self.conv1(patches.flatten(0, 1)[:, None]))
        for layer in self.layers:
            x = layer(x)
        vectors = x.mean((2, 3)).unflatten(0, patches.shape[:2])
        own = self.own_patches(vectors.shape[1], lengths)[:, :, None]
        return (vectors * own).sum(1) / own.sum(1)

    def own_patches(self, n_patches, lengths):
        """Tell which patches (N, P) count: the first, and those which lie inside the clip."""
        n_own = 1 + (lengths - self.n_least).clamp(min=0) // (self.step * self.settings["hop"])
        return torch.arange(n_patches, device=lengths.device) < n_own[:, None]

    def own_positions(self, shape, inputs):
        """Tell which positions of a stage's output, maps (N, P, time, frequency), are the clip's."""
        own = self.own_patches(shape[0], inputs["lengths"])
        return own.reshape(*own.shape, *(1 for _ in shape[1:]))

    def log_mel(self, waveform):
        """Give log-mel frames (N, frames, 64) of the magnitude spectrum, at least one patch of them."""
        n_samples = waveform.shape[1]
        padded = F.pad(waveform, (0, torch.sym_max(n_samples, self.n_least) - n_samples))
        frames = padded.unfold(1, len(self.window), self.settings["hop"]) * self.window
        magnitude = torch.fft.rfft(frames, self.settings["n_fft"]).abs()
        return torch.log(magnitude @ self.mel + self.settings["log_offset"])
