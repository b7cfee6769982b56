"""Write the golden files that the C network is tested against: checkpoints, inputs and what PyTorch makes of them.

  make_golden.py                  the tiny configurations of tests/golden (a few MB, part of the repository)
  make_golden.py --full DIR       the paper's configuration (about 700 MB, made where it is needed)
  make_golden.py --timm DIR       timm's swinv2_tiny_window8_256, for the import of other people's weights

NAME.safetensors is a checkpoint as the program reads it. NAME_golden.safetensors holds, all float32 but the pictures:

  street, strong, weak            (B, H, W, 3)  bytes; strong and weak are aerial
  out.VIEW.stageS                 (b, L, C)     maps of the first b pictures; VIEW street, or aerial (of `strong`)
  out.WHICH.feature               (B, D)        WHICH street, strong, weak; of length 1
  out.WHICH.head                  (B, head)     WHICH strong, weak; of length 1
  loss                            (4)           total, contrastive, street to strong, street to weak
  grad.PARAMETER                                of the total
  factors, losses                 (10)          ten training steps on this batch: the factor on every rate, the total
  after.PARAMETER                               the weights after them (not in every file)

Every tensor of a checkpoint is random, norms and biases too, and the first head of a later stage's second block is
sharper than attention's limit. Values are computed in float64 and rounded once. The same arithmetic in float32 is
compared with them: a configuration in which PyTorch disagrees with itself could not judge anyone else.
"""
import argparse
import math
import os
import sys
import zlib

import numpy as np
import torch

import network
import tensorfile

STEPS = 10
# How far float32 may be from float64: relative 2-norm of outputs and of gradients; losses of the ten steps; 1 - cosine
# of the weights' movement in them.
OUTPUT_LIMIT, GRADIENT_LIMIT, LOSS_LIMIT, MOVEMENT_LIMIT = 1e-5, 2e-4, 2e-6, 1e-4

# Each is small, and odd in its own way: see the comment beside it. `after` keeps the weights after the ten steps.
TINY = {
    # 7 channels, and 7 to a head; a map of 8 x 40 shifted by 2; one of 1 x 5, whose windows are single places
    "narrow": dict(seed=25, config=network.Config(
        dim=7, depths=(2, 2, 1, 1), heads=(1, 2, 7, 7), window=4, street=(32, 160), aerial=(64, 64),
        stages=(4,), masks=3, head=7)),
    # as in the paper: stage 3 of the street view is 4 x 20, shorter than the window of 8, and stage 4 is 2 x 10
    "flat": dict(seed=18, after=True, config=network.Config(
        dim=6, depths=(2, 1, 2, 1), heads=(1, 3, 3, 4), window=8, street=(64, 320), aerial=(128, 128),
        stages=(3, 4), masks=2, head=5)),
    # every stage becomes part of the feature; windows of 2 shifted by 1; an oblong aerial view
    "four": dict(seed=64, config=network.Config(
        dim=8, depths=(1, 2, 1, 1), heads=(1, 1, 2, 4), window=2, street=(32, 64), aerial=(32, 64),
        stages=(1, 2, 3, 4), masks=1, head=12)),
}


def random_like(name, shape, generator):
    """A value for a parameter that no part of the network can hide: nothing zero, nothing one, sums of unit size."""
    values = torch.randn(shape, generator=generator)
    if name.endswith("logit_scale"):
        values = math.log(5) + 0.3 * values
        if ".blocks.1." in name and "layers.0." not in name:
            values[0] = network.MAX_LOGIT_SCALE + 0.3
        return values
    if "norm" in name:
        return (1 if name.endswith("weight") else 0) + 0.3 * values
    if "cpb_mlp.0" in name:
        return 0.5 * values
    if name.endswith(("proj.bias", "fc2.bias")):
        return (1 if "patch_embed" in name else 0.5) * values    # a norm follows: keep what it divides by from zero
    if name.endswith(("bias", ".b1", ".b2")):
        return 0.2 * values
    if name == "head.0.weight":
        return 0.2 * values                      # of a feature of length 1, whatever its size
    fan_in = shape[-1] if ".fa." in name else math.prod(shape[1:])
    return values / math.sqrt(fan_in)


def randomise(module, seed):
    """Give every parameter a random value that depends on the seed and its name alone."""
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
    """Three sets of pictures; strong is weak with its colours changed."""
    random = np.random.default_rng(seed)
    weak = random_pictures(count, config.aerial, random)
    gain, shift = random.uniform(0.7, 1.3, (2, count, 1, 1, 3))
    strong = np.clip(weak * gain + 60 * (shift - 1), 0, 255).astype(np.uint8)
    return {"street": random_pictures(count, config.street, random), "strong": strong, "weak": weak}


def build(config, state, dtype):
    """A network of one float type that holds the given float32 weights."""
    torch.set_default_dtype(dtype)
    model = network.GeoViewMatch(config)
    model.load_state_dict(state)
    return model


def evaluate(config, state, pictures, dtype, keep, steps):
    """Every expected value, by name, computed in one float type. `keep`: of how many pictures the maps are kept."""
    model = build(config, state, dtype)
    batch = [network.normalise(torch.from_numpy(pictures[k])) for k in ("street", "strong", "weak")]
    values = {}
    outputs = model(*batch)
    with torch.no_grad():
        for view, pixels in (("street", batch[0]), ("aerial", batch[1])):
            for s, tokens in enumerate(getattr(model, view).backbone(pixels[:keep]), 1):
                values[f"out.{view}.stage{s}"] = tokens
    names = ("street.feature", "strong.feature", "weak.feature", "strong.head", "weak.head")
    values.update({f"out.{name}": output.detach() for name, output in zip(names, outputs)})
    parts = network.losses(outputs)
    parts[0].backward()
    values["loss"] = torch.stack(parts).detach()
    values.update({f"grad.{name}": p.grad.clone() for name, p in model.named_parameters()})
    if steps:
        adamw = network.optimizer(model)
        factors = [network.cosine(i, steps) for i in range(steps)]
        values["factors"] = torch.tensor(factors)
        values["losses"] = torch.tensor([network.asam_step(model, adamw, batch, factor=f) for f in factors])
        values.update({f"after.{name}": p.detach() for name, p in model.named_parameters()})
    torch.set_default_dtype(torch.float32)
    return values


def difference(a, b):
    """Relative difference in the 2-norm; b is the truth."""
    a, b = a.double(), b.double()
    return ((a - b).norm() / b.norm().clamp(min=1e-30)).item()


def worst(kind, low, high):
    """The largest difference among the values whose names start with `kind`, and the name."""
    return max((difference(low[name], value), name) for name, value in high.items() if name.startswith(kind))


def movement(values, state):
    """All changes of weights in the ten steps, as one vector."""
    return torch.cat([(values[f"after.{name}"].double() - start.double()).flatten() for name, start in state.items()])


def compare(name, low, high, state):
    """Say how well float32 agrees with float64; raise if it is too little to be a yardstick."""
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
              f"off by at most {off:.1e}; cosine of the weights' movement {cosine:.7f}")
    if not good:
        raise SystemExit(f"{name}: too ill-conditioned to be a golden file; change its seed")


def as_arrays(tensors):
    return {name: tensor.float().numpy() for name, tensor in tensors.items()}


def metadata(config, command):
    notes = {"command": f"tools/make_golden.py{command}", "torch": torch.__version__.split("+")[0]}
    return {"config": config.to_json(), **notes} if config else notes


def write_network(folder, name, config, seed, command, count=3, keep=1, steps=STEPS, after=False):
    """The checkpoint and the golden file of one configuration."""
    state = randomise(network.GeoViewMatch(config), seed).state_dict()
    pictures = make_batch(config, count, seed)
    high = evaluate(config, state, pictures, torch.float64, keep, steps)
    low = evaluate(config, state, pictures, torch.float32, keep, steps)
    compare(name, low, high, state)
    expected = {k: v for k, v in high.items() if after or not k.startswith("after.")}
    notes = metadata(config, command)
    tensorfile.save(os.path.join(folder, f"{name}.safetensors"), as_arrays(state), notes)
    tensorfile.save(os.path.join(folder, f"{name}_golden.safetensors"), pictures | as_arrays(expected), notes)


def write_timm(folder, command, count=2, seed=21):
    """timm's own network: its weights under its own names, pictures, and its last map after the final norm."""
    try:
        import timm
    except ImportError:
        sys.exit("make_golden.py: --timm needs the package timm")
    expected = {}
    pictures = random_pictures(count, (256, 256), np.random.default_rng(seed))
    state = randomise(timm.create_model("swinv2_tiny_window8_256"), seed).state_dict()
    for dtype in (torch.float64, torch.float32):
        torch.set_default_dtype(dtype)
        model = timm.create_model("swinv2_tiny_window8_256").to(dtype).eval()
        model.load_state_dict(state)
        with torch.no_grad():
            tokens = model.forward_features(network.normalise(torch.from_numpy(pictures)))   # (B, 8, 8, 768)
        expected[dtype] = tokens.flatten(1, 2)
    torch.set_default_dtype(torch.float32)
    off = difference(expected[torch.float32], expected[torch.float64])
    print(f"timm {timm.__version__}: last map, float32 against float64, relative: {off:.1e}")
    notes = metadata(None, command) | {"timm": timm.__version__}
    arrays = {k: v.numpy() for k, v in state.items()}
    tensorfile.save(os.path.join(folder, "timm.safetensors"), arrays, notes)
    golden = {"aerial": pictures, "out.aerial.stage4": expected[torch.float64].float().numpy()}
    tensorfile.save(os.path.join(folder, "timm_golden.safetensors"), golden, notes)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", metavar="DIR", default=os.path.join(here, "..", "tests", "golden"),
                        help="where the tiny files go (default: tests/golden)")
    parser.add_argument("--only", choices=TINY, help="just one of the tiny configurations")
    parser.add_argument("--full", metavar="DIR", help="write full.safetensors and full_golden.safetensors there")
    parser.add_argument("--timm", metavar="DIR", help="write timm.safetensors and timm_golden.safetensors there")
    options = parser.parse_args()
    torch.set_num_threads(1)                     # so that sums have one order and the files come out the same
    torch.use_deterministic_algorithms(True)

    for folder in filter(None, (options.full, options.timm, options.out)):
        os.makedirs(folder, exist_ok=True)
    if options.full:
        write_network(options.full, "full", network.Config(), seed=16, command=" --full DIR", count=2, keep=2, steps=0)
    if options.timm:
        write_timm(options.timm, command=" --timm DIR")
    if not options.full and not options.timm:
        for name, case in TINY.items():
            if options.only in (None, name):
                write_network(options.out, f"net_{name}", command="", **case)


if __name__ == "__main__":
    main()
