"""scenarios.py - commands whose calls sweep.py lets fail: what each works on, what it makes, and how to go on when it has
failed."""
import csv
import glob
import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GOLDEN, DEMO = os.path.join(TOP, "tests/golden"), os.path.join(TOP, "examples/demo")
NARROW = os.path.join(GOLDEN, "net_narrow.safetensors")


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Scenario:
    """A command in a folder with its inputs. `outputs` are its files; without any it is what it prints that counts."""

    def __init__(self, name, words, prepare=None, outputs=(), result=None, parts=(), differ=(), again=None, lines=1):
        self.name, self.words = name, [*words, "--threads", "1", "--quiet"]
        self.prepare = prepare or (lambda folder: None)
        self.outputs, self.parts, self.differ = outputs, parts, differ
        self.lines = lines  # that it may print when it fails: of each picture, and of the whole
        self.find_result, self.go_on = result, again
        self.usual = []  # lines that it prints to stderr in any case

    def result(self, folder, out):
        if self.find_result:
            return self.find_result(folder)
        return [read(os.path.join(folder, name)) for name in self.outputs] or out

    def again(self, folder):
        return self.go_on(folder, self.words) if self.go_on else self.words


# ------------------------------------------------------------------ maps

def map_contents(folder, name="m"):
    """What a map holds, apart from its id."""
    base = sqlite3.connect(os.path.join(folder, name + ".gpkg"))
    tiles = base.execute("SELECT row, source, lat, lon, metres, geom FROM tiles ORDER BY fid").fetchall()
    jobs = base.execute("SELECT value FROM geoviewmatch WHERE key = 'jobs'").fetchone()[0]
    assert base.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    base.close()
    return tiles, jobs, read(os.path.join(folder, name + ".features"))[4096:]


MAP = {"result": map_contents, "parts": (r"m\.gpkg", r"m\.features")}


def two_rasters(folder):
    """Two pictures of 200 x 200 pixels of 0.4 m with a world file, 100 m apart."""
    for i in (1, 2):
        shutil.copy(os.path.join(DEMO, "aerial/%d.png" % i), folder)
        with open(os.path.join(folder, "%d.pgw" % i), "w") as file:
            file.write("0.4\n0\n0\n-0.4\n%d.2\n5539999.8\n" % (500000 + 100 * i))


def some_tiles(folder):
    """Web-map tiles of 2 x 2, rows from the south."""
    for x in (0, 1):
        os.makedirs(os.path.join(folder, "xyz/19/%d" % (282000 + x)))
        for y in (0, 1):
            shutil.copy(os.path.join(DEMO, "aerial/%d.png" % (1 + x + 2 * y)),
                        os.path.join(folder, "xyz/19/%d/%d.png" % (282000 + x, 170000 + y)))
    with open(os.path.join(folder, "xyz/tiles.json"), "w") as file:
        json.dump({"scheme": "tms", "minzoom": 19, "maxzoom": 19}, file)


# ------------------------------------------------------------------ training

def pairs(folder):
    data = os.path.join(folder, "data")
    for name in ("street", "aerial"):
        shutil.copytree(os.path.join(DEMO, name), os.path.join(data, name))
    with open(os.path.join(data, "pairs.csv"), "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow("id street aerial lat lon heading split".split())
        for i in range(1, 5):
            for split in ("train", "test"):
                rows.writerow([split + str(i), "street/%d.png" % i, "aerial/%d.png" % i, "4%d.5" % i, 8.25, "", split])


def run_result(folder):
    """A run's files, without speeds."""
    log = re.sub(rb', "pairs_per_s.*', b"", read(os.path.join(folder, "run/log.jsonl")))
    return log, [read(os.path.join(folder, "run", name + ".safetensors")) for name in ("last", "best", "state")]


def resume(folder, words):
    if os.path.exists(os.path.join(folder, "run/state.safetensors")):
        return ["train", "--resume", "run", "--threads", "1", "--quiet"]
    return words


RUN = {"result": run_result, "again": resume,
       "parts": (r"run/(log\.jsonl|(last|best|state)\.safetensors)", r"cache", r"cache\.part")}


# ------------------------------------------------------------------ all

def all_of(program, top):
    """The scenarios, in an order. What several begin with is made once, in `top`."""
    def run(folder, *words):
        subprocess.run([program, *words, "--threads", "1", "--quiet"], cwd=folder, check=True, stdout=subprocess.DEVNULL)

    zooms, town, drawn = (os.path.join(top, name) for name in ("zooms.safetensors", "town", "drawn"))
    run(top, "import", os.path.join(GOLDEN, "import/statewide.safetensors"), "--out", zooms)
    run(top, "world", "--out", town, "--pairs", "3", "--photos", "--metres", "200", "--margin", "30", "--pixel", "1",
        "--photo-size", "64", "--test", "34")
    run(top, "world", "--out", drawn, "--pairs", "4", "--test", "50")
    with open(os.path.join(top, "tiny.json"), "w") as file:
        json.dump({"model": "sample4geo", "dims": [3, 4, 5, 6], "depths": [1, 1, 2, 1], "street": [64, 320],
                   "aerial": [64, 64]}, file)
    cells = ["index", "--weights", zooms, "--raster", "town/imagery/ortho.tif", "--near", "45,-30", "--within", "40",
             "--out", "m.gpkg"]
    tiles = os.path.join(DEMO, "tiles.csv")
    photo = os.path.join(DEMO, "street/1.png")

    def mine(name, content="mine\n"):
        def prepare(folder):
            with open(os.path.join(folder, name), "w") as file:
                file.write(content)
        return prepare

    def a_town(folder):
        shutil.copytree(town, os.path.join(folder, "town"))

    def a_drawn_town(folder):
        shutil.copytree(drawn, os.path.join(folder, "drawn"))

    def a_map(folder):
        run(folder, "index", "--weights", NARROW, "--tiles", tiles, "--out", "m.gpkg")

    def a_raster_map(folder):
        two_rasters(folder)
        run(folder, "index", "--weights", NARROW, "--crs", "EPSG:32633", "--raster", "1.png", "--out", "m.gpkg")

    def a_town_map(folder):
        a_town(folder)
        run(folder, *cells)

    def a_run(folder):
        pairs(folder)
        run(folder, *train, "--out", "run", "--cache", "cache", "--steps", "2")

    def old_weights(folder):
        shutil.copy(NARROW, os.path.join(folder, "w.safetensors"))

    def forced(_, words):
        return [*words, "--force"]

    train = ["train", "--data", "data", "--init", NARROW, "--batch", "2", "--epochs", "2", "--eval-every", "1"]
    utm = ["index", "--weights", NARROW, "--crs", "EPSG:32633"]
    return [
        Scenario("import", ["import", os.path.join(GOLDEN, "import/statewide.safetensors"), "--licence", "CC BY 4.0",
                            "--out", "w.safetensors", "--force"], old_weights, ["w.safetensors"]),
        Scenario("import_pth", ["import", os.path.join(GOLDEN, "import/sample4geo.pth"), "--as", "sample4geo-vigor",
                                "--out", "w.safetensors"], outputs=["w.safetensors"]),
        Scenario("import_tar", ["import", os.path.join(GOLDEN, "import/frgeo.pth.tar"), "--as", "frgeo-cvusa",
                                "--float16", "--out", "w.safetensors"], outputs=["w.safetensors"]),
        Scenario("init", ["init", "--config", os.path.join(top, "tiny.json"), "--backbone",
                          os.path.join(GOLDEN, "import/convnext.pth"), "--out", "w.safetensors"],
                 outputs=["w.safetensors"]),
        Scenario("index_list", ["index", "--weights", NARROW, "--tiles", tiles, "--out", "m.gpkg"], **MAP),
        Scenario("index_raster", [*utm, "--raster", "1.png", "2.png", "--out", "m.gpkg"], two_rasters, **MAP),
        Scenario("index_add", [*utm, "--raster", "2.png", "--add", "--out", "m.gpkg"], a_raster_map, **MAP),
        Scenario("index_remove", ["index", "--remove", "-180,-90,180,90", "--out", "m.gpkg"], a_raster_map, **MAP),
        Scenario("index_xyz", ["index", "--weights", NARROW, "--xyz", "xyz", "--out", "m.gpkg"], some_tiles, **MAP),
        Scenario("index_cells", cells, a_town, **MAP),
        Scenario("train", [*train, "--out", "run", "--cache", "cache"], pairs, **RUN),
        Scenario("train_hard", [*train, "--out", "run", "--hard", "2", "--jpeg", "0.5", "--colour", "0.5", "--holes",
                                "0.5", "--focus", "0.5", "--spin", "0.5", "--save-minutes", "0"], pairs, **RUN),
        Scenario("train_resume", ["train", "--resume", "run"], a_run, **RUN),
        Scenario("train_photos", ["train", "--data", "town", "--init", zooms, "--batch", "2", "--epochs", "1",
                                  "--eval-every", "1", "--out", "run"], a_town, **RUN),
        Scenario("locate", ["locate", "--weights", NARROW, "--index", "m.gpkg", "--format", "json", photo], a_map),
        Scenario("locate_list", ["locate", "--weights", NARROW, "--tiles", tiles, "--format", "csv", "--report", "report",
                                 photo], outputs=["report/index.html", "report/answers.geojson"],
                 differ=("report/index.html", "report/answers.geojson")),  # what is left out is named
        Scenario("locate_photo", ["locate", "--weights", zooms, "--index", "m.gpkg", "--near", "exif", "--within", "200",
                                  "--format", "geojson", "town/photos/000001.jpg"], a_town_map),
        Scenario("embed", ["embed", "--weights", NARROW, "--view", "street", "--out", "f.safetensors", "--force", photo],
                 mine("f.safetensors"), ["f.safetensors"], lines=2),
        Scenario("heatmap", ["heatmap", "--weights", NARROW, "--side-by-side", os.path.join(DEMO, "aerial/1.png"), "--out",
                             "p.png", "--force", photo], mine("p.png"), ["p.png"]),
        Scenario("eval", ["eval", "--weights", NARROW, "--data", "data", "--json", "--matches", "m.csv",
                          "--gallery-picture", "g.png"], pairs, ["m.csv", "g.png"]),
        Scenario("eval_metres", ["eval", "--protocol", "metres", "--weights", zooms, "--index", "m.gpkg", "--photos",
                                 "town/photos.csv", "--json"], a_town_map, lines=3),
        Scenario("check", ["check", "--data", "drawn", "--list", "found.csv"], a_drawn_town, ["found.csv"]),
        Scenario("check_photos", ["check", "--data", "town"], a_town),
        Scenario("info_map", ["info", "--json", "m.gpkg"], a_map),
        Scenario("info_weights", ["info", NARROW]),
        Scenario("info_run", ["info", "run"], a_run),
        Scenario("world", ["world", "--out", "drawn", "--pairs", "2"], outputs=["drawn/pairs.csv", "drawn/tiles.csv"],
                 again=forced),
        Scenario("world_ortho", ["world", "--out", "drawn", "--pairs", "1", "--ortho", "--metres", "200"],
                 outputs=["drawn/photos.csv", "drawn/ortho.tif"], again=forced),
    ]
