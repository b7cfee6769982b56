#!/usr/bin/env python3
"""make_torch_files.py FOLDER - small files of torch.save, good and bad, as tests/golden/torch/ and the fuzz target have them.

The good ones hold one state dictionary (names, types and numbers: `tensors` below), in both formats and as training
scripts wrap it. The bad ones would run code, each in another way, if anybody unpickled them.
"""
import collections
import os
import pickle
import struct
import sys
import zipfile

import numpy as np
import torch


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


def main(folder):
    os.makedirs(folder, exist_ok=True)

    def save(name, what, **how):
        torch.save(what, os.path.join(folder, name), **how)

    # The names inside a zip file come from the path's, so that they are the same everywhere.
    legacy = dict(_use_new_zipfile_serialization=False)
    save("zip.pth", tensors())
    save("legacy.pth", tensors(), **legacy)
    save("legacy4.pth", tensors(), pickle_protocol=4, **legacy)
    wrapped = {"epoch": 3, "state_dict": collections.OrderedDict(("module." + k, v) for k, v in tensors().items()),
               "best_acc1": np.float64(97.06), "args": None, "lr": [1e-4, (0.9, 0.999)],
               "state": collections.defaultdict(dict, {0: {"step": torch.tensor(3.0), "norm": torch.ones(2)}})}
    save("wrapped.pth.tar", wrapped)
    save("wrapped_legacy.pth.tar", wrapped, **legacy)

    touch = "touch tests_ran_code"
    save("bad_system.pth", {"w": torch.ones(1), "x": Call(os.system, touch)})
    save("bad_system_legacy.pth", {"w": torch.ones(1), "x": Call(os.system, touch)}, **legacy)
    save("bad_eval.pth", {"w": torch.ones(1), "x": Call(eval, f"__import__('os').system('{touch}')")})
    save("bad_open.pth", {"w": torch.ones(1), "x": Call(open, "tests_ran_code", "w")}, pickle_protocol=4)
    save("bad_getattr.pth", {"w": torch.ones(1), "x": Call(getattr, 1, "real")})
    # The oldest instruction that calls, by its letters, in place of the pickle.
    with zipfile.ZipFile(os.path.join(folder, "bad_inst.pth"), "w") as z:
        z.writestr("bad/data.pkl", b"(S'" + touch.encode() + b"'\nios\nsystem\n.")
    with zipfile.ZipFile(os.path.join(folder, "bad_inst2.pth"), "w") as z:
        text = touch.encode()
        z.writestr("bad/data.pkl", b"\x80\x02(X" + struct.pack("<I", len(text)) + text + b"ios\nsystem\n.")
    save("module.pth", torch.nn.Linear(2, 2))
    with open(os.path.join(folder, "plain.pickle.pth"), "wb") as f:
        pickle.dump({"w": 1}, f)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
