#!/usr/bin/env python3
"""picture.py PROGRAM PICTURE.jpg - the page with an answer, as the README shows it: a town at twice the resolution of
the tests', on a screen of 1280 x 800."""
import json
import sys
import tempfile

import browser
from helpers import DONE, calm, opened
from town import Server, Town


def main(program, path):
    with tempfile.TemporaryDirectory() as folder, browser.Browser() as chromium:
        town = Town(program, folder, metres=500, pairs=6, scale=2, seed=2024)
        with Server(program, town.map) as server:
            page = opened(chromium, server.address)
            page.give("drop", *town.photos)
            page.until(DONE % len(town.photos), "the answers")
            best = max(town.photos, key=lambda photo: town.locate(photo)["margin"])
            at = town.photos.index(best)
            page.click("#entries li:nth-child(%d) button" % (at + 1))
            page.until("document.querySelector('#answer h2').textContent === %s" % json.dumps(best.rsplit("/", 1)[1]),
                       "the clearest photo")
            page.run("document.activeElement.blur()")
            page.mouse("mouseMoved", 900, 560)
            calm(page)
            page.picture(path, format="jpeg", quality=84)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: picture.py PROGRAM PICTURE.jpg")
    main(*sys.argv[1:])
