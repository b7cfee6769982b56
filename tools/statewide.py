"""statewide in PyTorch: two ConvNeXts, heads that choose positions, decoupled InfoNCE, its optimiser, one training step.

The counterpart of tools/network.py for the program's method statewide, after Fervers et al., ECCV 2024. Shapes: B pairs,
P pictures of a place (one per zoom), L positions of a map, C channels. Augmentation and the choice of a batch's pairs
are omitted. Parameter names inside a backbone are timm's.
"""
import json
import math
from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn import functional as F

import network
import sample4geo

VIEWS = ("street", "aerial")
PHOTO = (("projection", "perspective"), ("resize", "skimage"))


@dataclass(frozen=True)
class Config:
    """The network's shapes and the preprocessing of its pixels. The defaults are the paper's."""
    dims: tuple = (128, 256, 512, 1024)  # channels of each stage
    depths: tuple = (3, 3, 27, 3)        # blocks of each stage
    gelu: str = "tanh"                   # or "erf"
    street: tuple = (480, 640)           # height and width of each view, in pixels
    aerial: tuple = (384, 384)
    heads: int = 64                      # softmaxes over positions
    feature: int = 1024                  # length of the feature vector, shared equally by the heads
    scale: float = 6.0                   # length of both features in the loss
    zooms: tuple = (0.2, 0.4, 0.8, 1.6)  # metres per pixel of each picture of a place
    cell_m: float = 30.0

    def to_json(self):
        """The text under `config` in a checkpoint's metadata."""
        fields = {"model": "statewide"} | asdict(self)
        zooms = fields.pop("zooms")
        fields |= {"street_input": dict(PHOTO), "aerial_input": {"zooms": zooms, "bearing": 180}}
        return json.dumps(fields, separators=(",", ":"))

    def pictures(self, view):
        """The number of pictures for one feature."""
        return len(self.zooms) if view == "aerial" else 1

    def normalise(self, view, pictures):
        """Pictures (B, H, W, 3) or (B, P, H, W, 3) of bytes, RGB, to the input (B P, 3, H, W) in the default type."""
        return network.normalise(pictures.flatten(0, -4), network.MEAN, network.DEVIATION)


# The program's presets of the same names.
PRESETS = {
    "statewide": Config(),
    "statewide-nano": Config(dims=(24, 48, 96, 192), depths=(2, 2, 4, 2), street=(96, 128), aerial=(96, 96), heads=16,
                             feature=256, zooms=(0.4, 0.8, 1.6, 3.2)),
}


class Head(nn.Module):
    """Positions to a feature: each head weights them with its own softmax, for its own channels of the values."""

    def __init__(self, channels, heads, feature):
        super().__init__()
        self.norm = nn.LayerNorm(channels, 1e-5)
        self.attention = nn.Linear(channels, heads, bias=False)
        self.value = nn.Linear(channels, feature)

    def forward(self, x):                                                # (B, P L, C)
        x = self.norm(x)
        weights, values = self.attention(x).softmax(dim=1), self.value(x)
        values = values.reshape(*weights.shape, -1)                      # (B, P L, heads, feature / heads)
        return torch.einsum("blh,blhc->bhc", weights, values).flatten(1)


class Backbone(sample4geo.ConvNeXt):
    """The ConvNeXt without the norm of its classifier."""

    def __init__(self, config):
        super().__init__(config)
        del self.norm


class Branch(nn.Module):
    """All pictures of a place, one after another, to a feature of length 1, or slightly less."""

    def __init__(self, config, view):
        super().__init__()
        self.pictures = config.pictures(view)
        self.backbone = Backbone(config)
        self.head = Head(config.dims[-1], config.heads, config.feature)

    def forward(self, x):                                                # (B P, 3, H, W)
        tokens = self.backbone(x)[-1].flatten(2).transpose(1, 2)         # (B P, L, C)
        feature = self.head(tokens.reshape(-1, self.pictures * tokens.shape[1], tokens.shape[2]))
        return feature / (feature.norm(dim=1, keepdim=True) + 1e-5)


class Statewide(nn.Module):
    """A network for each view."""

    PICTURES = {"street": "street", "aerial": "aerial"}                  # of a training step, and their views

    def __init__(self, config=Config()):
        super().__init__()
        self.scale = config.scale
        self.street, self.aerial = Branch(config, "street"), Branch(config, "aerial")

    def forward(self, street, aerial):
        return self.street(street), self.aerial(aerial)

    def maps(self, view, x):
        """The maps of a view's stages, each (B P, L, C)."""
        return [x.flatten(2).transpose(1, 2) for x in getattr(self, view).backbone(x)]

    def results(self, *batch, allowed=None):
        """The values of a step by name, and its loss."""
        outputs = self(*batch)
        return dict(zip(("street.feature", "aerial.feature"), outputs)), (loss(*outputs, self.scale, allowed),)

    def embedder(self, view):
        """The network of a view, for inference."""
        return getattr(self, view).eval()


Network = Statewide


def fresh(config=Config()):
    """A network with initial weights: the backbones' as timm draws them, except layer scales of 0.1."""
    model = Statewide(config)
    for name, parameter in model.named_parameters():
        if ".head." in name:
            continue
        if parameter.dim() > 1:
            nn.init.trunc_normal_(parameter, std=0.02)
        elif name.endswith("gamma"):
            nn.init.constant_(parameter, 0.1)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
    return model


# ---------------------------------------------------------------------------------------------- training


def decoupled(z, allowed, smoothing):
    """Decoupled InfoNCE of scores z (B, B), whose row i belongs to column i: a mean over the rows.

    In row i only the entries set in allowed[i] count, including its own. Each is compared with all other counted
    entries: minus p_j (z_ij - log sum over the others k of exp z_ik), with p_j = 1 - smoothing for its own; the others
    share the rest equally. A row of fewer than two entries costs nothing.
    """
    total = z.new_zeros(())
    for i, row in enumerate(z):
        counted = allowed[i].nonzero().flatten().tolist()
        for j in counted if len(counted) > 1 else ():
            others = [k for k in counted if k != j]
            share = 1 - smoothing if j == i else smoothing / len(others)
            total = total - share * (row[j] - row[others].logsumexp(0))
    return total / len(z)


def loss(street, aerial, scale, allowed=None, smoothing=0.1):
    """Of features (B, D): decoupled InfoNCE of scale^2 street aerial^T, by photos and by places, averaged."""
    z = scale**2 * street @ aerial.T
    allowed = torch.ones_like(z, dtype=torch.bool) if allowed is None else allowed.bool()
    return (decoupled(z, allowed, smoothing) + decoupled(z.T, allowed.T, smoothing)) / 2


def optimizer(model, rate=1e-4):
    """AdamW, decay 0.01 on filters and matrices; biases, norms and layer scales do not decay."""
    groups = [{"params": [p for p in model.parameters() if (p.dim() > 1) == large], "weight_decay": decay, "rate": rate}
              for large, decay in ((True, 0.01), (False, 0.0))]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.999), eps=1e-8)


def warm_cosine(step, steps, warm=1000, floor=0.1):
    """Factor on the rate in `step` (from 0) of `steps`: a line from 0 to 1 while warm, then half a cosine to `floor`."""
    if step < warm:
        return step / warm
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))


def factors(steps):
    """A whole schedule in a few steps."""
    return [warm_cosine(i, steps, 2) for i in range(steps)]


def train_step(model, adamw, batch, factor=1.0, allowed=None, clip_length=1.0):
    """One update; the whole gradient, over both views, is scaled to clip_length if it is longer. Returns the loss."""
    adamw.zero_grad()
    value = loss(*model(*batch), model.scale, allowed)
    value.backward()
    nn.utils.clip_grad_norm_(model.parameters(), clip_length)
    for group in adamw.param_groups:
        group["lr"] = group["rate"] * factor
    adamw.step()
    return value.item()
