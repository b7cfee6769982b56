"""Sample4Geo in PyTorch: ConvNeXt, symmetric InfoNCE, its optimiser and one training step.

The counterpart of tools/network.py for the program's method sample4geo, after Deuser, Habel and Oswald, ICCV 2023.
Shapes: B pictures, C channels of an H x W map. Augmentation and the choice of a batch's pairs are omitted. Parameter
names inside the backbone are timm's, except that `norm` is timm's `head.norm`.
"""
import json
import math
import re
from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn import functional as F

import network

PATCH = 4                                # a patch is 4 x 4 pixels
VIEWS = ("street", "aerial")


@dataclass(frozen=True)
class Config:
    """The network's shapes and the preprocessing of its pixels. The defaults are the paper's."""
    dims: tuple = (128, 256, 512, 1024)  # channels of each stage
    depths: tuple = (3, 3, 27, 3)        # blocks of each stage
    gelu: str = "erf"                    # or "tanh"
    street: tuple = (140, 768)           # height and width of each view, in pixels
    aerial: tuple = (384, 384)
    street_input: tuple = ()             # pairs of (key, value): order, resize, mean, deviation; only unusual ones
    aerial_input: tuple = ()
    ground_m: float = 64.0
    elevation: tuple = (-45.0, 45.0)

    def to_json(self, model="sample4geo"):
        """The text under `config` in a checkpoint's metadata."""
        fields = {"model": model} | asdict(self)
        fields |= {f"{view}_input": dict(getattr(self, f"{view}_input")) for view in VIEWS}
        return json.dumps(fields, separators=(",", ":"))

    def normalise(self, view, pictures):
        """Pictures (B, H, W, 3) of bytes, RGB, to the network's input (B, 3, H, W), in the default float type."""
        given = dict(getattr(self, f"{view}_input"))
        x = network.normalise(pictures, given.get("mean", network.MEAN), given.get("deviation", network.DEVIATION))
        return x.flip(1) if given.get("order") == "bgr" else x            # mean and deviation are in RGB's order


# The program's presets of the same names; all resize like OpenCV.
OPENCV = (("resize", "opencv"),)
TINY, NANO = (96, 192, 384, 768), (32, 64, 128, 256)
PRESETS = {
    "sample4geo": Config(street_input=OPENCV, aerial_input=OPENCV),
    "sample4geo-vigor": Config(street=(384, 768), ground_m=73.0, elevation=(-90.0, 90.0), street_input=OPENCV,
                               aerial_input=OPENCV),
    "sample4geo-tiny": Config(dims=TINY, depths=(3, 3, 9, 3), street_input=OPENCV, aerial_input=OPENCV),
    "sample4geo-nano": Config(dims=NANO, depths=(2, 2, 4, 2), street=(64, 320), aerial=(128, 128), street_input=OPENCV,
                              aerial_input=OPENCV),
}


# --------------------------------------------------------------------------------------------- ConvNeXt


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels at each position of a map (B, C, H, W)."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Mlp(nn.Module):
    """Two linear layers with GELU between, four times as wide inside."""

    def __init__(self, channels, gelu):
        super().__init__()
        self.fc1 = nn.Linear(channels, 4 * channels)
        self.fc2 = nn.Linear(4 * channels, channels)
        self.approximate = "tanh" if gelu == "tanh" else "none"

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x), approximate=self.approximate))


class Block(nn.Module):
    """x + gamma MLP(LN(depthwise 7 x 7 (x)))"""

    def __init__(self, channels, gelu):
        super().__init__()
        self.gamma = nn.Parameter(torch.full((channels,), 1e-6))
        self.conv_dw = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, 1e-6)
        self.mlp = Mlp(channels, gelu)

    def forward(self, x):                                                # (B, C, H, W)
        branch = self.gamma * self.mlp(self.norm(self.conv_dw(x).permute(0, 2, 3, 1)))
        return x + branch.permute(0, 3, 1, 2)


class Stage(nn.Module):
    """A sequence of blocks, after a norm and a convolution that halves the map and drops its odd last row or column."""

    def __init__(self, before, channels, depth, gelu):
        super().__init__()
        self.downsample = nn.Identity() if before is None else nn.Sequential(
            ChannelNorm(before, 1e-6), nn.Conv2d(before, channels, 2, stride=2))
        self.blocks = nn.Sequential(*(Block(channels, gelu) for _ in range(depth)))

    def forward(self, x):
        return self.blocks(self.downsample(x))


class ConvNeXt(nn.Module):
    """Picture to the maps of the four stages. `norm` is applied to the mean of the last one."""

    def __init__(self, config):
        super().__init__()
        dims = config.dims
        self.stem = nn.Sequential(nn.Conv2d(3, dims[0], PATCH, stride=PATCH), ChannelNorm(dims[0], 1e-6))
        self.stages = nn.ModuleList(Stage(dims[s - 1] if s else None, dims[s], config.depths[s], config.gelu)
                                    for s in range(4))
        self.norm = nn.LayerNorm(dims[3], 1e-6)

    def forward(self, x):
        maps, x = [], self.stem(x)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


# ------------------------------------------------------------------------------------------- Sample4Geo


class Branch(nn.Module):
    """Picture to a feature of length 1: the mean of the last map, its layer norm."""

    def __init__(self, config):
        super().__init__()
        self.backbone = ConvNeXt(config)

    def describe(self, maps):
        return F.normalize(self.backbone.norm(maps[-1].mean((2, 3))), dim=1)

    def forward(self, x):
        return self.describe(self.backbone(x))


class Sample4Geo(nn.Module):
    """One network for both views, and the learned logarithm of the inverse temperature."""

    PICTURES = {"street": "street", "aerial": "aerial"}                  # of a training step, and their views

    def __init__(self, config=Config()):
        super().__init__()
        self.both = Branch(config)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def forward(self, street, aerial):
        return self.both(street), self.both(aerial)

    def maps(self, view, x):
        """The maps of a view's stages, each (B, L, C)."""
        return [x.flatten(2).transpose(1, 2) for x in self.both.backbone(x)]

    def results(self, *batch):
        """The values of a step by name, and its loss."""
        outputs = self(*batch)
        return dict(zip(("street.feature", "aerial.feature"), outputs)), (info_nce(*outputs, self.logit_scale.exp()),)

    def embedder(self, view):
        """The network of a view, for inference."""
        return self.both.eval()


Network = Sample4Geo


def fresh(config=Config()):
    """A network with initial weights as timm draws them, except layer scales of 0.1, so that no block vanishes."""
    return draw(Sample4Geo(config))


def draw(model):
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            nn.init.trunc_normal_(parameter, std=0.02)
        elif name.endswith("gamma"):
            nn.init.constant_(parameter, 0.1)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
    return model


# ---------------------------------------------------------------------------------------------- training


def info_nce(street, aerial, scale, smoothing=0.1):
    """Symmetric InfoNCE of features of length 1, (B, D), where row i belongs to row i.

    z = scale street aerial^T; the mean over rows of the cross-entropy of z_i against label i smoothed by `smoothing`,
    and the same over columns, averaged.
    """
    z = scale * street @ aerial.T
    own = torch.arange(len(z), device=z.device)
    return sum(F.cross_entropy(rows, own, label_smoothing=smoothing) for rows in (z, z.T)) / 2


def optimizer(model, rate=1e-3):
    """AdamW, decay 0.01 on every parameter: also biases, norms, layer scales and the temperature."""
    return torch.optim.AdamW([{"params": list(model.parameters()), "rate": rate}], lr=rate, betas=(0.9, 0.999),
                             eps=1e-8, weight_decay=0.01)


def warm_cosine(step, steps, epochs, warm=1):
    """Factor on the rate in `step` (from 0) of `epochs` of `steps` each: from 0 to 1 while warm, then half a cosine."""
    first, last = warm * steps, epochs * steps
    return step / first if step < first else 0.5 * (1 + math.cos(math.pi * (step - first) / (last - first)))


def factors(steps):
    """A whole schedule in a few steps, two per epoch."""
    return [warm_cosine(i, 2, steps // 2) for i in range(steps)]


def train_step(model, adamw, batch, factor=1.0, clip=100.0):
    """One update; each value of the gradient is first clipped to [-clip, clip]. Returns the loss."""
    adamw.zero_grad()
    loss = info_nce(*model(*batch), model.logit_scale.exp())
    loss.backward()
    nn.utils.clip_grad_value_(model.parameters(), clip)
    for group in adamw.param_groups:
        group["lr"] = group["rate"] * factor
    adamw.step()
    return loss.item()


# ------------------------------------------------------------------------------------- others' names


def timm_name(name):
    """timm's name of a tensor of our backbone."""
    return f"head.{name}" if name.startswith("norm.") else name


def facebook_name(name):
    """Facebook's names: stem and downsampling are one list, blocks are directly in a stage."""
    for ours, theirs in ((r"^stem\.", "downsample_layers.0."),
                         (r"^stages\.(\d)\.downsample\.", r"downsample_layers.\1."),
                         (r"\.blocks\.", "."), ("conv_dw", "dwconv"), (r"mlp\.fc", "pwconv")):
        name = re.sub(ours, theirs, name)
    return name
