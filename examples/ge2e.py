"""A network of one's own for speakers: the GE2E encoder of Resemblyzer (Wan et al. 2018, arXiv:1710.10467).

    headstart fit recordings --target speaker --source resemblyzer-ge2e --arch examples/ge2e.py:SpeakerEncoder

The class takes the folder's config.json as a dictionary; `forward` takes waveforms and gives one vector a
clip. `stages` names the modules between which the network can be cut, `sampling_rate` what recordings are
brought to. `own_positions` (optional) tells which of a stage's positions are the clip's, not its padding.
"""

import torch
from torch import nn
from torch.nn import functional as F
from transformers.audio_utils import mel_filter_bank


class Spectrogram(nn.Module):
    """Power mel frames (N, frames, 40) of waveforms (N, samples), without a logarithm."""

    def __init__(self, mel, rate_hz):
        super().__init__()
        self.n_fft, self.hop = mel["n_fft"], mel["hop_length"]
        filters = mel_filter_bank(
            1 + self.n_fft // 2, mel["n_mels"], mel["fmin"], mel["fmax"], rate_hz, "slaney", "slaney"
        )
        self.register_buffer("filters", torch.from_numpy(filters).float(), persistent=False)
        self.register_buffer("window", torch.hann_window(self.n_fft), persistent=False)

    def forward(self, waveform):
        spectrum = torch.stft(
            waveform, self.n_fft, self.hop, window=self.window, pad_mode="constant", return_complex=True
        )
        return (self.filters.T @ spectrum.abs().square()).transpose(1, 2)


class SpeakerEncoder(nn.Module):
    """Mel spectrogram, windows of 1.6 s, three LSTM layers, and the mean of the windows' unit vectors."""

    sampling_rate = 16_000
    stages = ("spectrogram", "lstm", "linear")

    def __init__(self, config):
        super().__init__()
        mel, partials = config["mel"], config["partials"]
        self.n_frames, self.step = partials["frames"], partials["step_frames"]
        self.n_enough = int(partials["min_coverage"] * self.n_frames)
        self.least_dbfs = config["input"]["volume_normalisation"]["target_dBFS"]
        self.spectrogram = Spectrogram(mel, self.sampling_rate)
        self.lstm = nn.LSTM(mel["n_mels"], 256, num_layers=3, batch_first=True)
        self.linear = nn.Linear(256, config["embedding_size"])

    def forward(self, waveform, lengths):
        """Give unit vectors (N, 256) for waveforms (N, samples), zeros after each clip's own `lengths`."""
        mel = self.spectrogram(self.with_spare(self.raised(waveform, lengths)))
        windows = mel.unfold(1, self.n_frames, self.step).transpose(2, 3)  # (N, P, 160, 40)
        states, _ = self.lstm(windows.flatten(0, 1))  # (N * P, 160, 256)
        vectors = F.normalize(F.relu(self.linear(states[:, -1])), dim=1).unflatten(0, windows.shape[:2])
        own = self.own_windows(vectors.shape[1], lengths)
        return F.normalize((vectors * own[:, :, None]).sum(1), dim=1)

    def raised(self, waveform, lengths):
        """Raise quiet clips to -30 dBFS over their own samples: without a logarithm loudness matters."""
        power = waveform.square().sum(1) / lengths.clamp(min=1)
        gain = 10 ** (self.least_dbfs / 20) / power.clamp(min=1e-20).sqrt()
        return waveform * gain.clamp(min=1)[:, None]

    def with_spare(self, waveform):
        """Add the silence that fills up the last window which a clip fills to three quarters."""
        spare = (self.n_frames - self.n_enough) * self.spectrogram.hop
        n_samples = torch.sym_max(waveform.shape[1] + spare, (self.n_frames - 1) * self.spectrogram.hop)
        return F.pad(waveform, (0, n_samples - waveform.shape[1]))

    def own_windows(self, n_windows, lengths):
        """Tell which windows (N, P) count: the first, and those which the clip fills to three quarters."""
        n_own = 1 + (lengths // self.spectrogram.hop - self.n_enough).clamp(min=0) // self.step
        return torch.arange(n_windows, device=lengths.device) < n_own[:, None]

    def own_positions(self, shape, inputs):
        """Tell which positions of a stage's output are the clip's: windows, or frames in windows."""
        lengths = inputs["lengths"]
        own = self.own_windows(shape[0], lengths)
        if len(shape) == 1:
            return own
        starts = torch.arange(shape[0], device=lengths.device) * self.step
        frames = starts[:, None] + torch.arange(shape[1], device=lengths.device)
        return own[:, :, None] & (frames <= lengths[:, None, None] // self.spectrogram.hop)
