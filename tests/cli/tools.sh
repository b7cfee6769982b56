#!/bin/bash
# The converter of backbones without PyTorch: its help, and how to get PyTorch.
. tests/cli/common.bash
mkdir "$tmp/none"
for module in torch numpy; do echo "raise ImportError(name='$module')" > "$tmp/none/$module.py"; done
convert() { PYTHONPATH=$tmp/none python3 "$TOOLS/convert_backbone.py" "$@" > "$tmp/out" 2> "$tmp/err"; }
convert --help
says out swinv2_tiny_patch4_window8_256.pth swinv2_tiny_window8_256.ms_in1k
fails convert a.pth b.safetensors
says err "torch is missing" "python3 -m venv" "pip install numpy torch"
fails grep -q Traceback "$tmp/err"
