"""Every call on a file fails once: for each command and each kind of call, k = 1, 2, 3, ...

    python3 tests/disk/sweep.py PROGRAM LIBRARY              a few points of each command, as `make test` does
    python3 tests/disk/sweep.py PROGRAM LIBRARY --all        every point
                --case train --case index  --kind read      only these
                --at K                                      only this point
                --space N                                   instead: a disk that is full after a number of bytes, N times
                --report FILE                               what was said at each point; one that is there is not done again

LIBRARY is fail_io.c as a shared library. After each failure: no signal, no word of a sanitizer, one sentence that names
a file and the reason and an exit status that is not 0 (or all as without the failure); each file as it was or as it is
to become, none half-written, none left over; and the same command then does its work.
"""
import argparse, hashlib, json, os, random, re, select, shutil, signal, sqlite3, subprocess, sys, tempfile, time, urllib.request

SHORT = {"init-over": ["name", "map"], "embed": ["write"], "index-tiles": ["write", "read", "name"], "index-add": ["write", "sync"],
         "locate-report": ["write", "name"], "heatmap": ["write", "stat"], "train": ["write", "read", "name", "short"],
         "train-resume": ["write", "read"], "world": ["write"], "serve": ["write"]} # of each a few points
KINDS = ["open", "stat", "read", "write", "sync", "close", "map", "name", "unlink", "folder", "lock", "short", "interrupt"]
FULL = "[Nn]o space left on|free disk space"
REASONS = {"space": FULL, "write": FULL, "folder": FULL,
           "map": "Cannot allocate memory|out of memory", "lock": "No locks available", "interrupt": "Interrupted system call",
           "stat": "Input/output error|it is a directory, expected"} # the latter from an operand's
FOLDER = "/dev/shm" if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK) else None

top = os.getcwd()
arguments = argparse.ArgumentParser()
arguments.add_argument("program")
arguments.add_argument("library")
arguments.add_argument("--all", action="store_true")
arguments.add_argument("--case", action="append")
arguments.add_argument("--kind", action="append")
arguments.add_argument("--at", type=int)
arguments.add_argument("--report")
arguments.add_argument("--space", type=int)
a = arguments.parse_args()
program, library = os.path.abspath(a.program), os.path.abspath(a.library)
tmp = tempfile.mkdtemp(prefix="faults-", dir=FOLDER)
work = os.path.join(tmp, "work")
report = open(a.report, "a+") if a.report else None
if report:
    report.seek(0)
reported = {" ".join(line.split()[:2]) for line in report} if report else set() # by an earlier run


# ------------------------------------------------------------------ a command

def environment(fault=None):
    e = dict(os.environ, LC_ALL="C", TMPDIR=work, OMP_WAIT_POLICY="passive", MALLOC_ARENA_MAX="2")
    e["ASAN_OPTIONS"] = e.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0:allocator_may_return_null=1"
    if fault:
        e.update(FAIL_IO=fault, FAIL_IO_UNDER=work, FAIL_IO_LOG=os.path.join(tmp, "log"), LD_PRELOAD=library)
    return e


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err


class Server:
    """The program with its libraries loaded, forked once a run."""
    def __init__(self, command):
        theirs, self.ask = os.pipe()
        self.answer, given = os.pipe()
        e = dict(environment("none"), FAIL_IO_STDOUT=os.path.join(work, "stdout"), FAIL_IO_STDERR=os.path.join(tmp, "stderr"))
        def place():
            os.dup2(theirs, 198)
            os.dup2(given, 199)
        self.process = subprocess.Popen([program, *command], env=e, stdin=subprocess.DEVNULL, close_fds=False, preexec_fn=place)
        os.close(theirs)
        os.close(given)

    def run(self, fault):
        os.write(self.ask, ((fault or "") + "\n").encode())
        assert select.select([self.answer], [], [], 600)[0], "it hangs"
        return os.waitstatus_to_exitcode(int.from_bytes(os.read(self.answer, 4), sys.byteorder))

    def end(self):
        os.close(self.ask)
        os.close(self.answer)
        self.process.wait()


servers = {}


def end_servers():
    while servers:
        servers.popitem()[1].end()


def run(command, fault=None):
    """Run it in the work folder, its output into a file there."""
    if callable(command):
        return command(fault)
    key = tuple(command)
    if key not in servers:
        servers[key] = Server(command)
    status = servers[key].run(fault)
    path = os.path.join(work, "stdout")
    text = open(path, "rb").read()
    os.unlink(path)
    text = re.sub(rb"[\d.]+% of the time", b"", text)
    return Result(status, text, open(os.path.join(tmp, "stderr"), errors="replace").read())


def must(*command):
    r = run(command)
    assert r.status == 0, (command, r.status, r.err)


# ------------------------------------------------------------------ files

def content_of_map(path):
    try:
        with sqlite3.connect(path) as c:
            ask = lambda q: c.execute(q).fetchall()
            assert ask("PRAGMA integrity_check") == [("ok",)]
            facts = [f for f in ask("SELECT key, value FROM geoviewmatch ORDER BY key") if f[0] != "id"]
            return repr(facts) + repr(ask("SELECT * FROM tiles ORDER BY fid"))
    except (sqlite3.Error, AssertionError) as e:
        return "broken: " + str(e)


def content(path):
    """What two runs make alike."""
    data = open(path, "rb").read()
    if path.endswith(".gpkg"):
        return content_of_map(path)
    if path.endswith(".features"):
        return data[4096:]
    if path.endswith(".jsonl"):
        return re.sub(rb', "pairs_per_s.*', b"", data)
    if path.endswith("requests.log"):
        return re.sub(rb"(?m)^\S+ |[\d.]+ ms$", b"", data)
    return data


def tree():
    files = {}
    for folder, folders, names in os.walk(work):
        for name in names:
            path = os.path.join(folder, name)
            c = content(path)
            files[os.path.relpath(path, work)] = hashlib.md5(c if isinstance(c, bytes) else c.encode()).hexdigest()
        for name in folders:
            files[os.path.relpath(os.path.join(folder, name), work) + "/"] = "folder"
    return files


def snapshot():
    """Which files there are, and whether one was written."""
    found = []
    for folder, folders, names in os.walk(work):
        for name in folders + names:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            found.append((path, st.st_ino, st.st_size, st.st_mtime_ns if name in names else 0))
    return sorted(found)


def fresh(base):
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(base, work)


# ------------------------------------------------------------------ the cases

class Case:
    """name: its own. command: what is run, a list or a function of a fault. base: the folder that it finds.
    again: what is run after a failure, if that is not the command. partial: what may be there after a failure beside
    what was and what is to be. many: sentences that may be said. no_sentence: a failure that is not one of the command's."""
    def __init__(self, name, command, base, again=None, partial=None, many=1, findings=False):
        self.name, self.command, self.base = name, command, base
        self.again, self.partial, self.many, self.findings = again or (lambda: command), partial, many, findings


def build(name, *steps):
    """A folder in which commands were run."""
    path = os.path.join(tmp, "base-" + name)
    if not os.path.isdir(path):
        shutil.rmtree(work, ignore_errors=True)
        os.mkdir(work)
        for step in steps:
            step()
        shutil.copytree(work, path)
        end_servers()
    return path


TINY = {"model": "sample4geo", "dims": [3, 4, 5, 6], "depths": [1, 1, 2, 1], "street": [32, 160], "aerial": [32, 32]}


def put(name, text):
    os.makedirs(os.path.dirname(os.path.join(work, name)), exist_ok=True)
    with open(os.path.join(work, name), "w") as f:
        f.write(text)


def take(source, name):
    os.makedirs(os.path.dirname(os.path.join(work, name)), exist_ok=True)
    shutil.copy(os.path.join(top, source), os.path.join(work, name))


def config():
    put("tiny.json", json.dumps(TINY))


def weights():
    config()
    must("init", "--config", "tiny.json", "--seed", "3", "--out", "w.safetensors")


def masks():
    shutil.copy(os.path.join(top, "tests/golden/previous/weights.safetensors"), os.path.join(work, "w.safetensors"))


def pairs():
    lines = ["id,street,aerial,lat,lon,heading,split"]
    for i in 1, 2, 3, 4:
        take(f"examples/demo/street/{i}.png", f"data/street/{i}.png")
        take(f"examples/demo/aerial/{i}.png", f"data/aerial/{i}.png")
        lines.append(f"p{i},street/{i}.png,aerial/{i}.png,4{i}.5,8.25,,{'test' if i > 2 else 'train'}")
    put("data/pairs.csv", "\n".join(lines) + "\n")


def rasters():
    for i in 1, 2:
        take(f"examples/demo/aerial/{i}.png", f"{i}.png")
        put(f"{i}.pgw", f"0.4\n0\n0\n-0.4\n{500000 + 100 * i}.2\n5539999.8\n")


def tiles():
    lines = ["image,lat,lon,metres"]
    for i in 1, 2, 3:
        take(f"examples/demo/aerial/{i}.png", f"tiles/{i}.png")
        lines.append(f"tiles/{i}.png,45.000{i},8.25,64")
    put("tiles.csv", "\n".join(lines) + "\n")


def photo():
    take("examples/demo/street/1.png", "photo.png")


def old(name):
    return lambda: must("init", "--preset", "sample4geo-nano", "--seed", "9", "--out", name)


index = ["index", "--weights", "w.safetensors", "--quiet", "--threads", "1", "--out", "map.gpkg"]
raster = index + ["--crs", "EPSG:32633", "--raster", "1.png"]
train_of = lambda epochs: ["train", "--data", "data", "--init", "w.safetensors", "--batch", "2", "--epochs", str(epochs), "--eval-every", "1",
         "--quiet", "--threads", "1", "--out", "run", "--cache", "pictures.cache"]
train = train_of(1)
locate = ["locate", "--weights", "w.safetensors", "--index", "map.gpkg", "--quiet", "--threads", "1"]


def make_map():
    must(*index, "--tiles", "tiles.csv")


def resumed():
    return ["train", "--resume", "run", "--quiet", "--threads", "1"] if os.path.exists(work + "/run/state.safetensors") else train


def is_map_part(name, files):
    """A map that is not complete yet has both of its files, and SQLite's journal if taking back failed too."""
    return (name in ("map.gpkg", "map.features") and {"map.gpkg", "map.features"} <= files.keys()) or name == "map.gpkg-journal"


def is_run_part(name, files):
    return re.fullmatch(r"run/((log.jsonl|(last|best|state).safetensors))?|pictures.cache", name)


def serve(fault):
    """The service starts, answers one request and ends."""
    p = subprocess.Popen([program, "serve", "--weights", "w.safetensors", "--index", "map.gpkg", "--port", "0", "--threads", "1", "--log", "requests.log"],
                         cwd=work, env=environment(fault), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    line, said = p.stdout.readline(), ""
    match = re.search(r"http://\S+?:\d+", line)
    if match:
        photo = open(os.path.join(work, "photo.png"), "rb").read()
        request = urllib.request.Request(match[0] + "/v1/locate", data=photo, headers={"Content-Type": "image/png"})
        try:
            said = urllib.request.urlopen(request, timeout=60).read().decode()
        except urllib.error.HTTPError as e:
            said = f"{e.code} {e.read().decode()}"
        p.send_signal(signal.SIGTERM)
    out, err = p.communicate(timeout=60)
    return Result(p.returncode, re.sub(r'"(seconds|ms)": [\d.]+', "", said).encode(), err)


def cases():
    none = build("config", config)
    yield Case("init", ["init", "--config", "tiny.json", "--seed", "3", "--out", "w.safetensors"], none)
    before = build("over", config, old("w.safetensors"))
    yield Case("init-over", ["init", "--config", "tiny.json", "--seed", "3", "--out", "w.safetensors"], before)
    pth = build("pth", lambda: take("tests/golden/import/sample4geo.pth", "s.pth"))
    yield Case("import", ["import", "s.pth", "--as", "sample4geo-vigor", "--out", "w.safetensors"], pth)
    with_photo = build("embed", weights, tiles, photo)
    yield Case("embed", ["embed", "--weights", "w.safetensors", "--view", "aerial", "--threads", "1", "--out", "f.safetensors", "tiles"], with_photo, many=4,
               partial=lambda name, files: name == "f.safetensors")
    yield Case("index-tiles", index + ["--tiles", "tiles.csv"], with_photo, partial=is_map_part, many=4)
    from_raster = build("raster", weights, rasters)
    yield Case("index-raster", raster, from_raster, partial=is_map_part, many=2)
    both = build("both", weights, rasters, lambda: must(*raster))
    yield Case("index-add", index + ["--crs", "EPSG:32633", "--add", "--raster", "2.png"], both, partial=is_map_part, many=2)
    yield Case("index-remove", ["index", "--out", "map.gpkg", "--remove", "14,49,15.0017,51"], both, partial=is_map_part,
               again=lambda: ["index", "--out", "map.gpkg", "--remove", "14,49,15.0017,51"])
    mapped = build("mapped", weights, tiles, photo, make_map)
    yield Case("locate", locate + ["--format", "csv", "photo.png"], mapped, many=2)
    yield Case("locate-heat", locate + ["--format", "geojson", "--heat", "heat.tif", "photo.png"], mapped, many=2)
    yield Case("locate-report", locate + ["--report", "report", "photo.png"], mapped, many=4,
               partial=lambda name, files: re.fullmatch(r"report/(index.html|answers.geojson)?", name))
    yield Case("info-map", ["info", "--json", "map.gpkg"], mapped)
    yield Case("info-weights", ["info", "--json", "w.safetensors"], mapped)
    yield Case("serve", serve, mapped, many=9, partial=lambda name, files: name == "requests.log")
    masked = build("masked", masks, photo)
    yield Case("heatmap", ["heatmap", "--weights", "w.safetensors", "--view", "street", "--out", "heat.png", "photo.png"], masked)
    data = build("data", weights, pairs)
    yield Case("check", ["check", "--data", "data", "--list", "list.csv"], data, many=9, findings=True, partial=lambda name, files: name == "list.csv")
    yield Case("eval", ["eval", "--weights", "w.safetensors", "--data", "data", "--threads", "1", "--matches", "m.csv"], data, many=3)
    yield Case("train", train, data, again=resumed, partial=is_run_part)
    begun = build("begun", weights, pairs, lambda: must(*train_of(2), "--steps", "1"))
    yield Case("train-resume", ["train", "--resume", "run", "--quiet", "--threads", "1"], begun, partial=is_run_part)
    yield Case("info-run", ["info", "run"], begun)
    yield Case("info-log", ["info", "run/log.jsonl"], begun)
    empty = build("empty")
    town = ["world", "--out", "town", "--pairs", "2", "--seed", "7", "--threads", "1", "--quiet"]
    part = lambda name, files: re.fullmatch(r"town/((street|aerial|photos|imagery)/(\d+\.jpg)?|ortho.tif|imagery/ortho.tif)?", name)
    yield Case("world", town, empty, again=lambda: town + ["--force"], partial=part)
    ortho = town + ["--ortho", "--metres", "200"]
    yield Case("world-ortho", ortho, empty, again=lambda: ortho + ["--force"], partial=part)


# ------------------------------------------------------------------ what must hold

def sentences(err):
    return [line for line in err.splitlines() if re.match(r"geoviewmatch( \w+)?: ", line) and "warning:" not in line]


def failures(case, kind, r, now, before, after, out, fired):
    """What does not hold after a failure."""
    wrong = []
    if kind == "unlink": # what cannot be removed stays
        now = {n: c for n, c in now.items() if not re.search(r"(^|/)geoviewmatch-[^/]*$", n)}
    if r.status < 0:
        wrong.append(f"it died of signal {-r.status}")
    if "Sanitizer" in r.err or "runtime error" in r.err:
        wrong.append("a sanitizer: " + r.err[-1500:])
    if r.out.startswith(b"503 ") and re.search(REASONS.get(kind, "Input/output error"), r.out.decode()):
        return wrong # the service's answer says why
    said = sentences(r.err)
    if r.status == 1 and case.findings and not said: # a picture that cannot be read is one of its findings
        said = [l for l in r.out.decode().splitlines() if re.search("unreadable +[1-9]|missing +[1-9]", l)]
        kind = "short"
    if r.status == 0:
        lost = {n for n in now.keys() | after.keys() if now.get(n) != after.get(n)}
        if lost == {"requests.log"} and "not logged" in r.err:
            lost.clear()
        if lost and not (kind in ("open", "read", "stat", "map", "interrupt") and case.name == "locate-report" and now.keys() == after.keys()):
            wrong.append(f"it ends with 0, but {sorted(lost)} is not as it should be")
        if r.out != out:
            wrong.append("it ends with 0 but prints something else")
    else:
        if r.status not in (1, 77):
            wrong.append(f"it ends with {r.status}")
        if not 1 <= len(said) <= case.many:
            wrong.append(f"{len(said)} sentences")
        reason = REASONS.get(kind, "Input/output error")
        if fired and re.search(r"/[12]\.p(ng|gw)$", fired[0]): # GDAL keeps the reason for itself
            reason = ""
        if fired and "map.gpkg" in fired[0] and kind == "read":
            reason = ""
        if fired and re.search(r"/map\.gpkg|/work$", fired[0]): # SQLite and GDAL have their own words
            reason += "|disk I/O error|disk is full|malformed|unable to open|readonly|not recognized|tables, .*is missing|database is locked|cannot read its table"
        if not any(re.search(reason, s) for s in said) and kind != "short":
            wrong.append("REASON not said")
        names = {os.path.basename(n.rstrip("/")) for n in before.keys() | after.keys() | now.keys()} | {"standard output"} | (set(said) if case.findings else set())
        if not any(n in s for n in names for s in said):
            wrong.append("FILE not named")
        for n in now.keys() - before.keys():
            if now[n] != after.get(n) and not (case.partial and case.partial(n, now)):
                wrong.append(f"LEFT {n}" if n not in after else f"HALF-WRITTEN {n}")
        for n in before.keys() - now.keys():
            wrong.append(f"LOST {n}")
        for n in before.keys() & now.keys():
            if now[n] not in (before[n], after.get(n)) and not (case.partial and case.partial(n, now)):
                wrong.append(f"CHANGED {n}")
    if now not in (before, after):
        again = run(case.again())
        if "missing from the map" in again.err: # what could not be read is taken in by --add
            again = run(case.again() + ["--add"])
            after = {n: c for n, c in after.items() if not n.startswith("map.")}
            end_of = lambda: {n: c for n, c in tree().items() if not n.startswith("map.")}
        else:
            end_of = tree
        end = end_of()
        if kind == "unlink":
            end = {n: c for n, c in end.items() if not re.search(r"(^|/)geoviewmatch-[^/]*$", n)}
        if again.status != 0:
            wrong.append(f"again it ends with {again.status}: {again.err.strip()}")
        elif end != after:
            wrong.append(f"again, other files: {sorted(n for n in end.keys() | after.keys() if end.get(n) != after.get(n))}")
    return wrong


def log_lines():
    path = os.path.join(tmp, "log")
    lines = open(path).read().splitlines() if os.path.exists(path) else []
    if lines:
        os.unlink(path)
    return lines


def count_points(case, kind):
    fresh(case.base)
    run(case.command, f"{kind}:{10 ** 15 if kind == 'space' else 0}")
    lines = log_lines()
    return int(lines[-1].split()[1]) if lines and lines[-1].startswith("points") else 0


def sweep(case, kinds):
    """How many calls failed, and how many of those not as they should."""
    fresh(case.base)
    before = tree()
    r = run(case.command)
    assert r.status == 0, (case.name, r.status, r.err)
    after, out = tree(), r.out
    hits = bad = 0
    for kind in kinds:
        n = count_points(case, kind)
        points = ([a.at] if a.at else range(1, n + 1) if a.all else sorted({1, n // 8 + 1, n // 3 + 1, max(1, n - 1), n} if n else {})) if kind != "space" \
            else sorted(random.Random(n).sample(range(n), min(a.space, n)))
        fired = wrong = 0
        seen = None
        for k in points:
            if f"{case.name} {kind}:{k}" in reported:
                continue
            if seen is None or snapshot() != seen:
                fresh(case.base)
                seen = snapshot()
            r = run(case.command, f"{kind}:{k}")
            failed = [l for l in log_lines() if l.startswith("failed")]
            fired += len(failed) > 0
            now = before if snapshot() == seen else tree()
            problems = failures(case, kind, r, now, before, after, out, failed)
            where = failed[0].replace(work + "/", "") if failed else "nothing failed"
            if report:
                report.write(f"{case.name} {kind}:{k} | {where} | {r.status} | {' / '.join(sentences(r.err))} | {'; '.join(problems)}\n")
                report.flush()
            if problems:
                wrong += 1
                if not report:
                    print(f"{case.name} {kind}:{k}: {where}\n    status {r.status}: {r.err.strip()[-800:]}\n    " + "\n    ".join(problems))
        if n or fired:
            print(f"{case.name:14s} {kind:9s} {n:4d} points, {fired:4d} failed, {wrong} not as they should", flush=True)
        hits += fired
        bad += wrong
    end_servers()
    return hits, bad


hits = bad = 0
os.mkdir(work)
if subprocess.run([program, "--version"], env=environment("open:0"), stdout=subprocess.DEVNULL).returncode == 77:
    sys.exit(77) # nothing filters system calls here
try:
    for case in cases():
        short = not (a.all or a.space)
        if case.name in (a.case or (SHORT if short else [case.name])):
            fired, wrong = sweep(case, ["space"] if a.space else a.kind or (SHORT.get(case.name, KINDS) if short else KINDS))
            hits, bad = hits + fired, bad + wrong
finally:
    shutil.rmtree(tmp, ignore_errors=True)
if hits == 0 and not report:
    sys.exit("no call failed: the library has no effect on this program, or no case has such calls")
sys.exit(1 if bad else 0)
