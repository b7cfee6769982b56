"""Recall by mean colour alone on a folder with pairs.csv: the baseline that a network has to beat.

  tools/colour_match.py DATA [--test NAME]

Each picture is represented by its mean red, green and blue; a street picture's match is the aerial picture with the
nearest mean. In the second row the means are standardised over all pictures of a view, because the views differ in
light and in the share of sky. The figures are defined as in `geoviewmatch eval`: the same split, 1% rounded down, ties
count against. Needs Pillow and numpy.
"""
import argparse
import csv
import os
import sys

import numpy as np
from PIL import Image


def read_split(folder, name):
    """The street and aerial pictures of a split, and the index of each street picture's aerial one."""
    with open(os.path.join(folder, "pairs.csv"), newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    splits = {row.get("split") for row in rows}
    if splits != {None}:
        name = name or ("val" if "val" in splits else "test")
        rows = [row for row in rows if row["split"] == name]
    if not rows:
        raise ValueError(f"{folder}: pairs.csv has no pair of the split '{name}'")
    places = {}
    right = np.array([places.setdefault(row["aerial"], len(places)) for row in rows])
    return [row["street"] for row in rows], list(places), right


def mean_colours(folder, pictures):
    """Mean colours, (pictures, 3)."""
    means = np.empty((len(pictures), 3))
    for i, picture in enumerate(pictures):
        with Image.open(os.path.join(folder, picture)) as image:
            means[i] = np.asarray(image.convert("RGB")).reshape(-1, 3).mean(axis=0)
    return means


def standardise(means):
    return (means - means.mean(axis=0)) / np.maximum(means.std(axis=0), 1e-9)


def ranks(street, aerial, right):
    """For each query, the number of wrong tiles that are no farther away than the correct one."""
    result = np.empty(len(street), int)
    for i, colour in enumerate(street):
        distance = np.square(aerial - colour).sum(axis=1)
        result[i] = (distance <= distance[right[i]]).sum() - 1
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", metavar="DATA", help="a folder with pairs.csv")
    parser.add_argument("--test", metavar="NAME", help="the split (default: val, or else test)")
    options = parser.parse_args()
    try:
        streets, tiles, right = read_split(options.data, options.test)
        street, aerial = mean_colours(options.data, streets), mean_colours(options.data, tiles)
    except (OSError, ValueError) as error:
        sys.exit(f"colour_match.py: {error}")
    print(f"mean colour, street to aerial: {len(streets)} queries, gallery of {len(tiles)}\n")
    print(f"  {'recall, percent':20} {'R@1':>8} {'R@5':>8} {'R@10':>8} {'R@1%':>8}")
    for row, change in (("mean colour", np.asarray), ("standardised", standardise)):
        found = ranks(change(street), change(aerial), right)
        figures = [100 * (found < at).mean() for at in (1, 5, 10, max(1, len(tiles) // 100))]
        print(f"  {row:20}" + "".join(f" {figure:8.2f}" for figure in figures))


if __name__ == "__main__":
    main()
