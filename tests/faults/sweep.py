"""sweep.py PROGRAM [--short] [--kinds alloc,json,thread] [--only NAME...] [--lasting] [--jobs N] [--keep FOLDER]

Runs each scenario (scenarios.py) with its first call of a kind failing (fault.h), then with its second, and so on until
none fails any more. PROGRAM is geoviewmatch_faults of a sanitizer build. Whatever fails, the command must end with status
1 and one sentence that names what is missing, or succeed with the same result; it leaves nothing half-written, and the
same command succeeds afterwards with the same result. With --lasting all later calls fail too. --short takes a few calls
of each scenario, spread over the places that they come from."""
import argparse
import concurrent.futures
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

import scenarios

PATIENCE = 600  # seconds, after which something hangs
MOST = 1000     # calls of a kind that are failed one by one; of more, some from each place
SAYS = {"alloc": "memory|GiB", "json": "memory|at byte [1-9]", "thread": "memory|thread"}


class Fault(Exception):
    pass


class Process:
    """A process that runs one command after the other (fork.c)."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], env=dict(os.environ, GVM_FAULT_COMMANDS="1"), text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, folder, fault, log, words):
        """Exit status, stdout, stderr."""
        out, err = log + ".out", log + ".err"
        self.process.stdin.write("\t".join([folder, fault, log, out, err, *words]) + "\n")
        pid = int(self.process.stdout.readline())
        late = threading.Timer(PATIENCE, os.kill, (pid, signal.SIGABRT))
        late.start()
        status = os.waitstatus_to_exitcode(int(self.process.stdout.readline()))
        late.cancel()
        with open(out, "rb") as printed, open(err, "rb") as said:
            return status, printed.read().decode(errors="replace"), said.read().decode(errors="replace")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Run:
    """The command in a folder of its own, which is a copy of the scenario's inputs."""

    def __init__(self, processes, scenario, inputs, fault):
        self.processes, self.scenario, self.fault = processes, scenario, fault
        self.folder = tempfile.mkdtemp(prefix="run", dir=os.path.dirname(inputs))
        self.work, self.log = os.path.join(self.folder, "work"), os.path.join(self.folder, "log")
        shutil.copytree(inputs, self.work)

    def command(self, words, fault=""):
        process = self.processes.get()
        self.status, self.out, self.err = process.run(self.work, fault, self.log, words)
        self.processes.put(process)

    def first(self):
        self.command(self.scenario.words, self.fault)
        with open(self.log) as file:
            lines = [line.split() for line in file]
        self.fired = [line[2] for line in lines if line[0] == "fired"]
        self.passed = {(line[1], line[2]): int(line[3]) for line in lines if line[0] == "passed"}

    def files(self):
        """Names and contents, in which no folder stands."""
        found = {}
        for folder, _, names in os.walk(self.work):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, self.work)] = self.plain(file.read())
        return found

    def plain(self, value):
        """Without the folder's name, which is of one length in all runs."""
        if isinstance(value, (bytes, str)):
            folder = os.path.basename(self.folder)
            return value.replace(folder if isinstance(value, str) else folder.encode(), type(value)())
        return [self.plain(each) for each in value] if isinstance(value, (list, tuple)) else value

    def result(self):
        return self.plain(self.scenario.result(self.work, self.out))

    def remove(self):
        shutil.rmtree(self.folder)


def need(true, text):
    if not true:
        raise Fault(text)


def check_failed(run, says, lasting):
    """What the command said and left when it failed."""
    need(run.status in (0, 1), "status %d: %s" % (run.status, run.err[-3000:]))
    lines = [line for line in run.err.splitlines() if line not in run.scenario.usual]
    need(run.status == 0 or 0 < len(lines) <= run.scenario.lines or (lasting and lines), "%d lines: %s" % (len(lines), "\n".join(lines[:24])))
    for line in lines:
        need(line.startswith("geoviewmatch: ") and len(line) > 30, "no sentence: " + line)
    if run.status == 1 and not lasting:
        need(re.search(says, lines[0]), "the sentence is of something else: " + lines[0])


def check_files(run, before, whole):
    """Files are those of before, as they were, or of a whole result; of what goes on later there may be a part."""
    files = run.files()
    for name, content in files.items():
        if any(re.fullmatch(part, name) for part in run.scenario.parts):
            continue
        known = [files[name] for files in (before, whole) if name in files]
        need(known, "it leaves " + name)
        need(content in known or name in run.scenario.differ, "it leaves a changed " + name)
    for name in before:
        need(name in files, name + " is gone")


class Sweep:
    def __init__(self, options, processes, scenario, inputs):
        self.options, self.processes, self.scenario, self.inputs = options, processes, scenario, inputs
        whole = Run(processes, scenario, inputs, "")
        self.before = whole.files()
        whole.first()
        need(whole.status == 0, "it fails without a fault: " + whole.err)
        scenario.usual = whole.err.splitlines()
        self.passed, self.whole, self.wanted = whole.passed, whole.files(), whole.result()
        whole.remove()

    def check(self, run, says):
        check_failed(run, says, self.options.lasting)
        if run.status == 0:
            need(run.result() == self.wanted, "status 0, but another result; it said: " + run.err)
        check_files(run, self.before, self.whole)
        if run.status != 0 and (run.files() != self.before):  # else it is what it was at first
            run.command(self.scenario.again(run.work))
            need(run.status == 0, "the same again fails: " + run.err)
            need(run.result() == self.wanted, "the same again has another result: " + run.err)
            check_files(run, {}, {**self.before, **self.whole})

    def one(self, kind, fault):
        """The site whose call failed, or None if none did; and what went wrong."""
        run = Run(self.processes, self.scenario, self.inputs, "%s:%s" % (kind, fault))
        wrong = None
        try:
            run.first()
            if run.fired:
                self.check(run, SAYS[kind])
            else:
                need(run.status == 0, "it fails without a fault: " + run.err)
        except Fault as fault:
            wrong = str(fault)
        site = run.fired[0] if run.fired else None
        run.remove()
        return site, wrong

    def faults(self, kind):
        """Which calls are to fail: 1, 2, 3, ... or those of --short, or of very many."""
        lasting = "+" if self.options.lasting else ""
        sites = sorted((site, passed) for (its, site), passed in self.passed.items() if its == kind)
        count = sum(passed for _, passed in sites)
        if self.options.short:
            few = self.options.short
            chosen = sites if len(sites) <= few else [sites[i * len(sites) // few] for i in range(few)]
            return ["%d%s:%s" % (passed, lasting, site) for site, passed in chosen]
        if count <= MOST:
            return ["%d%s" % (k, lasting) for k in range(1, count + 1)]
        return ["%d%s:%s" % (k, lasting, site) for site, passed in sites for k in sorted({1, 2, passed // 2 + 1, passed})
                if k <= passed]

    def sweep(self, kind, pool):
        """Points that failed, and a list of what went wrong."""
        fired, wrong, faults = 0, [], self.faults(kind)
        for fault, (site, text) in zip(faults, pool.map(lambda fault: self.one(kind, fault), faults)):
            fired += site is not None
            if text:
                wrong.append((fault, site, text))
        k = len(faults)
        while not self.options.short and faults and ":" not in faults[-1]: # threads may have made other calls
            k += 1
            site, text = self.one(kind, str(k))
            if text:
                wrong.append((str(k), site, text))
            if site is None:
                break
            fired += 1
        return fired, wrong


def name_site(program, site):
    """Functions and lines, innermost first."""
    if not site:
        return "?"
    done = subprocess.run(["addr2line", "-fse", program, *("0x%x" % (int(at, 16) - 1) for at in site.split(","))],
                          capture_output=True, text=True)
    words = done.stdout.split("\n")
    return " < ".join("%s %s" % (words[i], words[i + 1].split(" ")[0]) for i in range(0, len(words) - 1, 2))


def grouped(wrong):
    """Of what went wrong: the faults, by site and text."""
    found = {}
    for fault, site, text in wrong:
        found.setdefault((site, text), []).append(fault)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("--short", type=int, default=0)
    parser.add_argument("--kinds", default="alloc,json,thread", type=lambda text: text.split(","))
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--lasting", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    points = failures = 0
    processes = queue.Queue()
    for _ in range(options.jobs):
        processes.put(Process(options.program))
    with tempfile.TemporaryDirectory() as top, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for scenario in scenarios.all_of(options.program, top):
            if options.only and scenario.name not in options.only:
                continue
            inputs = os.path.join(top, scenario.name, "inputs")
            os.makedirs(inputs)
            scenario.prepare(inputs)
            sweep = Sweep(options, processes, scenario, inputs)
            for kind in options.kinds:
                fired, wrong = sweep.sweep(kind, pool)
                print("%s, %s: %d calls failed, %d wrong" % (scenario.name, kind, fired, len(wrong)), flush=True)
                points, failures = points + fired, failures + len(wrong)
                for (site, text), faults in grouped(wrong).items():
                    print("    %s:%s at %s\n        %s" % (kind, " ".join(faults[:5]), name_site(options.program, site),
                                                          text.replace("\n", "\n        ")), flush=True)
            shutil.rmtree(os.path.join(top, scenario.name))
    while not processes.empty():
        processes.get().close()
    print("%d calls failed in all, %d wrong" % (points, failures))
    return 1 if failures or points == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
