"""Safetensors files: the same content always gives the same bytes, and a file is never half-written.

Layout: 8 bytes of header length (little-endian), a JSON header with each tensor's type, shape and offsets, then the
tensors one after another. The header is padded with spaces so that they start at a multiple of 64 bytes.
"""
import json
import os
import tempfile

import numpy as np

NAMES = {"float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64", "int32": "I32", "uint8": "U8",
         "bool": "BOOL"}
TYPES = {name: np.dtype(kind) for kind, name in NAMES.items()}


def save(path, tensors, metadata):
    """Write a dictionary of arrays, in its order, and a dictionary of texts. The file appears whole or not at all."""
    header, offset = {"__metadata__": metadata}, 0
    arrays = {name: np.array(array, order="C") for name, array in tensors.items()}
    for name, array in arrays.items():
        if array.dtype.name not in NAMES:
            raise ValueError(f"{name}: cannot store values of type {array.dtype}")
        header[name] = {"dtype": NAMES[array.dtype.name], "shape": list(array.shape),
                        "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % 64)

    folder = os.path.dirname(os.path.abspath(path))
    handle, beside = tempfile.mkstemp(prefix=os.path.basename(path) + ".", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for array in arrays.values():
                file.write(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(beside, 0o666 & ~umask)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def load(path):
    """The arrays and the metadata of a trusted file."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header, data = json.loads(file.read(length)), file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        kind = TYPES[entry["dtype"]].newbyteorder("<")
        tensors[name] = np.frombuffer(data[begin:end], kind).reshape(entry["shape"])
    return tensors, metadata
