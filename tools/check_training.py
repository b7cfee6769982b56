"""Train with our program and with PyTorch from the same weights on the same pixels, and compare.

  check_training.py                 nano on pictures of a drawn town; takes some minutes
  check_training.py --golden DIR    write the small case with which tests/cli/golden_run.sh compares `train`

30 steps on the 64 pairs of a town, without augmentation and drop path and in the order of the list, with `train` and
with PyTorch and the network of tools/network.py. The losses of each step must agree to 1e-4, and the weights' updates
must have a cosine similarity above 0.999. Needs PyTorch and Pillow.

The golden case is tests/golden/net_narrow.safetensors on pictures that have the network's size already, so that
decoding and resizing cannot differ. DIR gets street/, aerial/ and pairs.csv (without splits: each pair serves for
training and for testing), and golden.safetensors: losses (30) and, for each parameter, update.NAME, after minus before,
as float16. PyTorch computes it in float64; a float32 run must agree, or the case would be too ill-conditioned to
compare with.
"""
import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile

import network
import tensorfile

STEPS, PAIRS, BATCH, EPOCHS = 30, 64, 16, 20
LOSS_LIMIT, COSINE_LIMIT = 1e-4, 0.999
HERE = os.path.dirname(os.path.abspath(__file__))


def run(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"check_training.py: {program} {' '.join(arguments)}: {done.stderr.strip()}")


def make_city(program, folder):
    run(program, "world", "--out", folder, "--pairs", str(PAIRS), "--seed", "11", "--test", "0", "--quiet")


def pictures(folder, config):
    """The town's pairs at the network's size, 0..255, (n, H, W, 3), and their rows."""
    import numpy as np
    from PIL import Image

    views = {"street": [], "aerial": []}
    with open(os.path.join(folder, "pairs.csv"), newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for view, stack in views.items():
            picture = Image.open(os.path.join(folder, row[view])).convert("RGB")
            H, W = getattr(config, view)
            stack.append(np.asarray(picture.resize((W, H), Image.Resampling.BILINEAR)))
    return {view: np.stack(stack) for view, stack in views.items()}, rows


def train(weights, pixels, config, dtype):
    """The loss of each step, and the update of each weight over all steps, by name."""
    import torch

    torch.set_default_dtype(dtype)
    model = network.GeoViewMatch(config)
    model.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in weights.items()})
    adamw = network.optimizer(model)
    count = len(pixels["street"]) // BATCH
    losses = []
    for step in range(STEPS):
        part = slice(step % count * BATCH, (step % count + 1) * BATCH)
        street, aerial = (network.normalise(torch.from_numpy(pixels[v][part].copy())) for v in ("street", "aerial"))
        factor = network.cosine(step // count, EPOCHS)
        losses.append(float(network.train_step(model, adamw, (street, aerial, aerial), factor=factor)))
    return losses, {name: p.detach().numpy() - weights[name] for name, p in model.named_parameters()}


def compare(what, ours, theirs):
    """Print the difference of two runs, given as losses and updates; exit if it is too large."""
    import numpy as np

    worst = max(abs(a / b - 1) for a, b in zip(ours[0], theirs[0], strict=True))
    x, y = (np.concatenate([updates[name].ravel() for name in theirs[1]]).astype(np.float64)
            for updates in (ours[1], theirs[1]))
    cosine = x @ y / np.sqrt((x @ x) * (y @ y))
    print(f"{what}, {STEPS} steps: worst loss off by {worst:.1e} (relative), cosine of the updates {cosine:.6f}")
    if not (worst <= LOSS_LIMIT and cosine > COSINE_LIMIT):
        sys.exit("check_training.py: the difference is too large")


def check(program, folder):
    """Our program against PyTorch, nano on a drawn town."""
    import torch

    city, start, out = (os.path.join(folder, name) for name in ("city", "start.safetensors", "run"))
    make_city(program, city)
    run(program, "init", "--preset", "nano", "--seed", "3", "--out", start)
    run(program, "train", "--data", city, "--out", out, "--init", start, "--augment", "none", "--drop-path", "0",
        "--shuffle", "no", "--batch", str(BATCH), "--epochs", str(EPOCHS), "--steps", str(STEPS), "--eval-every", "0",
        "--quiet")
    before, metadata = tensorfile.load(start)
    after, _ = tensorfile.load(os.path.join(out, "last.safetensors"))
    with open(os.path.join(out, "log.jsonl"), encoding="utf-8") as file:
        losses = [json.loads(line)["loss"] for line in file]
    config = network.Config.from_json(metadata["config"])
    pixels, _ = pictures(city, config)
    compare("train against PyTorch", (losses, {name: after[name] - before[name] for name in before}),
            train(before, pixels, config, torch.float32))


def save_pictures(folder, pixels, rows):
    """Write the pictures as PNG, and their list. 32 levels per channel halve the size of the files."""
    from PIL import Image

    for view, stack in pixels.items():
        os.makedirs(os.path.join(folder, view), exist_ok=True)
        for i, array in enumerate(stack):
            Image.fromarray(array).save(os.path.join(folder, view, f"{i:02d}.png"), optimize=True)
    with open(os.path.join(folder, "pairs.csv"), "w", encoding="utf-8") as file:
        file.write("id,street,aerial,lat,lon\n")
        file.writelines(f"{i:02d},street/{i:02d}.png,aerial/{i:02d}.png,{row['lat']},{row['lon']}\n"
                        for i, row in enumerate(rows))


def write_golden(program, folder, golden):
    """Write the pictures, and the losses and updates of PyTorch's run."""
    import numpy as np
    import torch

    torch.set_num_threads(1)                     # sums in a fixed order: the same file each time
    city = os.path.join(folder, "city")
    make_city(program, city)
    before, metadata = tensorfile.load(os.path.join(HERE, "..", "tests", "golden", "net_narrow.safetensors"))
    config = network.Config.from_json(metadata["config"])
    pixels, rows = pictures(city, config)
    pixels = {view: stack // 8 * 8 + 4 for view, stack in pixels.items()}
    losses, updates = train(before, pixels, config, torch.float64)
    compare("PyTorch in float32 against float64", train(before, pixels, config, torch.float32), (losses, updates))
    save_pictures(golden, pixels, rows)
    tensors = {f"update.{name}": update.astype(np.float16) for name, update in updates.items()}
    tensorfile.save(os.path.join(golden, "golden.safetensors"), {"losses": np.array(losses)} | tensors,
                    {"command": "tools/check_training.py --golden DIR", "torch": torch.__version__.split("+")[0]})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.path.join(HERE, "..", "build", "geoviewmatch"))
    parser.add_argument("--golden", metavar="DIR", help="write the golden case there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.golden:
            write_golden(options.program, folder, options.golden)
        else:
            check(options.program, folder)


if __name__ == "__main__":
    main()
