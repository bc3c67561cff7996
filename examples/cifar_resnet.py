"""A network of one's own for small pictures: the ResNets for CIFAR (He et al. 2016, section 4.2).

    headstart fit photos --source resnet20_cifar10 --arch examples/cifar_resnet.py:CifarResNet

The class takes the folder's config.json as a dictionary; `forward` takes pixels of 32 x 32 and gives one vector per
picture. `stages` names the modules between which the network can be cut.
"""

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """Two convolutions beside a shortcut without parameters (option A): every other pixel, new channels zero."""

    def __init__(self, n_in, n_out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_out)
        self.stride, self.n_new = stride, n_out - n_in

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        side = self.n_new // 2
        shortcut = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, side, self.n_new - side))
        return F.relu(out + shortcut)


class CifarResNet(nn.Module):
    """A convolution and three layers of blocks, of 16, 32 and 64 channels; the mean over the last map."""

    stages = ("layer1", "layer2", "layer3")

    def __init__(self, config):
        super().__init__()
        first, second, third = config["widths"]
        n_blocks = config["blocks_per_stage"]
        self.conv1 = nn.Conv2d(3, first, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        self.layer1 = self._layer(first, first, n_blocks, 1)
        self.layer2 = self._layer(first, second, n_blocks, 2)
        self.layer3 = self._layer(second, third, n_blocks, 2)
        self.linear = nn.Linear(third, config["num_classes"])  # of CIFAR-10: not used here

    def forward(self, pixels):
        """Give embeddings (N, 64) for pixels (N, 3, 32, 32)."""
        x = F.relu(self.bn1(self.conv1(pixels)))
        return torch.mean(self.layer3(self.layer2(self.layer1(x))), (2, 3))

    def _layer(self, n_in, n_out, n_blocks, stride):
        return nn.Sequential(
            Block(n_in, n_out, stride), *(Block(n_out, n_out, 1) for _ in range(n_blocks - 1))
        )
