"""GeoViewMatch in PyTorch: the network, its losses, its optimiser and one training step.

The computation of the C program and of docs/model.md, in a form that PyTorch runs and differentiates. Golden files and
the timings of other programs use it. Shapes: B pictures, H x W patches, L = H W, C channels. Drop path and augmentation
draw random numbers and are omitted: this is the computation of one step after they are drawn. tools/sample4geo.py has
the same functions for another network, under the same names, so that other tools accept either.

Parameter names inside a backbone are those of the official Swin V2 checkpoints.
"""
import json
import math
from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn import functional as F

PATCH = 4                                # a patch is 4 x 4 pixels
MAX_LOGIT_SCALE = math.log(100.0)        # attention's sharpness is clamped here
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)    # of ImageNet's pictures, RGB


@dataclass(frozen=True)
class Config:
    """The network's shapes. The defaults are the paper's."""
    dim: int = 96                        # channels of stage 1; each later stage has twice as many
    depths: tuple = (2, 2, 6, 2)         # blocks of each stage
    heads: tuple = (3, 6, 12, 24)        # attention heads of each stage
    window: int = 8                      # side of an attention window, in patches
    street: tuple = (128, 640)           # height and width of each view, in pixels
    aerial: tuple = (256, 256)
    stages: tuple = (3, 4)               # stages whose maps become the feature, in this order
    masks: int = 8                       # spatial masks per stage
    head: int = 96                       # width of the projection head
    visible: bool = False                # of the street view: its pictures say which patches are seen
    wrap: bool = False                   # of the street view: its left and right edge are neighbours
    row_shift: bool = False              # of a view that wraps: maps too low for a shift are shifted along their rows

    def grid(self, view, stage):
        """Rows and columns of the map in `stage` (1..4); view is "street" or "aerial"."""
        height, width = getattr(self, view)
        cell = PATCH << (stage - 1)
        return height // cell, width // cell

    def channels(self, stage):
        return self.dim << (stage - 1)

    @property
    def feature(self):
        """Length of the feature of one picture."""
        return self.masks * sum(self.channels(s) for s in self.stages)

    def normalise(self, view, pictures, seen=None):
        """The network's input; seen (B, H / 4, W / 4) becomes a fourth channel."""
        x = normalise(pictures)
        if seen is None:
            return x
        seen = seen.to(x).repeat_interleave(PATCH, 1).repeat_interleave(PATCH, 2)
        return torch.cat([x, seen[:, None]], 1)

    def is_masked(self, view):
        return self.visible and view == "street"

    def to_json(self):
        """The text under `config` in a checkpoint's metadata."""
        fields = {key: value for key, value in asdict(self).items() if value is not False}
        return json.dumps({"model": "geoviewmatch", **fields}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text):
        fields = {k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(text).items()}
        return cls(**{k: v for k, v in fields.items() if k in cls.__dataclass_fields__})


# The program's presets of the same names.
PRESETS = {
    "paper": Config(),
    "nano": Config(dim=24, depths=(2, 2, 2, 2), heads=(1, 2, 4, 8), window=4, street=(64, 320), aerial=(128, 128)),
}


def normalise(pictures, mean=MEAN, deviation=DEVIATION):
    """Pictures (B, H, W, 3) of bytes to the network's input (B, 3, H, W), in the default float type."""
    dtype = torch.get_default_dtype()
    mean, deviation = torch.tensor(mean, dtype=dtype), torch.tensor(deviation, dtype=dtype)
    return ((pictures.to(dtype) / 255 - mean) / deviation).permute(0, 3, 1, 2).contiguous()


# ---------------------------------------------------------------------------------------------- Swin V2


class WindowAttention(nn.Module):
    """Cosine attention inside square windows of a map, optionally of the map rolled by half a window.

    The window has the configured side, or the map's short side if that is no larger; then there is no shift.
    wrap: the map's left and right edge are neighbours, so that the roll makes no strangers there.
    """

    def __init__(self, channels, heads, grid, window, shifted, wrap, slides):
        super().__init__()
        self.heads, self.grid, self.wrap = heads, grid, wrap
        self.side = min(window, *grid)
        self.shift = window // 2 if shifted and min(grid) > window else 0
        slides = slides and shifted and not self.shift and grid[1] > self.side
        self.roll = (self.shift, self.side // 2 if slides else self.shift)       # rows, columns
        for length in grid:
            if length % self.side:
                raise ValueError(f"a map of {grid[0]} x {grid[1]} is not divided by windows of side {self.side}")

        self.logit_scale = nn.Parameter(torch.full((heads, 1, 1), math.log(10.0)))
        self.q_bias = nn.Parameter(torch.zeros(channels))
        self.v_bias = nn.Parameter(torch.zeros(channels))
        self.cpb_mlp = nn.Sequential(nn.Linear(2, 512), nn.ReLU(), nn.Linear(512, heads, bias=False))
        self.qkv = nn.Linear(channels, 3 * channels, bias=False)
        self.proj = nn.Linear(channels, channels)

        self.register_buffer("offsets", self._offsets(), persistent=False)
        self.register_buffer("pair", self._pairs(), persistent=False)
        self.register_buffer("mask", self._strangers() if self.shift else None, persistent=False)
        self.folded = None

    def _offsets(self):
        """Every offset (rows, columns) between two positions of a window, on a signed logarithmic scale: (n^2, 2).

        An offset d of at most side - 1 becomes  sign(d) log2(1 + 8 |d| / (side - 1)) / 3.
        """
        reach = self.side - 1
        d = torch.arange(-reach, reach + 1, dtype=torch.float64) * (8 / max(reach, 1))
        d = d.sign() * torch.log2(1 + d.abs()) / 3
        return torch.cartesian_prod(d, d).to(torch.get_default_dtype())

    def _pairs(self):
        """The row of the offsets that belongs to each pair of positions: (side^2, side^2)."""
        place = torch.cartesian_prod(torch.arange(self.side), torch.arange(self.side))
        offset = place[:, None] - place[None, :] + self.side - 1
        return offset[..., 0] * (2 * self.side - 1) + offset[..., 1]

    def _strangers(self):
        """-100 for each pair of positions that became neighbours only by the roll: (windows, 1, side^2, side^2).

        The last `shift` rows and columns of the rolled map came from the opposite edge.
        """
        wrapped = [torch.arange(n) >= n - self.shift for n in self.grid]
        region = 2.0 * wrapped[0][:, None] + (0.0 if self.wrap else 1.0) * wrapped[1][None, :]
        region = self._split(region[None, :, :, None]).squeeze(-1)
        return -100.0 * (region[:, None, :, None] != region[:, None, None, :]).to(torch.get_default_dtype())

    def _split(self, x):
        """(B, H, W, C) to (B windows, side^2, C)."""
        (H, W), n, C = self.grid, self.side, x.shape[-1]
        x = x.reshape(-1, H // n, n, W // n, n, C).transpose(2, 3)
        return x.reshape(-1, n * n, C)

    def _join(self, x):
        """(B windows, side^2, C) to (B, H, W, C)."""
        (H, W), n, C = self.grid, self.side, x.shape[-1]
        x = x.reshape(-1, H // n, W // n, n, n, C).transpose(2, 3)
        return x.reshape(-1, H, W, C)

    def _constants(self):
        """The values that depend only on weights: bias of q, k and v; sharpness of each head; position bias."""
        qkv_bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        sharpness = self.logit_scale.clamp(max=MAX_LOGIT_SCALE).exp()
        bias = 16 * torch.sigmoid(self.cpb_mlp(self.offsets))            # (n^2, heads)
        return qkv_bias, sharpness, bias[self.pair].permute(2, 0, 1)     # (heads, side^2, side^2)

    def fold(self):
        """Compute these constants once, for inference; must not be called in training."""
        self.folded = [c.detach() for c in self._constants()]

    def _windows(self, x):
        """(B, L, C) to the tokens of each window of the rolled map, (B windows, side^2, C)."""
        x = x.reshape(x.shape[0], *self.grid, x.shape[-1])
        return self._split(x.roll((-self.roll[0], -self.roll[1]), (1, 2)))

    def forward(self, x, seen=None):                                     # (B, L, C) -> (B, L, C); seen (B, L) or None
        B, L, C = x.shape
        qkv_bias, sharpness, bias = self.folded or self._constants()
        x = self._windows(x)                                             # (B windows, P, C), P = side^2

        P = x.shape[1]
        qkv = F.linear(x, self.qkv.weight, qkv_bias).reshape(-1, P, 3, self.heads, C // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)                             # each (B windows, heads, P, C / heads)
        score = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1) * sharpness + bias
        if self.shift:
            score = score.reshape(B, -1, self.heads, P, P) + self.mask
            score = score.reshape(-1, self.heads, P, P)
        if seen is not None:
            score = score.masked_fill(~self._windows(seen[..., None])[:, None, None, :, 0], -1e30)
        x = (score.softmax(-1) @ v).transpose(1, 2).reshape(-1, P, C)

        x = self._join(self.proj(x))
        return x.roll(self.roll, (1, 2)).reshape(B, L, C)


class Mlp(nn.Module):
    """Two linear layers with exact GELU between, four times as wide inside."""

    def __init__(self, channels):
        super().__init__()
        self.fc1 = nn.Linear(channels, 4 * channels)
        self.fc2 = nn.Linear(4 * channels, channels)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    """Residual post-norm: the output of a branch is normalised before it is added. Unseen tokens pass unchanged."""

    def __init__(self, channels, heads, grid, window, *shifts):
        super().__init__()
        self.attn = WindowAttention(channels, heads, grid, window, *shifts)
        self.norm1 = nn.LayerNorm(channels)
        self.mlp = Mlp(channels)
        self.norm2 = nn.LayerNorm(channels)

    def forward(self, x, seen=None):
        y = x + self.norm1(self.attn(x, seen))
        y = y + self.norm2(self.mlp(y))
        return y if seen is None else torch.where(seen[..., None], y, x)


class PatchMerge(nn.Module):
    """Four neighbours become one token with twice the channels. Column by column: the upper one, then the lower.

    It is seen if any of the four is, else it is a learned vector, or 0 if no later stage reads it.
    """

    def __init__(self, channels, grid, learned):
        super().__init__()
        self.unseen = nn.Parameter(torch.zeros(2 * channels)) if learned else None
        self.grid = grid
        if grid[0] % 2 or grid[1] % 2:
            raise ValueError(f"a map of {grid[0]} x {grid[1]} cannot be halved")
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)
        self.norm = nn.LayerNorm(2 * channels)

    def _four(self, x):                                                  # (B, L, C) -> (B, L / 4, 4 C)
        (H, W), C = self.grid, x.shape[-1]
        x = x.reshape(-1, H // 2, 2, W // 2, 2, C).permute(0, 1, 3, 4, 2, 5)
        return x.reshape(-1, H * W // 4, 4 * C)

    def forward(self, x, seen=None):                                     # (B, L, C) -> (B, L / 4, 2 C), and its seen
        y = self.norm(self.reduction(self._four(x)))
        if seen is None:
            return y, None
        seen = self._four(seen[..., None]).any(-1)
        return torch.where(seen[..., None], y, 0.0 if self.unseen is None else self.unseen), seen


class Stage(nn.Module):
    """A sequence of blocks, every second one shifted, then the merging before the next stage, if there is one."""

    def __init__(self, channels, heads, depth, grid, window, wraps, merge, unseen):
        super().__init__()
        self.blocks = nn.ModuleList(Block(channels, heads, grid, window, i % 2 == 1, *wraps) for i in range(depth))
        self.downsample = PatchMerge(channels, grid, unseen) if merge else None


class PatchEmbed(nn.Module):
    """Each patch of 4 x 4 x 3 pixels to one token; one that is not seen to a learned vector."""

    def __init__(self, channels, masked):
        super().__init__()
        self.unseen = nn.Parameter(torch.zeros(channels)) if masked else None
        self.proj = nn.Conv2d(3, channels, PATCH, stride=PATCH)
        self.norm = nn.LayerNorm(channels)

    def forward(self, x):                                   # (B, 3 or 4, 4 H, 4 W) -> (B, H W, C), and its seen
        y = self.norm(self.proj(x[:, :3]).flatten(2).transpose(1, 2))
        if self.unseen is None:
            return y, None
        seen = x[:, 3, ::PATCH, ::PATCH].flatten(1) > 0.5
        return torch.where(seen[..., None], y, self.unseen), seen


class SwinV2(nn.Module):
    """Picture to the maps of the four stages, each (B, L, C): before merging, the fourth after the final norm."""

    def __init__(self, config, view):
        super().__init__()
        masked, street = config.is_masked(view), view == "street"
        wraps = street and config.wrap, street and config.row_shift
        self.patch_embed = PatchEmbed(config.dim, masked)
        self.layers = nn.ModuleList()
        for s in (1, 2, 3, 4):
            self.layers.append(Stage(config.channels(s), config.heads[s - 1], config.depths[s - 1],
                                     config.grid(view, s), config.window, wraps, merge=s < 4, unseen=masked and s < 3))
        self.norm = nn.LayerNorm(config.channels(4))

    def look(self, x):
        """The maps, and which of their tokens are seen: (B, L) each, or None."""
        maps, seens = [], []
        x, seen = self.patch_embed(x)
        for stage in self.layers:
            for block in stage.blocks:
                x = block(x, seen)
            maps.append(x)
            seens.append(seen)
            if stage.downsample is not None:
                x, seen = stage.downsample(x, seen)
        maps[3] = self.norm(maps[3])
        return maps, seens

    def forward(self, x):
        return self.look(x)[0]


# ----------------------------------------------------------------------------------------- GeoViewMatch


class MaskPool(nn.Module):
    """N weighted sums over the positions of a map; the weights are made from the channels' maximum at each position.

    m = max_c x;  mask_n = w2_n (w1_n m + b1_n) + b2_n;  y_nc = sum_l mask_nl x_lc
    Of an unseen position l, m_l and mask_nl are 0.
    """

    def __init__(self, places, masks):
        super().__init__()
        half = places // 2
        self.w1 = nn.Parameter(0.005 * torch.randn(masks, half, places))
        self.b1 = nn.Parameter(torch.full((masks, half), 0.1))
        self.w2 = nn.Parameter(0.005 * torch.randn(masks, places, half))
        self.b2 = nn.Parameter(torch.full((masks, places), 0.1))

    def forward(self, x, seen=None):                                     # (B, L, C) -> (B, N C)
        seen = 1.0 if seen is None else seen[:, None, :, None].to(x)
        m = seen * x.amax(dim=2)[:, None, :, None]                       # (B, 1, L, 1)
        hidden = self.w1 @ m + self.b1[..., None]                        # (B, N, L / 2, 1)
        masks = seen * (self.w2 @ hidden + self.b2[..., None])           # (B, N, L, 1)
        return (masks.squeeze(-1) @ x).flatten(1)


class SwinGeo(nn.Module):
    """One view: picture to a feature of length 1."""

    def __init__(self, config, view):
        super().__init__()
        self.backbone = SwinV2(config, view)
        self.stages = config.stages
        self.fa = nn.ModuleDict({str(s): MaskPool(math.prod(config.grid(view, s)), config.masks)
                                 for s in config.stages})

    def describe(self, maps, seens=(None,) * 4):
        """The feature (B, D) of the four stages' maps."""
        parts = [self.fa[str(s)](maps[s - 1], seens[s - 1]) for s in self.stages]
        return F.normalize(torch.cat(parts, dim=1), dim=1)

    def forward(self, x):
        return self.describe(*self.backbone.look(x))

    def fold(self):
        """Fold the values that depend only on weights into constants, for inference."""
        for module in self.modules():
            if isinstance(module, WindowAttention):
                module.fold()
        return self.eval()


class GeoViewMatch(nn.Module):
    """Both views, and the projection head for the two aerial pictures of a pair."""

    PICTURES = {"street": "street", "strong": "aerial", "weak": "aerial"}    # of a training step, and their views

    def __init__(self, config=Config()):
        super().__init__()
        self.config = config
        self.street = SwinGeo(config, "street")
        self.aerial = SwinGeo(config, "aerial")
        self.head = nn.Sequential(nn.Linear(config.feature, config.head), nn.ReLU(),
                                  nn.Linear(config.head, config.head))

    def project(self, feature):
        return F.normalize(self.head(feature), dim=1)

    def forward(self, street, strong, weak):
        """Features of the three pictures, then the head's output for the two aerial ones."""
        f, f1, f2 = self.street(street), self.aerial(strong), self.aerial(weak)
        return f, f1, f2, self.project(f1), self.project(f2)

    def maps(self, view, x):
        """The maps of a view's stages, each (B, L, C)."""
        return getattr(self, view).backbone(x)

    def results(self, *batch):
        """The values of a step by name, and its losses, the total first."""
        outputs = self(*batch)
        names = ("street.feature", "strong.feature", "weak.feature", "strong.head", "weak.head")
        return dict(zip(names, outputs)), losses(outputs)

    def embedder(self, view):
        """The network of a view, for inference."""
        return getattr(self, view).fold()


Network = GeoViewMatch


def fresh(config=Config()):
    """A network with initial weights: masks as MaskPool draws them, the head as PyTorch does, backbones as official.

    The gains of both norms of a block start at zero, so that each block starts as the identity.
    """
    model = GeoViewMatch(config)
    for backbone in (model.street.backbone, model.aerial.backbone):
        for name, module in backbone.named_modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.LayerNorm):
                nn.init.constant_(module.weight, 0.0 if name.rpartition(".")[2] in ("norm1", "norm2") else 1.0)
                nn.init.zeros_(module.bias)
    return model


# ---------------------------------------------------------------------------------------------- training


def triplet(a, b, alpha=10.0):
    """Soft-margin triplet loss of two sets of features, (B, D) of length 1, where row i belongs to row i.

    Mean of log(1 + exp(alpha (d_ii - d_ij))) over all j != i, once with a's rows as anchors and once with b's.
    """
    distance = 2 - 2 * a @ b.T                                           # squared, between every a and every b
    own = distance.diagonal()
    others = ~torch.eye(len(a), dtype=torch.bool, device=a.device)
    from_a = F.softplus(alpha * (own[:, None] - distance))[others].mean()
    from_b = F.softplus(alpha * (own[None, :] - distance))[others].mean()
    return (from_a + from_b) / 2


def losses(outputs, alpha=10.0, weights=(0.5, 0.25, 0.25)):
    """The total, and its parts before weighting: contrastive, street to strong, street to weak."""
    street, strong, weak, strong_head, weak_head = outputs
    parts = (triplet(strong_head, weak_head, alpha), triplet(street, strong, alpha), triplet(street, weak, alpha))
    return sum(w * p for w, p in zip(weights, parts)), *parts


def decays(name, parameter):
    """Whether weight decay applies: to matrices and filters, not to biases of any shape, scales or the position MLP."""
    if "cpb_mlp" in name or name.endswith(("logit_scale", ".b1", ".b2")):
        return False
    return parameter.dim() > 1


def optimizer(model, rate_backbone=1e-4, rate_new=2e-4, weight_decay=0.03):
    """AdamW in four groups: backbone or new, decayed or not. `rate` stores each group's rate before the schedule."""
    groups = {}
    for name, parameter in model.named_parameters():
        groups.setdefault((".backbone." in name, decays(name, parameter)), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": parameters, "lr": rate, "rate": rate, "weight_decay": weight_decay if decayed else 0.0}
         for (backbone, decayed), parameters in groups.items()
         for rate in [rate_backbone if backbone else rate_new]],
        betas=(0.9, 0.999), eps=1e-8)


def cosine(epoch, epochs):
    """Factor on every rate in `epoch` (from 0): half a cosine, from 1 towards 0."""
    return (1 + math.cos(math.pi * epoch / epochs)) / 2


def factors(steps):
    """A whole schedule in a few steps, each as long as an epoch."""
    return [cosine(i, steps) for i in range(steps)]


def train_step(model, adamw, batch, rho=2.5, factor=1.0, alpha=10.0, weights=(0.5, 0.25, 0.25)):
    """One step of adaptive sharpness-aware minimisation; returns the loss at the initial weights."""
    return asam_step(model, adamw, lambda: losses(model(*batch), alpha, weights)[0], rho, factor)


def asam_step(model, adamw, loss, rho, factor):
    """The same step for any loss, computed by calling `loss`.

    Climb to  w + e,  e = rho w^2 g / (|| |w| g || + 1e-12)  over all weights at once; take the gradient there; go
    back to w and let AdamW step with that gradient.
    """
    adamw.zero_grad()
    start_loss = loss()
    start_loss.backward()
    parameters = [p for p in model.parameters() if p.grad is not None]
    start = [p.detach().clone() for p in parameters]
    with torch.no_grad():
        length = sum((p.abs() * p.grad).square().sum() for p in parameters).sqrt()
        for p in parameters:
            p += p * p * p.grad * (rho / (length + 1e-12))

    adamw.zero_grad()
    loss().backward()
    with torch.no_grad():
        for p, w in zip(parameters, start):
            p.copy_(w)
    for group in adamw.param_groups:
        group["lr"] = group["rate"] * factor
    adamw.step()
    return start_loss.item()
