"""Write tests/golden/photo.safetensors: photos as input of a network for photos, and views cut from a panorama.

Photos are resized by scikit-image itself (0.24), views are cut by rotating each ray with matrices. The input pictures
follow from a formula that is also in tests/test_photo.c; only the results are stored:

    photo.HxW.LOW     (48, 64, 3)      of a picture of W x H pixels whose darkest value is LOW, centred on black
    view.YAW.PITCH    (24, 32, 3)      of a panorama of 128 x 64 pixels, 75 degrees wide, 2 x 2 samples per pixel
"""
import argparse
import os

import numpy as np
from skimage.transform import resize

import tensorfile

SHAPE = (48, 64)
PHOTOS = ((48, 64, 0), (37, 51, 0), (96, 128, 0), (301, 403, 0), (130, 97, 30), (50, 211, 90), (64, 48, 0), (33, 320, 0))
VIEWS = ((0, 0), (45, 0), (180, 0), (-90, 20), (315, 5))


def scene(h, w, low):
    y, x, c = np.ogrid[:h, :w, :3]
    a, b = x // 5, y // 5
    value = (73 * a + 151 * b + 29 * c + 17 * a * b) % 200 + (7 * x + 11 * y + 5 * c) % 56
    return (low + value * (255 - low) // 254).astype(np.uint8)


def photo(pixels):
    h, w, _ = pixels.shape
    scale = min(SHAPE[0] / h, SHAPE[1] / w) + 1e-6
    size = int(h * scale), int(w * scale)
    small = resize(pixels.astype(np.float32), size, order=1, mode="constant", anti_aliasing=True, preserve_range=True)
    out = np.zeros((*SHAPE, 3), np.uint8)
    top, left = (SHAPE[0] - size[0]) // 2, (SHAPE[1] - size[1]) // 2
    out[top:top + size[0], left:left + size[1]] = small.astype(np.uint8)
    return out


def view(panorama, yaw, pitch, hfov=75, h=24, w=32, samples=2):
    rows, columns, _ = panorama.shape
    y, x = np.meshgrid((np.arange(h * samples) + 0.5) / samples - h / 2, (np.arange(w * samples) + 0.5) / samples - w / 2,
                       indexing="ij")
    ray = np.stack([x, -y, np.full_like(x, w / 2 / np.tan(np.radians(hfov / 2)))], -1)     # right, up, ahead
    p, q = np.radians(pitch), np.radians(yaw)
    tilt = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    turn = np.array([[np.cos(q), 0, np.sin(q)], [0, 1, 0], [-np.sin(q), 0, np.cos(q)]])
    ray = ray @ (turn @ tilt).T
    ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
    azimuth, elevation = np.arctan2(ray[..., 0], ray[..., 2]), np.arcsin(ray[..., 1])
    r = np.clip((0.5 - elevation / np.pi) * rows - 0.5, 0, rows - 1)
    c = (azimuth / (2 * np.pi) + 0.5) * columns - 0.5
    i, j = np.minimum(np.floor(r).astype(int), rows - 2), np.floor(c).astype(int)
    a, b = (r - i)[..., None], (c - j)[..., None]
    upper = panorama[i, j % columns] * (1 - b) + panorama[i, (j + 1) % columns] * b
    lower = panorama[i + 1, j % columns] * (1 - b) + panorama[i + 1, (j + 1) % columns] * b
    values = (upper * (1 - a) + lower * a).reshape(h, samples, w, samples, 3).mean((1, 3))
    return np.rint(values).astype(np.uint8)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden")
    parser.add_argument("--out", default=os.path.join(folder, "photo.safetensors"))
    arguments = parser.parse_args()
    tensors = {f"photo.{h}x{w}.{low}": photo(scene(h, w, low)) for h, w, low in PHOTOS}
    panorama = scene(64, 128, 0).astype(np.float64)
    tensors.update({f"view.{yaw}.{pitch}": view(panorama, yaw, pitch) for yaw, pitch in VIEWS})
    tensorfile.save(arguments.out, tensors, {})


if __name__ == "__main__":
    main()
