"""A small town, a map of it, and the program serving it; what the program itself says, to hold the page against."""
import json
import os
import re
import signal
import subprocess
import threading


class Town:
    """`folder` takes town/ (the orthophoto and panoramas), map.gpkg and empty.gpkg."""

    def __init__(self, program, folder, metres=300, pairs=5, scale=1, seed=3):
        self.program, self.folder = program, folder
        self.map = os.path.join(folder, "map.gpkg")
        town = os.path.join(folder, "town")
        self.run("world", "--ortho", "--out", town, "--metres", metres, "--pairs", pairs, "--turn", "yes", "--scale",
                 scale, "--seed", seed, "--quiet")
        self.run("index", "--raster", os.path.join(town, "ortho.tif"), "--out", self.map, "--quiet")
        self.photos = [os.path.join(town, "street", name) for name in sorted(os.listdir(os.path.join(town, "street")))]

    def run(self, *words):
        done = subprocess.run([self.program, *map(str, words)], capture_output=True, text=True)
        assert done.returncode == 0, "%s: %s" % (words, done.stdout + done.stderr)
        return done.stdout

    def locate(self, *words):
        """What `geoviewmatch locate --json` says of one picture."""
        return json.loads(self.run("locate", "--index", self.map, "--json", "--quiet", *words))[0]

    def empty_map(self):
        """A map whose tiles were all taken out."""
        path = os.path.join(self.folder, "empty.gpkg")
        for end in (".gpkg", ".features"):
            with open(self.map[:-5] + end, "rb") as source, open(path[:-5] + end, "wb") as copy:
                copy.write(source.read())
        self.run("index", "--out", path, "--remove", "-180,-90,180,90", "--quiet")
        return path


class Server:
    """The program, serving; `address` is where."""

    def __init__(self, program, index, port=0, *words):
        command = [program, "serve", "--index", index, "--port", str(port), *words]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said = []
        for line in self.process.stdout:
            self.said.append(line)
            if found := re.search(r"http://[^/\s]+:(\d+)", line):
                self.address, self.port = found[0] + "/", int(found[1])
                threading.Thread(target=self.said.extend, args=(self.process.stdout,), daemon=True).start()
                return
        raise AssertionError("serve told no address: " + "".join(self.said))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
