"""service_sweep.py PROGRAM [--short N] [--kinds alloc,json,thread] - the service with each call of a kind failing, one after
the other, while it starts and in requests of each sort. A failure at its start ends it with one sentence; a request is
answered with 503 or 500 and a sentence, or rightly, and the same one is answered rightly afterwards."""
import argparse
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../serve"))

import scenarios
from service import Service, form, wait_until
from sweep import SAYS, Fault, name_site, need

JPEG = {"Content-Type": "image/png"}


def log_lines(path, word):
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [line.split() for line in file if line.startswith(word)]


def passes(path):
    return sorted((line[1], line[2], int(line[3])) for line in log_lines(path, "passed"))


def chosen(sites, kind, few):
    """Faults, as GVM_FAULT has them: every call, or `few` spread over the places that they come from."""
    own = [(site, count) for its, site, count in sites if its == kind]
    if few and len(own) > few:
        own = [own[i * len(own) // few] for i in range(few)]
    if not few and sum(count for _, count in own) <= 600:
        return ["%s:%d" % (kind, k + 1) for k in range(sum(count for _, count in own))]
    return ["%s:%d:%s" % (kind, k, site) for site, count in own for k in ([1] if few else sorted({1, 2, count})) if k <= count]


class Sweep:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.index, self.log, self.control = (os.path.join(folder, name) for name in ("m.gpkg", "log", "control"))
        self.points, self.wrong = 0, 0
        with open(os.path.join(scenarios.DEMO, "street/1.png"), "rb") as file:
            self.photo = file.read()

    def report(self, what, fault, text):
        self.wrong += 1
        fired = log_lines(self.log, "fired")
        print("    %s, %s at %s\n        %s" % (what, fault, name_site(self.options.program, fired[-1][2] if fired else ""),
                                              text.replace("\n", "\n        ")), flush=True)

    def words(self):
        return ["--weights", scenarios.NARROW, "--threads", "1"]

    def start(self, fault):
        """Whether the call was made and failed."""
        if os.path.exists(self.log):
            os.remove(self.log)
        environment = dict(os.environ, GVM_FAULT=fault, GVM_FAULT_LOG=self.log)
        process = subprocess.Popen([self.options.program, "serve", "--index", self.index, "--port", "0", *self.words()],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        line = process.stdout.readline()
        if line:
            process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=600)
        fired = bool(log_lines(self.log, "fired"))
        try:
            if line:
                need(process.returncode == 0, "it served, but ended with %d: %s" % (process.returncode, err[-3000:]))
            else:
                lines = err.splitlines()
                need(process.returncode == 1 and len(lines) == 1, "status %d: %s" % (process.returncode, err[-3000:]))
                need(re.search(SAYS[fault.split(":")[0]], lines[0]), "the sentence is of something else: " + lines[0])
                need(fired, "it failed without a fault")
        except Fault as wrong:
            self.report("start", fault, str(wrong))
        self.points += fired
        return fired

    def starts(self):
        self.start("")
        sites = passes(self.log)
        for kind in self.options.kinds:
            before = self.points, self.wrong
            for fault in chosen(sites, kind, self.options.short):
                self.start(fault)
            print("start, %s: %d calls failed, %d wrong" % (kind, self.points - before[0], self.wrong - before[1]),
                  flush=True)

    def requests(self):
        query = "?near=45,-30&within=10000000"
        yield "GET map", ("GET", "/v1/map")
        yield "GET tiles", ("GET", "/v1/tiles")
        yield "GET tile", ("GET", "/v1/tiles/1.jpg")
        yield "GET imagery", ("GET", "/v1/imagery/3/3/2.jpg")
        yield "GET heatmap", ("GET", "/v1/heatmap?tile=0")
        yield "GET page", ("GET", "/")
        yield "GET metrics", ("GET", "/healthz")
        yield "POST locate", ("POST", "/v1/locate", self.photo, JPEG)
        yield "POST locate, a form", ("POST", "/v1/locate" + query, *form(("top", b"3", None), ("picture", self.photo, "a.png")))
        yield "POST heatmap", ("POST", "/v1/heatmap?tile=0", self.photo, JPEG)
        yield "POST scores", ("POST", "/v1/scores", self.photo, JPEG)
        yield "POST scores as TIFF", ("POST", "/v1/scores?format=tiff", self.photo, JPEG)
        yield "POST what is refused", ("POST", "/v1/locate", b"no picture", JPEG)

    def arm(self, service, fault):
        with open(self.control, "w") as file:
            file.write(fault)
        count = len(log_lines(self.log, "armed"))
        service.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: len(log_lines(self.log, "armed")) > count)

    def ask(self, service, request):
        """Status and body; None if it was cut."""
        try:
            status, _, body = service.ask(*request)
            return status, body
        except (ConnectionError, OSError, AssertionError) as cut:
            return None, str(cut).encode()

    def one(self, service, request, wanted, fault):
        """Whether the call was made and failed."""
        count = len(log_lines(self.log, "fired"))
        self.arm(service, fault)
        status, body = self.ask(service, request)
        self.arm(service, "")
        fired = len(log_lines(self.log, "fired")) > count
        need(service.process.poll() is None, "the service has ended")
        need(status is not None or fired, "it was cut without a fault: %s" % body[:300])
        if status is None:
            self.cut += 1
        elif (status, body) != wanted:
            need(status in (500, 503), "status %s: %s" % (status, body[:300]))
            said = json.loads(body)
            need(said["status"] == status and len(said["detail"]) > 20, "no sentence: %s" % body)
            need(status == 503 or not re.search("memory", said["detail"]), "status 500 for want of memory: %s" % body)
        again = self.ask(service, request)
        need(again == wanted, "the same again: %s instead of %s" % (again, wanted[0]))
        return fired

    def all_requests(self):
        os.environ.update(GVM_FAULT_LOG=self.log, GVM_FAULT_FILE=self.control)
        with Service(self.options.program, self.index, *self.words()) as service:
            for name, request in self.requests():
                wanted = self.ask(service, request)
                need(wanted[0] is not None, "%s: %s" % (name, wanted[1]))
                for kind in self.options.kinds:
                    before, self.cut = (self.points, self.wrong), 0
                    for k in self.numbers(service, request, kind):
                        fired = self.one_of(service, name, request, wanted, "%s:%d" % (kind, k))
                        self.points += fired
                        if not fired:
                            break
                    print("%s, %s: %d calls failed, %d wrong, %d connections cut" %
                          (name, kind, self.points - before[0], self.wrong - before[1], self.cut), flush=True)
            service.stop()

    def one_of(self, service, name, request, wanted, fault):
        try:
            return self.one(service, request, wanted, fault)
        except Fault as wrong:
            self.report(name, fault, str(wrong))
            if service.process.poll() is not None:
                raise
            return True

    def numbers(self, service, request, kind):
        """Which calls are to fail: 1, 2, 3, ..., or a few spread over all that there are."""
        if not self.options.short:
            return itertools.count(1)
        self.arm(service, kind + ":1000000000")
        self.ask(service, request)
        self.arm(service, "")
        count = int(log_lines(self.log, "armed")[-1][1])
        few = min(count, self.options.short)
        return [1 + i * count // few for i in range(few)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("--short", type=int, default=0)
    parser.add_argument("--kinds", default="alloc,json,thread", type=lambda text: text.split(","))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([options.program, "index", "--weights", scenarios.NARROW, "--tiles",
                        os.path.join(scenarios.DEMO, "tiles.csv"), "--out", os.path.join(folder, "m.gpkg"), "--quiet"],
                       check=True, stdout=subprocess.DEVNULL)
        sweep = Sweep(options, folder)
        sweep.starts()
        sweep.all_requests()
    print("the service: %d calls failed in all, %d wrong" % (sweep.points, sweep.wrong))
    return 1 if sweep.wrong or sweep.points == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
