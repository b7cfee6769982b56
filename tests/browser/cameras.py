"""cameras.py - the page with weights that take any camera: what it read from a photo, and the field that corrects it."""
import json
import os

from helpers import DONE, asked, opened, write, without_exif
from town import Server

IMAGES = "document.querySelectorAll('#heat[open] img:not(.loading)').length === %d"
SET = """(() => { const field = document.getElementById('fov');
    field.value = %s; field.dispatchEvent(new Event('change')); })()"""


def map_of(town):
    """Weights with visibility, untrained for it, a map made with them, and two photos: one does not say its camera."""
    weights, index, photos = (os.path.join(town.folder, "cameras" + end) for end in (".safetensors", ".gpkg", ""))
    town.run("init", "--from", "nano", "--preset", "nano-photo", "--out", weights)
    town.run("world", "--photos", "--out", photos, "--pairs", 1, "--metres", 300, "--margin", 80, "--pixel", 0.5,
             "--shape", "4:3", "--fov", "66,66.01", "--pitch", 0, "--roll", 0, "--quiet")
    town.run("index", "--weights", weights, "--raster", os.path.join(photos, "imagery", "ortho.tif"), "--out", index,
             "--quiet")
    photo = os.path.join(photos, "photos", "000001.jpg")
    return weights, index, photo, write(os.path.join(town.folder, "bare.jpg"), without_exif(photo))


def cameras(chromium, town):
    weights, index, photo, bare = map_of(town)
    with Server(town.program, index, 0, "--weights", weights) as server:
        page = opened(chromium, server.address)
        text = page.run("document.body.innerText")
        assert "Choose street photos" in text and "photos or panoramas anywhere" in text and "demo" in text, text

        page.choose("#file", photo)
        page.until(DONE % 1, "an answer")
        page.until("document.querySelector('#answer .picture img.plain')?.clientWidth > 0", "the preview")
        assert page.run("document.querySelectorAll('#answer .panorama').length") == 0
        said = page.text(".camera output")
        assert said.startswith("65.3° ×") and said.endswith("from the picture (35 mm equivalent focal length, EXIF)"), said
        assert "from the picture (EXIF)" in page.text(".heading output"), page.text(".heading output")
        assert page.run("document.getElementById('fov').value") == "65.3"

        page.run(SET % 80)
        page.until(DONE % 1 + " && document.querySelector('.camera output').textContent.startsWith('80.0°')",
                   "an answer with 80 degrees")
        assert asked(page)[-1] == {"fov": "80"}, asked(page)
        assert "set by you" in page.text(".camera output")
        page.run(SET % "'none'")
        assert page.run("document.getElementById('fov').getAttribute('aria-invalid')") == "true"
        page.run(SET % 10)  # a refusal keeps the field, so that it can be corrected
        page.until("document.querySelector('#answer .problem')", "a refusal")
        assert "too narrow" in page.text("#answer .problem"), page.text("#answer .problem")
        page.run(SET % 80)
        page.until(DONE % 1 + " && !document.querySelector('#answer .problem')", "an answer again")
        page.run("""(() => { const s = document.getElementById('heading');
            s.value = 30; s.dispatchEvent(new Event('input')); })()""")
        page.until(DONE % 1 + " && document.querySelector('.heading output').textContent === '30° set by you'"
                   " && document.querySelector('.heading output') !== null", "the heading set")
        page.until("performance.getEntriesByType('resource').some((e) => e.name.includes('heading=30'))", "the question")
        page.until(DONE % 1, "its answer")
        assert asked(page)[-1] == {"fov": "80", "heading": "30"}, asked(page)
        page.click("#answer .tile")
        page.until(IMAGES % 4, "the heat maps")
        assert page.text("#heat-notice") == "", page.text("#heat-notice")
        page.press("Escape")

        page.choose("#file", bare)
        page.until(DONE % 2, "an answer to the photo without metadata")
        assert "assumed" in page.text(".camera output") and page.run("!!document.querySelector('.camera.assumed')")
        assert "estimated" in page.text(".heading output"), page.text(".heading output")
        assert "The field of view is assumed" in page.text(".results"), page.text(".results")
        assert [error for error in page.errors if "fov=10" not in error] == [], page.errors
        page.close()
