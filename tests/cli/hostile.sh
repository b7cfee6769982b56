#!/bin/bash
# Malicious weights: every command that reads them names the file and the tensor in one sentence, and writes nothing.
. tests/cli/common.bash
w=tests/golden/net_narrow.safetensors

python3 - "$w" "$tmp" <<'END'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
size, = struct.unpack("<Q", data[:8])
head, body = json.loads(data[8:8 + size]), bytearray(data[8 + size:])

def write(name, head=head, body=body, size=None):
    text = json.dumps(head).encode()
    open(f"{sys.argv[2]}/{name}.bad", "wb").write(struct.pack("<Q", len(text) if size is None else size) + text + body)

def change(tensor=None, config=None, **keys):
    new = json.loads(json.dumps(head))
    if tensor:
        new[tensor].update(keys)
    if config:
        new["__metadata__"]["config"] = json.dumps(json.loads(new["__metadata__"]["config"]) | config)
    return new

bias = "head.0.bias"
from_, to = head[bias]["data_offsets"]
write("long_header", size=1 << 62)
write("text_header", size=len(json.dumps(head)) - 9)
open(f"{sys.argv[2]}/seven.bad", "wb").write(b"1234567")
open(f"{sys.argv[2]}/half.bad", "wb").write(data[:len(data) // 2])
write("wrong_shape", change(bias, shape=[7, 1]))
write("wrong_size", change(bias, shape=[8]))
write("wrong_type", change(bias, dtype="I32"))
write("overlap", change(bias, data_offsets=[from_ - 4, to - 4]))
write("out_of_range", change(bias, data_offsets=[len(body), len(body) + 28]))
write("negative", change(bias, shape=[-7]))
renamed = change()
renamed["head.0.buas"] = renamed.pop(bias)
write("missing", renamed)
nan = bytearray(body)
nan[from_ + 8:from_ + 12] = struct.pack("<f", float("nan"))
write("nan", body=nan)
write("terabytes", change(config={"dim": 1024, "heads": [4, 8, 16, 32], "street": [4096, 4096], "aerial": [4096, 4096],
                                  "stages": [1, 2, 3, 4], "masks": 256}))
write("larger", change(config={"depths": [2, 2, 64, 1]}))
write("zero", change(config={"masks": 0}))
stripped = change()
stripped["__metadata__"]["config"] = "not JSON"
write("no_json", stripped)
END

# bad NAME WORDS...: info, embed, locate.
bad() {
    local file=$tmp/$1.bad
    shift
    expect 1 info "$file"
    refused "${file##*/}" "$@"
    expect 1 embed --weights "$file" --view aerial --out "$tmp/f.safetensors" $demo/aerial
    refused "${file##*/}" "$@"
    expect 1 locate --weights "$file" --tiles $demo/tiles.csv $demo/street/1.png
    refused "${file##*/}" "$@"
    [ ! -e "$tmp/f.safetensors" ]
}
bad long_header "header of 4611686018427387904 bytes"
bad text_header
bad seven
bad half
bad wrong_shape "head.0.bias" "(7, 1)"
bad wrong_size "head.0.bias"
bad wrong_type "head.0.bias"
bad overlap "head.0.bias"
bad out_of_range "head.0.bias"
bad negative "head.0.bias"
bad missing "head.0.b" # either the missing one or the unexpected one
bad nan "tensor 'head.0.bias' has a value that is not finite"
bad terabytes
bad larger
bad zero '"masks"'
bad no_json

# Features are not weights, nor is a picture.
expect 0 embed --weights "$w" --view aerial --out "$tmp/features.bad" $demo/aerial/1.png
expect 1 locate --weights "$tmp/features.bad" --tiles $demo/tiles.csv $demo/street/1.png
refused "features.bad: its metadata has no 'config'"
expect 1 locate --weights $demo/street/1.png --tiles $demo/tiles.csv $demo/street/1.png
refused "street/1.png: "
[ -z "$(find "$tmp" -name '*.tmp')" ]

# Finite weights whose features are invalid: reported for each picture.
python3 - "$w" "$tmp/dead.safetensors" <<'END'
import struct, sys
data = open(sys.argv[1], "rb").read()
size, = struct.unpack("<Q", data[:8])
open(sys.argv[2], "wb").write(data[:8 + size] + bytes(len(data) - 8 - size))
END
expect 1 embed --weights "$tmp/dead.safetensors" --view aerial --out "$tmp/f.safetensors" $demo/aerial/{1,2}.png
lines err 3
says err "aerial/1.png: the model's output for it is not a unit vector"
[ ! -e "$tmp/f.safetensors" ]
