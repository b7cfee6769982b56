#!/usr/bin/env python3
"""make_import_files.py FOLDER - files in foreign formats, as in tests/golden.

FOLDER/torch/: files written by torch.save. The good ones hold one state dictionary (`tensors` below), in both formats
and with the wrappers that training scripts use. The bad ones would run code, each in another way, if unpickled.
FOLDER/import/: small networks with the names and the order of dimensions of the published statewide, Sample4Geo and
FRGeo. Their numbers follow from our names (`numbers`), so that tests/test_import.c can identify each.
"""
import collections
import os
import pickle
import re
import struct
import sys
import zipfile

import numpy as np
import torch

import tensorfile


def tensors():
    base = torch.arange(24.0)
    halves = base[:8] / 8 - 0.5
    return collections.OrderedDict([
        ("plain.weight", base[:6].clone().reshape(2, 3)),
        ("turned.weight", base[:6].clone().reshape(2, 3).t()),
        ("permuted", base.clone().reshape(2, 3, 4).permute(2, 0, 1)),
        ("view.first", base[:10]),
        ("view.second", base[10:20:3]),
        ("half", halves.half()),
        ("bfloat", halves.bfloat16()),
        ("double", halves.double()),
        ("parameter", torch.nn.Parameter(torch.tensor([1.5, -2.5]))),
        ("num_batches_tracked", torch.tensor(7)),
        ("single", torch.tensor(2.6593)),
        ("empty", torch.zeros(0, 3)),
    ])


class Call:
    def __init__(self, function, *arguments):
        self.what = function, arguments

    def __reduce__(self):
        return self.what


def torch_files(folder):
    os.makedirs(folder, exist_ok=True)

    def save(name, what, **how):
        torch.save(what, os.path.join(folder, name), **how)

    # The names inside a zip file contain its file name, so use the same everywhere.
    legacy = dict(_use_new_zipfile_serialization=False)
    save("zip.pth", tensors())
    save("legacy.pth", tensors(), **legacy)
    save("legacy4.pth", tensors(), pickle_protocol=4, **legacy)
    wrapped = {"epoch": 3, "state_dict": collections.OrderedDict(("module." + k, v) for k, v in tensors().items()),
               "best_acc1": np.float64(97.06), "args": None, "lr": [1e-4, (0.9, 0.999)],
               "state": collections.defaultdict(dict, {0: {"step": torch.tensor(3.0), "norm": torch.ones(2)}})}
    save("wrapped.pth.tar", wrapped)
    save("wrapped_legacy.pth.tar", wrapped | {"best_acc1": torch.tensor(97.06)}, **legacy)

    touch = "touch tests_ran_code"
    save("bad_system.pth", {"w": torch.ones(1), "x": Call(os.system, touch)})
    save("bad_system_legacy.pth", {"w": torch.ones(1), "x": Call(os.system, touch)}, **legacy)
    save("bad_eval.pth", {"w": torch.ones(1), "x": Call(eval, f"__import__('os').system('{touch}')")})
    save("bad_open.pth", {"w": torch.ones(1), "x": Call(open, "tests_ran_code", "w")}, pickle_protocol=4)
    save("bad_getattr.pth", {"w": torch.ones(1), "x": Call(getattr, 1, "real")})
    # The oldest opcode that calls a function, written as letters instead of the pickle.
    with zipfile.ZipFile(os.path.join(folder, "bad_inst.pth"), "w") as z:
        z.writestr("bad/data.pkl", b"(S'" + touch.encode() + b"'\nios\nsystem\n.")
    with zipfile.ZipFile(os.path.join(folder, "bad_inst2.pth"), "w") as z:
        text = touch.encode()
        z.writestr("bad/data.pkl", b"\x80\x02(X" + struct.pack("<I", len(text)) + text + b"ios\nsystem\n.")
    save("module.pth", torch.nn.Linear(2, 2))
    with open(os.path.join(folder, "plain.pickle.pth"), "wb") as f:
        pickle.dump({"w": 1}, f)


# ------------------------------------------------------------------ published networks

DIMS, DEPTHS, HEADS, FEATURE = (3, 4, 5, 6), (1, 1, 2, 1), 2, 8


def convnext():
    """Our names behind `backbone.`, and shapes."""
    out = {}

    def layer(name, *shape):
        out[name + ".weight"] = shape
        out[name + ".bias"] = shape[:1]

    layer("stem.0", DIMS[0], 3, 4, 4)
    layer("stem.1", DIMS[0])
    for s, (d, depth) in enumerate(zip(DIMS, DEPTHS)):
        if s > 0:
            layer(f"stages.{s}.downsample.0", DIMS[s - 1])
            layer(f"stages.{s}.downsample.1", d, DIMS[s - 1], 2, 2)
        for n in range(depth):
            block = f"stages.{s}.blocks.{n}."
            out[block + "gamma"] = (d,)
            layer(block + "conv_dw", d, 1, 7, 7)
            layer(block + "norm", d)
            layer(block + "mlp.fc1", 4 * d, d)
            layer(block + "mlp.fc2", d, 4 * d)
    return out


def numbers(shapes):
    """By our name: number i is ((h + 40503 i) mod 65536) / 65536 - 1/2, where h is the name's FNV-1a hash."""
    out = {}
    for name, shape in shapes.items():
        h = 2166136261
        for byte in name.encode():
            h = (h ^ byte) * 16777619 % 2**32
        count = int(np.prod(shape))
        out[name] = (((h + 40503 * np.arange(count, dtype=np.int64)) % 65536) / 65536 - 0.5).astype(np.float32).reshape(shape)
    return out


def facebook(name):
    """The name that the authors of ConvNeXt use for a parameter with this timm name."""
    name = re.sub(r"^stem\.", "downsample_layers.0.", name)
    name = re.sub(r"^stages\.(\d)\.downsample\.", r"downsample_layers.\1.", name)
    name = re.sub(r"^stages\.(\d)\.blocks\.", r"stages.\1.", name)
    return name.replace("conv_dw", "dwconv").replace("mlp.fc", "pwconv")


def flax(name):
    """The published name of a parameter of one view, and the order of our axes in it."""
    kind = {"0": "Norm", "1": "Conv"}
    weights = {"Conv": ("kernel", (2, 3, 1, 0)), "Norm": ("scale", (0,)), "Linear": ("weight", (1, 0))}
    if m := re.fullmatch(r"backbone\.stages\.(\d)\.blocks\.(\d)\.gamma", name):
        return f"encoder//Stage_{m[1]}//Block_{m[2]}//scale", (0,)
    if m := re.fullmatch(r"backbone\.stem\.(\d)\.(\w+)", name):
        layer, what, place, word = ("Norm" if m[1] == "1" else "Conv"), 0, "encoder//Stem_0", m[2]
    elif m := re.fullmatch(r"backbone\.stages\.(\d)\.downsample\.(\d)\.(\w+)", name):
        layer, what, place, word = kind[m[2]], 0, f"encoder//Downsample_{int(m[1]) - 1}", m[3]
    elif m := re.fullmatch(r"backbone\.stages\.(\d)\.blocks\.(\d)\.(.+)\.(\w+)", name):
        layer, what = {"conv_dw": ("Conv", 0), "norm": ("Norm", 0), "mlp.fc1": ("Linear", 0), "mlp.fc2": ("Linear", 1)}[m[3]]
        place, word = f"encoder//Stage_{m[1]}//Block_{m[2]}", m[4]
    else:
        m = re.fullmatch(r"head\.(\w+)\.(\w+)", name)
        layer, what = {"norm": ("Norm", 0), "attention": ("Linear", 0), "value": ("Linear", 1)}[m[1]]
        place, word = "decoder", m[2]
    weight, order = weights[layer]
    mark = "" if layer == "Conv" else "_"
    return f"{place}//{mark}{layer}_{what}//{weight if word == 'weight' else word}", order if word == "weight" else (0,)


def import_files(folder):
    os.makedirs(folder, exist_ok=True)

    last = {"weight": DIMS[-1:], "bias": DIMS[-1:]}
    both = {"both.backbone." + k: v for k, v in convnext().items()}
    both.update({"both.backbone.norm." + k: v for k, v in last.items()}, logit_scale=())
    tensors = numbers(both)
    names = {k: re.sub(r"^model\.norm", "model.head.norm", k.replace("both.backbone.", "model.")) for k in tensors}
    torch.save({names[k]: torch.from_numpy(v) for k, v in tensors.items()}, os.path.join(folder, "sample4geo.pth"))

    views = {"street": "query_net.", "aerial": "reference_net."}
    shapes = {f"{v}.backbone.{k}": s for v in views for k, s in
              {**convnext(), **{"norm." + w: s for w, s in last.items()}}.items()}
    tensors = numbers(shapes)
    state = collections.OrderedDict()
    for k, v in tensors.items():
        view, _, rest = k.split(".", 2)
        state["module." + views[view] + facebook(rest)] = torch.from_numpy(v)
    torch.save({"epoch": 50, "state_dict": state, "best_acc1": np.float64(97.06), "optimizer": {"state": {}}},
               os.path.join(folder, "frgeo.pth.tar"), _use_new_zipfile_serialization=False)

    C = DIMS[-1]
    head = {"head.norm.weight": (C,), "head.norm.bias": (C,), "head.attention.weight": (HEADS, C),
            "head.value.weight": (FEATURE, C), "head.value.bias": (FEATURE,)}
    one = {**{"backbone." + k: s for k, s in convnext().items()}, **head}
    tensors = numbers({f"{v}.{k}": s for v in views for k, s in one.items()})
    published = {}
    for k, v in tensors.items():
        view, rest = k.split(".", 1)
        there, order = flax(rest)
        published[f"params//{'pv' if view == 'street' else 'aerial'}_{there}"] = v.transpose(order) if v.ndim > 1 else v
    tensorfile.save(os.path.join(folder, "statewide.safetensors"), published, {})

    # A ConvNeXt as trained on ImageNet, with its classifier, for --backbone: the numbers of Sample4Geo's above.
    tensors = numbers(both)
    state = {facebook(k.removeprefix("both.backbone.")): torch.from_numpy(v) for k, v in tensors.items() if k != "logit_scale"}
    state.update({"head.weight": torch.zeros(3, C), "head.bias": torch.zeros(3)})
    torch.save({"model": state}, os.path.join(folder, "convnext.pth"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    torch_files(os.path.join(sys.argv[1], "torch"))
    import_files(os.path.join(sys.argv[1], "import"))
