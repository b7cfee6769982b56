"""A small town, a map of it, the program serving it, and the program's own results to compare the page with."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "serve"))
from service import Service


class Town:
    """Makes town/ (the orthophoto and panoramas), map.gpkg and empty.gpkg in `folder`."""

    def __init__(self, program, folder, metres=300, pairs=5, scale=1, seed=3, origin="45,-30"):
        self.program, self.folder, self.told = program, folder, {}
        self.map = os.path.join(folder, "map.gpkg")
        town = os.path.join(folder, "town")
        self.run("world", "--ortho", "--out", town, "--metres", metres, "--pairs", pairs, "--turn", "yes", "--scale",
                 scale, "--seed", seed, "--origin", origin, "--quiet")
        self.run("index", "--raster", os.path.join(town, "ortho.tif"), "--out", self.map, "--quiet")
        self.photos = [os.path.join(town, "street", name) for name in sorted(os.listdir(os.path.join(town, "street")))]

    def run(self, *words):
        done = subprocess.run([self.program, *map(str, words)], capture_output=True, text=True)
        assert done.returncode == 0, "%s: %s" % (words, done.stdout + done.stderr)
        return done.stdout

    def locate(self, *words):
        """The output of `geoviewmatch locate --json` for one picture; cached, because the pictures do not change."""
        if words not in self.told:
            self.told[words] = json.loads(self.run("locate", "--index", self.map, "--json", "--quiet", *words))[0]
        return self.told[words]

    def empty_map(self):
        """A map whose tiles were all removed."""
        path = os.path.join(self.folder, "empty.gpkg")
        for end in (".gpkg", ".features"):
            with open(self.map[:-5] + end, "rb") as source, open(path[:-5] + end, "wb") as copy:
                copy.write(source.read())
        self.run("index", "--out", path, "--remove", "-180,-90,180,90", "--quiet")
        return path


class Server(Service):
    """The service, which has an `address` and ends with the block."""

    def __init__(self, program, index, port=0, *words):
        super().__init__(program, index, "--port", port, *words)
        self.address = "http://%s:%d/" % (self.host, self.port)

    def __exit__(self, kind, *rest):
        if kind is None and self.process.poll() is None:
            self.stop()
        super().__exit__(kind, *rest)
