"""FRGeo in PyTorch: two ConvNeXts, features of four directions, its loss, its optimiser and one training step.

The counterpart of tools/network.py for the program's method frgeo, after Zhang and Zhu, AAAI 2024. The ConvNeXt is that
of tools/sample4geo.py. Shapes: B pictures, C channels of an H x W map. Augmentation and the choice of a batch's pairs
are omitted.
"""
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

import network
import sample4geo

VIEWS = sample4geo.VIEWS
SCALE = 10.0                             # of the cosines in the loss


@dataclass(frozen=True)
class Config(sample4geo.Config):
    """The network's shapes and the preprocessing of its pixels. The defaults are the paper's."""
    dims: tuple = (96, 192, 384, 768)
    depths: tuple = (3, 3, 9, 3)
    street: tuple = (128, 512)
    aerial: tuple = (256, 256)

    def to_json(self):
        return super().to_json("frgeo")


# The program's presets of the same names.
PRESETS = {
    "frgeo": Config(),
    "frgeo-vigor": Config(street=(320, 640), aerial=(320, 320), ground_m=73.0, elevation=(-90.0, 90.0)),
    "frgeo-nano": Config(dims=sample4geo.NANO, depths=(2, 2, 4, 2), street=(64, 320), aerial=(128, 128)),
}


def strips(x):
    """A panorama's map from left to right; if the width is not divisible, the last strip is wider."""
    quarter = x.shape[3] // 4
    return [x[..., k * quarter:(k + 1) * quarter if k < 3 else None] for k in range(4)]


def corners(x):
    """The map of a picture from above: lower left, upper left, upper right, lower right."""
    middle, centre = x.shape[2] // 2, x.shape[3] // 2
    upper, lower = x[:, :, :middle], x[:, :, middle:]
    return [lower[..., :centre], upper[..., :centre], upper[..., centre:], lower[..., centre:]]


class Branch(nn.Module):
    """Picture to a feature of length 1: the means of the last map's four parts, each through the same layer norm."""

    def __init__(self, config, cut):
        super().__init__()
        self.backbone, self.cut = sample4geo.ConvNeXt(config), cut

    def describe(self, maps):
        parts = [self.backbone.norm(part.mean((2, 3))) for part in self.cut(maps[-1])]
        return F.normalize(torch.cat(parts, dim=1), dim=1)

    def forward(self, x):
        return self.describe(self.backbone(x))


class FRGeo(nn.Module):
    """A network for each view."""

    PICTURES = {"street": "street", "aerial": "aerial"}                  # of a training step, and their views

    def __init__(self, config=Config()):
        super().__init__()
        self.street, self.aerial = Branch(config, strips), Branch(config, corners)

    def forward(self, street, aerial):
        return self.street(street), self.aerial(aerial)

    def maps(self, view, x):
        """The maps of a view's stages, each (B, L, C)."""
        return [x.flatten(2).transpose(1, 2) for x in getattr(self, view).backbone(x)]

    def results(self, *batch):
        """The values of a step by name, and its loss."""
        outputs = self(*batch)
        return dict(zip(("street.feature", "aerial.feature"), outputs)), (weighted_tuple(*outputs),)

    def embedder(self, view):
        """The network of a view, for inference."""
        return getattr(self, view).eval()


Network = FRGeo


def fresh(config=Config()):
    """A network with initial weights as timm draws them, except layer scales of 0.1, so that no block vanishes."""
    return sample4geo.draw(FRGeo(config))


# ---------------------------------------------------------------------------------------------- training


def weighted_tuple(street, aerial):
    """The paper's loss of features of length 1, (B, D), where row i belongs to row i.

    The mean over rows of log(1 + sum over j != i of exp(SCALE (s_ij - s_ii))), s the cosines, and the same over columns,
    averaged.
    """
    s = street @ aerial.T
    ahead = SCALE * torch.stack([s - s.diagonal()[:, None], s.T - s.diagonal()[:, None]])   # 0 on the diagonals: the 1
    return ahead.logsumexp(2).mean()


def optimizer(model, rate=1e-4):
    """AdamW, decay 0.03 on every parameter."""
    return torch.optim.AdamW([{"params": list(model.parameters()), "rate": rate}], lr=rate, betas=(0.9, 0.999),
                             eps=1e-8, weight_decay=0.03)


factors = network.factors                # half a cosine, set before each epoch


def train_step(model, adamw, batch, rho=2.5, factor=1.0):
    """One step of adaptive sharpness-aware minimisation; returns the loss at the initial weights."""
    return network.asam_step(model, adamw, lambda: weighted_tuple(*model(*batch)), rho, factor)
