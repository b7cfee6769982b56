"""Train with our program and with PyTorch from the same weights on the same pixels, and compare.

30 steps of `train` on a practice city of 64 pairs, without augmentation and drop path and in the order of the list; then
the same in PyTorch, with the network of tools/network.py. The losses of each step must agree to 1e-4, and the way that
the weights went must have a cosine above 0.999. Needs PyTorch and Pillow; takes some minutes.
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

STEPS, PAIRS, BATCH = 30, 64, 16


def run(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"check_training.py: {program} {' '.join(arguments)}: {done.stderr.strip()}")


def pictures(folder, config):
    """The city's training pairs at the network's size, 0..255, (n, H, W, 3)."""
    import numpy as np
    from PIL import Image

    views = {"street": [], "aerial": []}
    with open(os.path.join(folder, "pairs.csv"), newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["split"] != "train":
                continue
            for view, stack in views.items():
                picture = Image.open(os.path.join(folder, row[view])).convert("RGB")
                H, W = getattr(config, view)
                stack.append(np.asarray(picture.resize((W, H), Image.Resampling.BILINEAR)))
    return {view: np.stack(stack) for view, stack in views.items()}


def train(weights, pixels, config, epochs):
    """The losses of each step and the weights after the last."""
    import torch

    model = network.GeoViewMatch(config)
    model.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in weights.items()})
    adamw = network.optimizer(model)
    count = len(pixels["street"]) // BATCH
    losses = []
    for step in range(STEPS):
        part = slice(step % count * BATCH, (step % count + 1) * BATCH)
        street, aerial = (network.normalise(torch.from_numpy(pixels[view][part].copy())) for view in ("street", "aerial"))
        factor = network.cosine(step // count, epochs)
        losses.append(float(network.asam_step(model, adamw, (street, aerial, aerial), factor=factor)))
    return losses, {name: p.detach().numpy() for name, p in model.named_parameters()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/geoviewmatch")
    options = parser.parse_args()
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        city, start, out = (os.path.join(folder, name) for name in ("city", "start.safetensors", "run"))
        run(options.program, "world", "--out", city, "--pairs", str(PAIRS), "--seed", "11", "--quiet")
        run(options.program, "init", "--preset", "nano", "--seed", "3", "--out", start)
        epochs = 20
        run(options.program, "train", "--data", city, "--out", out, "--init", start, "--augment", "none",
            "--drop-path", "0", "--shuffle", "no", "--batch", str(BATCH), "--epochs", str(epochs), "--steps", str(STEPS),
            "--eval-every", "0", "--quiet")
        before, metadata = tensorfile.load(start)
        after, _ = tensorfile.load(os.path.join(out, "last.safetensors"))
        with open(os.path.join(out, "log.jsonl"), encoding="utf-8") as file:
            ours = [json.loads(line)["loss"] for line in file]
        config = network.Config.from_json(metadata["config"])
        theirs, weights = train(before, pictures(city, config), config, epochs)

    worst = max(abs(a / b - 1) for a, b in zip(ours, theirs, strict=True))
    x = np.concatenate([(after[name] - before[name]).ravel() for name in weights]).astype(np.float64)
    y = np.concatenate([(weights[name] - before[name]).ravel() for name in weights]).astype(np.float64)
    cosine = x @ y / np.sqrt((x @ x) * (y @ y))
    print(f"{STEPS} steps: worst loss off by {worst:.1e} (relative), cosine of the weights' way {cosine:.6f}")
    if worst > 1e-4 or cosine < 0.999:
        sys.exit("check_training.py: that is too far apart")


if __name__ == "__main__":
    main()
