"""Write the golden files that the C network is tested with: checkpoints, inputs and PyTorch's results.

  make_golden.py                  the tiny configurations of tests/golden (a few MB, part of the repository)
    make_golden.py --full DIR       the papers' configurations (about 2.5 GB, made on demand)
    make_golden.py --timm DIR       timm's networks, to test the import of published weights (about 600 MB)

NAME.safetensors is a checkpoint in the program's format. NAME net_... is a GeoViewMatch (tools/network.py),
sample4geo_... a Sample4Geo (tools/sample4geo.py), frgeo_... an FRGeo (tools/frgeo.py), statewide_... a statewide
(tools/statewide.py). NAME_golden.safetensors holds, all in float32 except the pictures:

  street, strong, weak            (B, H, W, 3)  bytes; strong and weak are aerial; of the others: street, aerial,
                                                which is (B, zooms, H, W, 3) for statewide
  seen                            (B, H/4, W/4) 1 for a patch of `street` that is seen, else 0; of a masked network
    out.VIEW.stageS                 (b, L, C)     maps of the first b pictures; VIEW is street, or aerial (of `strong`)
    out.WHICH.feature               (B, D)        WHICH is a picture; of length 1
    out.WHICH.head                  (B, head)     WHICH is strong or weak; of length 1
    loss                            (4), (1)      total, contrastive, street to strong, street to weak; InfoNCE
    grad.PARAMETER                                of the total
    factors, losses                 (10)          ten training steps on this batch: the factor on every rate, the total
    clip                            (1)           of Sample4Geo: limit of each value of a gradient in these steps
    clip_length                     (1)           of statewide: limit of the length of the whole gradient in these steps
    allowed                         (B, B)        of statewide: 1 if a photo and a place count in the loss
    after.PARAMETER                               the weights after these steps (not in every file)
    views.loss                      (7)           of a masked network with the street pictures in reverse order as views:
                                                  the total, the three above, view to strong and weak, street to view
    views.norm.PARAMETER            (1)           the norm of this total's gradient

  convnext_timm and convnext_facebook are the backbone of sample4geo_tanh with a classifier, under others' names.

Every tensor of a checkpoint is random, including norms, biases and layer scales, and the first head of a later stage's
second block exceeds the limit of attention's sharpness. Values are computed in float64 and rounded once. They are
compared with the same arithmetic in float32: if PyTorch disagrees with itself, a configuration is unsuitable as a
reference.
"""
import argparse
import math
import os
import sys
import zlib

import numpy as np
import torch

import frgeo
import network
import sample4geo
import statewide
import tensorfile

STEPS = 10
# Limits for the difference of float32 from float64: relative 2-norm of outputs and of gradients; losses of the ten
# steps; 1 - cosine of the weights' updates in them.
OUTPUT_LIMIT, GRADIENT_LIMIT, LOSS_LIMIT, MOVEMENT_LIMIT = 1e-5, 2e-4, 2e-6, 1e-4

# Each is small, with odd sizes: see the comment beside it. `after` keeps the weights after the ten steps.
Next, Strips, State = sample4geo.Config, frgeo.Config, statewide.Config
TINY = {
    # 7 channels, 7 per head; a map of 8 x 40 shifted by 2; one of 1 x 5, whose windows are single positions
    "net_narrow": dict(seed=25, config=network.Config(
        dim=7, depths=(2, 2, 1, 1), heads=(1, 2, 7, 7), window=4, street=(32, 160), aerial=(64, 64),
        stages=(4,), masks=3, head=7)),
    # as in the paper: stage 3 of the street view is 4 x 20, shorter than the window of 8, and stage 4 is 2 x 10
    "net_flat": dict(seed=18, after=True, config=network.Config(
        dim=6, depths=(2, 1, 2, 1), heads=(1, 3, 3, 4), window=8, street=(64, 320), aerial=(128, 128),
        stages=(3, 4), masks=2, head=5)),
    # every stage is part of the feature; windows of 2 shifted by 1; an oblong aerial view
    "net_four": dict(seed=64, config=network.Config(
        dim=8, depths=(1, 2, 1, 1), heads=(1, 1, 2, 4), window=2, street=(32, 64), aerial=(32, 64),
        stages=(1, 2, 3, 4), masks=1, head=12)),
    # photos of part of the panorama: two columns at the seam and some in the middle, all, a single patch; the maps wrap
    "net_seen": dict(seed=4, config=network.Config(
        dim=8, depths=(2, 2, 2, 1), heads=(1, 2, 2, 4), window=4, street=(32, 160), aerial=(64, 64),
        stages=(3, 4), masks=2, head=6, visible=True, wrap=True, row_shift=True)),
    # the street view's maps are 10 x 25, 5 x 12, 2 x 6, 1 x 3: merging drops a row and a column
    "sample4geo_odd": dict(seed=1, count=4, after=True, config=Next(
        dims=(8, 16, 24, 32), depths=(1, 2, 2, 1), street=(40, 100), aerial=(64, 64))),
    # odd channels; rows of pixels that fill no patch; one position at the end of the aerial view; each view has its own
    # input; a seventh of the gradients' values is clipped
    "sample4geo_tanh": dict(seed=2, count=3, clip=0.05, config=Next(
        dims=(5, 7, 9, 11), depths=(2, 1, 1, 1), gelu="tanh", street=(38, 71), aerial=(60, 45),
        street_input=(("resize", "opencv"),),
        aerial_input=(("order", "bgr"), ("mean", (0.4, 0.5, 0.6)), ("deviation", (0.2, 0.25, 0.3))))),
    # merging drops rows and columns in both views; the last place counts for its own photo only; a gradient is
    # shortened in each step
    "statewide_zooms": dict(seed=21, count=4, keep=5, after=True, clip_length=1.0,
                            allowed=((1, 1, 0, 0), (1, 1, 1, 0), (0, 1, 1, 0), (1, 1, 1, 1)), config=State(
        dims=(8, 16, 24, 40), depths=(1, 2, 2, 1), street=(70, 90), aerial=(65, 64), heads=4, feature=24, scale=3.0)),
    # odd channels, three heads of five channels, two zooms, GELU by erf, photos for which no other place counts
    "statewide_odd": dict(seed=19, count=3, clip_length=100.0, allowed=((1, 0, 0), (1, 1, 1), (0, 1, 1)), config=State(
        dims=(5, 7, 9, 11), depths=(2, 1, 1, 1), gelu="erf", street=(38, 71), aerial=(45, 45), heads=3, feature=15,
        scale=2.5, zooms=(0.3, 0.7))),
    # maps of 1 x 6 and 3 x 3: the last strip and the lower and right corners are the larger ones
    "frgeo_odd": dict(seed=5, count=4, after=True, config=Strips(
        dims=(7, 12, 16, 24), depths=(1, 1, 2, 1), street=(40, 200), aerial=(97, 110))),
}
FULL = {
    "full": dict(seed=16, config=network.Config()),
    "sample4geo_full": dict(seed=3, config=sample4geo.Config()),
    "statewide_full": dict(seed=6, config=statewide.Config(), count=1, keep=1, learn=False),  # gradients take 15 GB
    "frgeo_full": dict(seed=4, config=frgeo.Config()),
}


def random_like(name, shape, generator):
    """A value for a parameter such that no part of the network is hidden: no zeros, no ones, sums of unit size."""
    values = torch.randn(shape, generator=generator)
    if name.endswith("logit_scale"):
        values = math.log(5) + 0.3 * values
        if ".blocks.1." in name and "layers.0." not in name:
            values[0] = network.MAX_LOGIT_SCALE + 0.3
        return values
    if name.endswith("gamma"):
        return 0.5 + 0.2 * values
    if "norm" in name or (len(shape) == 1 and name.endswith("weight")):
        return (1 if name.endswith("weight") else 0) + 0.3 * values
    if "cpb_mlp.0" in name:
        return 0.5 * values
    if name.endswith(("proj.bias", "fc2.bias")):
        return (1 if "patch_embed" in name else 0.5) * values    # a norm follows: keep its divisor away from zero
    if name.endswith(("bias", ".b1", ".b2")):
        return 0.2 * values
    if name == "head.0.weight":
        return 0.2 * values                      # of a feature of length 1, for any size
    fan_in = shape[-1] if ".fa." in name else math.prod(shape[1:])
    if name.endswith("attention.weight"):
        values *= 3                              # heads with distinct choices
    return values / math.sqrt(fan_in)


def randomise(module, seed):
    """Give every parameter a random value that depends only on the seed and its name."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            generator = torch.Generator().manual_seed(seed * 2**32 + zlib.crc32(name.encode()))
            parameter.copy_(random_like(name, parameter.shape, generator))
    return module


def random_pictures(count, size, random):
    """Pictures (count, H, W, 3) of bytes: patches of colour of several sizes, different in each, and some noise."""
    H, W = size
    pictures = np.full((count, H, W, 3), 128.0)
    for cells, strength in ((2, 60), (4, 40), (16, 25)):
        rows, columns = max(1, cells * H // min(size)), max(1, cells * W // min(size))
        colours = random.standard_normal((count, rows, columns, 3)) * strength
        pictures += colours[:, np.arange(H) * rows // H][:, :, np.arange(W) * columns // W]
    pictures += random.standard_normal(pictures.shape) * 8
    return np.clip(pictures, 0, 255).astype(np.uint8)


def make_batch(config, count, seed):
    """The pictures of a training step. If there are two aerial ones, strong is weak with its colours changed."""
    random = np.random.default_rng(seed)
    zooms = getattr(config, "zooms", ())         # several pictures per place
    aerial = random_pictures(count * max(1, len(zooms)), config.aerial, random)
    if zooms:
        aerial = aerial.reshape(count, len(zooms), *aerial.shape[1:])
        return {"street": random_pictures(count, config.street, random), "aerial": aerial}
    gain, shift = random.uniform(0.7, 1.3, (2, count, 1, 1, 3))
    strong = np.clip(aerial * gain + 60 * (shift - 1), 0, 255).astype(np.uint8)
    street = random_pictures(count, config.street, random)
    pictures = {"street": street, "strong": strong, "weak": aerial, "aerial": aerial}
    seen = {"seen": make_visibility(config, count)} if getattr(config, "visible", False) else {}
    return {name: pictures[name] for name in module_of(config).Network.PICTURES} | seen


def make_visibility(config, count):
    """Which patches of each street picture are seen, (count, H / 4, W / 4) bytes."""
    height, width = (side // network.PATCH for side in config.street)
    seen = np.zeros((count, height, width), np.uint8)
    seen[0, 1:-2, :2] = seen[0, 2:, -1] = seen[0, : height // 2, width // 3 : width // 2] = 1
    seen[1] = 1
    seen[2:, height // 3, width // 4] = 1
    return seen


def module_of(config):
    return sys.modules[type(config).__module__]


def build(config, state, dtype):
    """A network of one float type with the given float32 weights."""
    torch.set_default_dtype(dtype)
    model = module_of(config).Network(config)
    model.load_state_dict(state)
    return model


def evaluate(config, state, pictures, dtype, keep, steps, options, learn=True):
    """Every expected value, by name, computed in one float type. `keep`: the number of pictures whose maps are kept;
    `learn`: gradients too."""
    model = build(config, state, dtype)
    seen = {"street": [torch.from_numpy(pictures["seen"])]} if "seen" in pictures else {}
    batch = [config.normalise(view, torch.from_numpy(pictures[name]), *seen.get(view, []))
             for name, view in model.PICTURES.items()]
    values = {}
    with torch.set_grad_enabled(learn):
        outputs, parts = model.results(*batch, **{key: value for key, value in options.items() if key == "allowed"})
    with torch.no_grad():
        for view, pixels in (("street", batch[0]), ("aerial", batch[1])):
            for s, tokens in enumerate(model.maps(view, pixels[:keep]), 1):
                values[f"out.{view}.stage{s}"] = tokens
    values.update({f"out.{name}": output.detach() for name, output in outputs.items()})
    values["loss"] = torch.stack(parts).detach()
    if learn and seen:
        values.update(with_views(model, outputs))
    if learn:
        parts[0].backward()
        values.update({f"grad.{name}": p.grad.clone() for name, p in model.named_parameters()})
    if steps:
        module = module_of(config)
        adamw, factors = module.optimizer(model), module.factors(steps)
        values["factors"] = torch.tensor(factors)
        values["losses"] = torch.tensor([module.train_step(model, adamw, batch, factor=f, **options) for f in factors])
        values.update({name: torch.as_tensor(option).flatten() for name, option in options.items()})
        values.update({f"after.{name}": p.detach() for name, p in model.named_parameters()})
    torch.set_default_dtype(torch.float32)
    return values


def losses_with_views(outputs, views, alpha=10.0, weights=(0.5, 1.0, 0.5, 0.5)):
    """network.losses for a network that also learns a view of each panorama, with the views' features; three more parts:
    view to strong, view to weak, panorama to view. Weights: contrastive, panorama, view, panorama to view."""
    street, strong, weak, strong_head, weak_head = outputs
    pairs = ((strong_head, weak_head), (street, strong), (street, weak), (views, strong), (views, weak), (street, views))
    parts = [network.triplet(a, b, alpha) for a, b in pairs]
    contrast, panorama, view, agreement = (w / sum(weights) for w in weights)
    factors = (contrast, panorama / 2, panorama / 2, view / 2, view / 2, agreement)
    return sum(f * p for f, p in zip(factors, parts)), *parts


def with_views(model, outputs):
    """The losses of panoramas and their views, and each gradient's norm; the views are the street pictures in reverse
    order."""
    outputs = list(outputs.values())
    parts = losses_with_views(outputs, outputs[0].flip(0))
    names, parameters = zip(*model.named_parameters())
    grads = torch.autograd.grad(parts[0], parameters, retain_graph=True)
    norms = {f"views.norm.{name}": grad.norm().reshape(1) for name, grad in zip(names, grads)}
    return {"views.loss": torch.stack(parts).detach()} | norms


def difference(a, b):
    """Relative difference in the 2-norm; b is the truth."""
    a, b = a.double(), b.double()
    return ((a - b).norm() / b.norm().clamp(min=1e-30)).item()


def worst(kind, low, high):
    """The largest difference among the values whose names start with `kind`, and its name."""
    return max(((difference(low[name], value), name) for name, value in high.items() if name.startswith(kind)),
               default=(0.0, "none"))


def movement(values, state):
    """All updates of the weights in the ten steps, as one vector."""
    return torch.cat([(values[f"after.{name}"].double() - start.double()).flatten() for name, start in state.items()])


def compare(name, low, high, state):
    """Print how well float32 agrees with float64; raise if it is not well enough for a reference."""
    output, output_name = worst("out.", low, high)
    gradient, gradient_name = worst("grad.", low, high)
    print(f"{name}: loss {high['loss'][0].item():.4f}; float32 against float64: "
          f"outputs {output:.1e} ({output_name}), gradients {gradient:.1e} ({gradient_name})")
    for key, value in high.items():
        if key.startswith("grad.") and not value.any():
            print(f"  exactly zero: {key}")
    good = output <= OUTPUT_LIMIT and gradient <= GRADIENT_LIMIT
    if "losses" in high:
        off = (low["losses"] - high["losses"]).abs().max().item()
        cosine = torch.cosine_similarity(movement(low, state), movement(high, state), dim=0).item()
        good = good and off <= LOSS_LIMIT and 1 - cosine <= MOVEMENT_LIMIT
        print(f"  {len(high['losses'])} steps: losses {' '.join(f'{x:.4f}' for x in high['losses'].tolist())}; "
              f"off by at most {off:.1e}; cosine of the weights' updates {cosine:.7f}")
    if not good:
        raise SystemExit(f"{name}: too ill-conditioned to be a golden file; change its seed")


def as_arrays(tensors):
    return {name: tensor.float().numpy() for name, tensor in tensors.items()}


def metadata(config, command):
    notes = {"command": f"tools/make_golden.py{command}", "torch": torch.__version__.split("+")[0]}
    return {"config": config.to_json(), **notes} if config else notes


def write_network(folder, name, config, seed, command="", count=3, keep=1, steps=STEPS, after=False, learn=True,
                  **options):
    """The checkpoint and the golden file of one configuration. options: of each training step."""
    options = {name: torch.tensor(option) if name == "allowed" else option for name, option in options.items()}
    state = randomise(module_of(config).Network(config), seed).state_dict()
    pictures = make_batch(config, count, seed)
    high = evaluate(config, state, pictures, torch.float64, keep, steps, options, learn)
    low = evaluate(config, state, pictures, torch.float32, keep, steps, options, learn)
    compare(name, low, high, state)
    expected = {k: v for k, v in high.items() if after or not k.startswith("after.")}
    notes = metadata(config, command)
    tensorfile.save(os.path.join(folder, f"{name}.safetensors"), as_arrays(state), notes)
    tensorfile.save(os.path.join(folder, f"{name}_golden.safetensors"), pictures | as_arrays(expected), notes)


def write_foreign(folder):
    """The backbone of a tiny Sample4Geo under timm's and Facebook's names, with a classifier that is ignored."""
    case = TINY["sample4geo_tanh"]
    state = randomise(sample4geo.Sample4Geo(case["config"]), case["seed"]).both.backbone.state_dict()
    classifier = randomise(torch.nn.Linear(case["config"].dims[-1], 3), case["seed"]).state_dict()
    for who, rename, head in (("timm", sample4geo.timm_name, "head.fc."),
                              ("facebook", sample4geo.facebook_name, "head.")):
        tensors = {rename(name): tensor for name, tensor in state.items()}
        tensors |= {head + name: tensor for name, tensor in classifier.items()}
        tensorfile.save(os.path.join(folder, f"convnext_{who}.safetensors"), as_arrays(tensors), metadata(None, ""))


def timm_outputs(timm, model, state, pixels):
    """The last map (B, L, C), and of a ConvNeXt Sample4Geo's feature from it, in the default float type."""
    model = timm.create_model(model).to(torch.get_default_dtype()).eval()
    model.load_state_dict(state)
    with torch.no_grad():
        maps = model.forward_features(pixels)
        if maps.shape[1] == maps.shape[2]:       # (B, H, W, C)
            return {"out.aerial.stage4": maps.flatten(1, 2)}
        feature = model.forward_head(maps, pre_logits=True)
        return {"out.aerial.stage4": maps.flatten(2).transpose(1, 2),
                "out.aerial.feature": torch.nn.functional.normalize(feature, dim=1)}


def check_names(name, config, state, pixels, expected):
    """Check that our ConvNeXt with timm's weights equals timm's."""
    model = sample4geo.Sample4Geo(config).eval()
    backbone = model.both.backbone
    backbone.load_state_dict({ours: state[sample4geo.timm_name(ours)] for ours in backbone.state_dict()})
    with torch.no_grad():
        off = difference(model.both(pixels), expected["out.aerial.feature"])
    print(f"{name}: ours against timm's, relative: {off:.1e}")
    if off > 1e-12:
        raise SystemExit(f"{name}: tools/sample4geo.py differs from timm's network")


TIMM = {                                         # file: timm's name, side of the pictures, our configuration
    "timm": ("swinv2_tiny_window8_256", 256, None),
    "timm_convnext_tiny": ("convnext_tiny", 384, sample4geo.PRESETS["sample4geo-tiny"]),
    "timm_convnext_base": ("convnext_base", 384, sample4geo.PRESETS["sample4geo"]),
}


def write_timm(folder, command, name, model, side, config, count=2, seed=21):
    """timm's own network: its weights under its own names, pictures, and its last map after the final norm, if any."""
    try:
        import timm
    except ImportError:
        sys.exit("make_golden.py: --timm needs the package timm")
    expected = {}
    pictures = random_pictures(count, (side, side), np.random.default_rng(seed))
    state = randomise(timm.create_model(model), seed).state_dict()
    for dtype in (torch.float32, torch.float64):
        torch.set_default_dtype(dtype)
        pixels = network.normalise(torch.from_numpy(pictures))
        expected[dtype] = timm_outputs(timm, model, state, pixels)
    if config is not None:
        check_names(name, config, state, pixels, expected[torch.float64])
    torch.set_default_dtype(torch.float32)
    off = worst("out.", expected[torch.float32], expected[torch.float64])
    print(f"{name}, timm {timm.__version__}: float32 against float64, relative: {off[0]:.1e} ({off[1]})")
    notes = metadata(None, command) | {"timm": timm.__version__}
    tensorfile.save(os.path.join(folder, f"{name}.safetensors"), as_arrays(state), notes)
    golden = {"aerial": pictures} | as_arrays(expected[torch.float64])
    tensorfile.save(os.path.join(folder, f"{name}_golden.safetensors"), golden, notes)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", metavar="DIR", default=os.path.join(here, "..", "tests", "golden"),
                        help="folder of the tiny files (default: tests/golden)")
    parser.add_argument("--only", choices=[*TINY, *FULL, *TIMM], metavar="NAME", help="only this configuration")
    parser.add_argument("--full", metavar="DIR", help=f"write these and their _golden to DIR: {', '.join(FULL)}")
    parser.add_argument("--timm", metavar="DIR", help=f"write these and their _golden to DIR: {', '.join(TIMM)}")
    options = parser.parse_args()
    torch.set_num_threads(1)                     # sums in a fixed order, so that the files are the same each time
    torch.use_deterministic_algorithms(True)

    def chosen(cases):
        return [(name, case) for name, case in cases.items() if options.only in (None, name)]

    for folder in filter(None, (options.full, options.timm, options.out)):
        os.makedirs(folder, exist_ok=True)
    if options.full:
        for name, case in chosen(FULL):
            write_network(options.full, name, command=" --full DIR", steps=0, **{"count": 2, "keep": 2} | case)
    if options.timm:
        for name, case in chosen(TIMM):
            write_timm(options.timm, " --timm DIR", name, *case)
    if not options.full and not options.timm:
        for name, case in chosen(TINY):
            write_network(options.out, name, **case)
        write_foreign(options.out)


if __name__ == "__main__":
    main()
