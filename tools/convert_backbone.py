"""Convert a pre-trained Swin V2 backbone from a PyTorch file to safetensors, for `geoviewmatch train --backbone`.

Reads the official checkpoints (weights under "model", or bare) and timm's state dictionaries, which keep patch merging
at the start of the next stage; writes the official names, float32. The classifier and what can be computed again
(tables of offsets, indices, masks) are skipped and listed. Everything else has to fit: a missing, unknown or misshapen
tensor is an error.

The file is read as plain data (torch.load with weights_only), so it cannot run code.

The official file for the paper's network is swinv2_tiny_patch4_window8_256.pth, of the releases (v2.0.0) of
https://github.com/SwinTransformer/storage. timm's model swinv2_tiny_window8_256.ms_in1k on the Hugging Face hub is the same
as model.safetensors, which --backbone reads as it is: neither this tool nor PyTorch is needed for it.
"""
import argparse
import os
import re
import sys

try:
    import torch

    import tensorfile
except ImportError as error:                     # --help is for those who have not got it yet
    torch, missing = None, error.name

COMPUTED = ("relative_coords_table", "relative_position_index", "attn_mask", "k_bias")
STAGES = 4


class Unfit(Exception):
    """Why a file cannot be converted, in one sentence."""


def read(path):
    """The tensors of a PyTorch file by name, without a wrapper that training may have put around them."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise Unfit(f"cannot be read ({error.strerror or error})") from error
    except Exception as error:                   # what a damaged file makes the unpickler raise can be of any type
        raise Unfit(f"not a PyTorch file of plain tensors, or damaged ({type(error).__name__})") from error
    for key in ("model", "state_dict"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
            break
    if not isinstance(content, dict) or not any(isinstance(value, torch.Tensor) for value in content.values()):
        raise Unfit("holds no dictionary of tensors")
    if all(name.startswith("module.") for name in content):
        content = {name.removeprefix("module."): value for name, value in content.items()}
    return {name: value for name, value in content.items() if isinstance(value, torch.Tensor)}


def skipped(name):
    return name.startswith("head.") or name.rpartition(".")[2] in COMPUTED


def official_names(tensors):
    """timm's layers.(i+1).downsample is the official layers.i.downsample; other names agree."""
    if not any(name.startswith(f"layers.{STAGES - 1}.downsample.") for name in tensors):
        return tensors
    return {re.sub(r"^layers\.(\d+)\.downsample\.", lambda m: f"layers.{int(m[1]) - 1}.downsample.", name): value
            for name, value in tensors.items()}


def norm_shapes(name, channels):
    return {f"{name}.weight": (channels,), f"{name}.bias": (channels,)}


def linear_shapes(name, inputs, outputs):
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def block_shapes(name, channels, heads):
    """Names and shapes of one block."""
    return {f"{name}.attn.logit_scale": (heads, 1, 1),
            f"{name}.attn.q_bias": (channels,), f"{name}.attn.v_bias": (channels,),
            **linear_shapes(f"{name}.attn.cpb_mlp.0", 2, 512), f"{name}.attn.cpb_mlp.2.weight": (heads, 512),
            f"{name}.attn.qkv.weight": (3 * channels, channels),
            **linear_shapes(f"{name}.attn.proj", channels, channels), **norm_shapes(f"{name}.norm1", channels),
            **linear_shapes(f"{name}.mlp.fc1", channels, 4 * channels),
            **linear_shapes(f"{name}.mlp.fc2", 4 * channels, channels), **norm_shapes(f"{name}.norm2", channels)}


def expected_shapes(tensors):
    """Names and shapes that a backbone of this file's width, depths and heads has, in the order of the network."""
    filters = tensors.get("patch_embed.proj.weight")
    if filters is None or filters.dim() != 4:
        raise Unfit("no patch_embed.proj.weight: not a Swin V2 backbone")
    channels = filters.shape[0]
    shapes = {"patch_embed.proj.weight": (channels, 3, 4, 4), "patch_embed.proj.bias": (channels,),
              **norm_shapes("patch_embed.norm", channels)}
    for stage in range(STAGES):
        blocks = [int(m[1]) for m in (re.match(rf"layers\.{stage}\.blocks\.(\d+)\.", name) for name in tensors) if m]
        if not blocks:
            raise Unfit(f"no blocks under layers.{stage}: not a Swin V2 backbone of {STAGES} stages")
        scale = tensors.get(f"layers.{stage}.blocks.0.attn.logit_scale")
        if scale is None:
            raise Unfit(f"no layers.{stage}.blocks.0.attn.logit_scale: Swin V1 or another network, not Swin V2")
        for block in range(max(blocks) + 1):
            shapes.update(block_shapes(f"layers.{stage}.blocks.{block}", channels, scale.shape[0]))
        if stage < STAGES - 1:
            shapes[f"layers.{stage}.downsample.reduction.weight"] = (2 * channels, 4 * channels)
            channels *= 2
            shapes.update(norm_shapes(f"layers.{stage}.downsample.norm", channels))
    return {**shapes, **norm_shapes("norm", channels)}


def convert(tensors):
    """The backbone's tensors under the official names, and the names that were left out."""
    left_out = [name for name in tensors if skipped(name)]
    kept = official_names({name: value for name, value in tensors.items() if not skipped(name)})
    shapes = expected_shapes(kept)
    for name, shape in shapes.items():
        if name not in kept:
            raise Unfit(f"tensor {name} is missing")
        if tuple(kept[name].shape) != shape:
            raise Unfit(f"tensor {name} has shape {tuple(kept[name].shape)}, not {shape}")
        if not kept[name].isfinite().all():
            raise Unfit(f"tensor {name} holds values that are not finite")
    unknown = [name for name in kept if name not in shapes]
    if unknown:
        raise Unfit(f"tensor {unknown[0]} is not part of a Swin V2 backbone"
                    + (f" (nor are {len(unknown) - 1} more)" if len(unknown) > 1 else ""))
    return {name: kept[name].float() for name in shapes}, left_out


TORCH = """{} is missing, with which PyTorch's files are read. On Debian:
  python3 -m venv ~/gvm-tools && ~/gvm-tools/bin/pip install numpy torch
  ~/gvm-tools/bin/python tools/convert_backbone.py CHECKPOINT OUTPUT
(Debian's own Python takes no packages from pip.) timm's model.safetensors needs no conversion: see --help."""


def is_own(path):
    """Whether there is nothing under this name, or what this tool wrote before."""
    try:
        with open(path, "rb") as file:
            start = file.read(4096)
    except FileNotFoundError:
        return not os.path.islink(path)
    return not start or b'"source"' in start[8:] and start[8:17] == b'{"__metad'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="official .pth, or a state dictionary saved by torch.save")
    parser.add_argument("output", help="safetensors file to write")
    options = parser.parse_args()
    if torch is None:
        sys.exit("convert_backbone.py: " + TORCH.format(missing))
    try:
        if not is_own(options.output):
            sys.exit(f"convert_backbone.py: {options.output}: it exists and is no backbone that this tool wrote; name "
                     "another file")
        backbone, left_out = convert(read(options.checkpoint))
        arrays = {name: value.numpy() for name, value in backbone.items()}
        tensorfile.save(options.output, arrays, {"source": os.path.basename(options.checkpoint)})
    except Unfit as error:
        sys.exit(f"convert_backbone.py: {options.checkpoint}: {error}")
    except OSError as error:
        sys.exit(f"convert_backbone.py: {options.output}: cannot be written ({error.strerror})")
    for name in left_out:
        print(f"skipped {name}")
    print(f"{options.output}: {len(arrays)} tensors, {sum(a.size for a in arrays.values()):,} values; "
          f"{len(left_out)} skipped")


if __name__ == "__main__":
    main()
