"""perspective.py - the page with a map for photos: its texts, a photo, a panorama, and no heading."""
import json
import os

from helpers import DONE, asked, opened
from town import Server

TILES = "examples/demo/tiles.csv"
PHOTO, PANORAMA = "examples/demo/aerial/2.png", "examples/demo/street/1.png"
SHOWN = "document.querySelector('#answer h2')?.textContent === %s"
IMAGES = "document.querySelectorAll('#heat[open] img:not(.loading)').length === %d"


def weights_of(town):
    """Random weights for photos, and a map of a few tiles made with them."""
    path = [os.path.join(town.folder, "photos." + end) for end in ("base", "json", "safetensors", "gpkg")]
    town.run("init", "--preset", "sample4geo-nano", "--out", path[0])
    config = json.loads(town.run("info", "--json", path[0]))["config"]
    config["street"] = [48, 64]
    config["street_input"].update(projection="perspective", resize="skimage")
    with open(path[1], "w") as file:
        json.dump(config, file)
    town.run("init", "--config", path[1], "--out", path[2])
    town.run("index", "--weights", path[2], "--tiles", TILES, "--out", path[3], "--quiet")
    return path[2:]


def perspective(chromium, town):
    weights, index = weights_of(town)
    with Server(town.program, index, 0, "--weights", weights) as server:
        page = opened(chromium, server.address)
        text = page.run("document.body.innerText")
        assert "Choose street photos" in text and "from any camera and with any heading" in text and "panorama" not in text, text
        page.click("#help-open")
        said = page.run("document.getElementById('help').innerText")
        assert "Any photo of a street" in said and "Full panoramas" not in said and "demo" not in said, said
        page.press("Escape")
        for at, path in enumerate((PHOTO, PANORAMA)):
            page.choose("#file", os.path.abspath(path))
            page.until(DONE % (at + 1) + " && " + SHOWN % json.dumps(os.path.basename(path)), "an answer")
            page.until("document.querySelector('#answer .picture img.plain')?.clientWidth > 0", "the preview")
            shown = page.run("""(() => {
                const plain = document.querySelector('#answer .picture img.plain');
                return [plain?.naturalWidth / plain?.naturalHeight, plain?.clientWidth / plain?.clientHeight,
                        document.querySelectorAll('#answer .panorama, #answer .heading, #answer .winds').length];
            })()""")
            assert shown[2] == 0 and abs(shown[0] / shown[1] - 1) < 0.05, shown
            assert ("8 views of it" in page.text(".results")) == (path == PANORAMA), page.text(".results")
            page.click("#answer .tile")
            page.until(IMAGES % 4 if path == PHOTO else "document.getElementById('heat-notice').textContent !== ''",
                       "the heat maps, or a message about them")
            notice = page.text("#heat-notice")
            assert (notice == "") == (path == PHOTO) and ("8 views" in notice) == (path == PANORAMA), notice
            page.press("Escape")
        assert len(asked(page)) == 2 and not any("heading" in query for query in asked(page)), asked(page)
        assert not any("heading" in url for url in page.requests if "/v1/heatmap" in url)
        assert page.errors == [], page.errors
        page.close()
