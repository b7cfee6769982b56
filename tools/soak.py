#!/usr/bin/env python3
"""soak.py PROGRAM - the service for hours under mixed load: valid requests, each answer compared with the one at the
start, beside hostile ones (tools/hostile.py). Prints figures; exits with 1 unless

* each valid request got the right answer, or 503 with Retry-After, and none was cut off or left without an answer;
* no hostile request got 500, a malformed answer, or a status that it should not get;
* memory and open descriptors are flat, and SIGTERM ends the service within 5 seconds, with 0.

Ctrl-C or SIGTERM ends the load early; the figures are those until then.

Every 10 seconds a line goes into FOLDER/samples.csv. Two hours: nice -n 10 tools/soak.py build/geoviewmatch"""
import argparse
import asyncio
import base64
import collections
import json
import os
import random
import re
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time
import zlib

import hostile
from service import Service, form

SOUND, HOSTILE = "127.0.0.1", "127.0.0.%d"
PATIENCE = 180  # seconds without an answer until a request counts as hanging
SECONDS = 30    # the service's --seconds, after which it ends a connection that sends nothing


class Cut(Exception):
    """A truncated or malformed answer."""


# ------------------------------------------------------------------ a client

async def read_answer(reader, has_body=True):
    """Status, headers with lower-case names, and body; None if nothing arrived."""
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise Cut("cut within the headers: %r" % error.partial[:80]) from None
            return None
        lines = head[:-4].split(b"\r\n")
        found = re.fullmatch(rb"HTTP/1\.[01] (\d\d\d) .*", lines[0])
        if not found:
            raise Cut("no status: %r" % lines[0][:80])
        if found[1] != b"100":
            break
    headers = {k.decode().lower(): v.strip().decode() for k, v in (line.split(b":", 1) for line in lines[1:])}
    try:
        body = await reader.readexactly(int(headers.get("content-length", 0)) if has_body else 0)
    except asyncio.IncompleteReadError as error:
        raise Cut("%d bytes of %s" % (len(error.partial), headers["content-length"])) from None
    return int(found[1]), headers, body


async def connect(address, source, window=0):
    client = socket.socket()
    client.setblocking(False)
    if window:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    try:
        client.bind((source, 0))
        await asyncio.get_running_loop().sock_connect(client, address)
        return await asyncio.open_connection(sock=client, limit=1 << 20)
    except BaseException:
        client.close()
        raise


# ------------------------------------------------------------------ valid requests

class Ask:
    """A request and its expected answer."""

    def __init__(self, method, path, body=b"", kind=""):
        self.name = "%s %s" % (method, path)
        more = "Content-Type: %s\r\nContent-Length: %d\r\n" % (kind, len(body)) if method == "POST" else ""
        self.data = ("%s %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (method, path, more)).encode() + body
        self.want = None

    def fault(self, status, headers, body):
        """A description of the answer's fault, or None. Counters differ from answer to answer."""
        kind, want_kind = headers.get("content-type"), self.want[1].get("content-type")
        if status != self.want[0] or kind != want_kind:
            return "%s: %d %s instead of %d %s: %r" % (self.name, status, kind, self.want[0], want_kind, body[:300])
        if self.name == "GET /metrics":
            return None if b"\ngeoviewmatch_queue_length " in body else "no metrics: %r" % body[:300]
        try:
            same = body == self.want[2] or close_to(*(VALUES[kind](bytes) for bytes in (body, self.want[2])))
        except (KeyError, ValueError, zlib.error, struct.error):
            same = False
        return None if same else "%s: another answer: %r" % (self.name, body[:300])


def close_to(a, b):
    """Equal, except for the rounding of numbers that were computed in another batch."""
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) < 1e-5 or a != a and b != b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(close_to(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(close_to, a, b))
    if isinstance(a, bytes) and isinstance(b, bytes):
        return len(a) == len(b) and all(abs(x - y) <= 1 for x, y in zip(a, b))
    if isinstance(a, str) and isinstance(b, str) and a != b:
        return all(text.startswith(INLINE) for text in (a, b)) and close_to(*(
            png_values(base64.b64decode(text[len(INLINE):])) for text in (a, b)))
    return a == b


def png_values(data):
    """The decompressed bytes of a picture; the service's have no filter."""
    packed, at = b"", 8
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        packed += data[at + 8:at + 8 + size] if kind == b"IDAT" else b""
        at += 12 + size
    return zlib.decompress(packed)


def tiff_values(data):
    """The floats of a small GeoTIFF as the service writes it: one packed tile."""
    start, = struct.unpack_from("<I", data, 4)
    count, = struct.unpack_from("<H", data, start)
    tags = dict((tag, value) for tag, _, _, value in (struct.unpack_from("<HHII", data, start + 2 + 12 * i) for i in range(count)))
    tile = zlib.decompress(data[tags[324]:tags[324] + tags[325]])
    return list(struct.unpack("<%df" % (len(tile) // 4), tile))


INLINE = "data:image/png;base64,"
VALUES = {"application/json": json.loads, "application/geo+json": json.loads, "image/png": png_values, "image/tiff": tiff_values}


def sound_requests(service, photos):
    info = service.json("GET", "/v1/map")
    west, south, east, north = info["extent"]
    lat, lon = (south + north) / 2, (west + east) / 2
    imagery = ["/v1/imagery/%d/%d/%d.jpg" % (z, *web_tile(lat, lon, z)) for z in (15, 17, 19, 21)]
    asks = [Ask("GET", path) for path in (
        "/", "/app/main.js", "/app/page.css", "/leaflet/leaflet.esm.js", "/openapi.json", "/healthz", "/metrics", "/v1/map",
        "/v1/tiles", "/v1/tiles?bbox=%r,%r,%r,%r" % (lon, lat, lon, lat), "/v1/tiles/0.jpg", "/v1/tiles/7.jpg",
        "/v1/heatmap?tile=0", "/v1/heatmap?tile=3&stage=2&view=aerial", *imagery)]
    for i, path in enumerate(photos):
        with open(path, "rb") as file:
            photo = file.read()
        asks += [Ask("POST", "/v1/locate" + query, photo, "image/jpeg") for query in ("", "?heading=0", "?top=3&heading=find")]
        asks += [Ask("POST", path, photo, "image/jpeg") for path in (
            "/v1/locate?near=%.6f,%.6f&within=90" % (lat, lon), "/v1/heatmap?stage=%d" % (i % 4 + 1),
            "/v1/heatmap?tile=%d&heading=90" % i, "/v1/scores?heading=0", "/v1/scores?format=tiff&heading=0")]
        body, headers = form(("top", b"2", None), ("picture", photo, "a.jpg"))
        asks.append(Ask("POST", "/v1/locate", body, headers["Content-Type"]))
    return asks


def web_tile(lat, lon, zoom):
    from math import asinh, pi, radians, tan
    return int((lon + 180) / 360 * 2**zoom), int((1 - asinh(tan(radians(lat))) / pi) / 2 * 2**zoom)


# ------------------------------------------------------------------ the run

class Soak:
    def __init__(self, options, service, photos):
        self.options, self.service = options, service
        self.address = (service.host, service.port)
        self.asks = sound_requests(service, photos)
        with open(photos[0], "rb") as file:
            self.photo = file.read()
        self.sound, self.attacks = collections.Counter(), collections.Counter()
        self.statuses = collections.defaultdict(collections.Counter)
        self.faults, self.samples = [], []
        self.sent = self.connections = 0
        self.longest = 0.0
        self.stop = asyncio.Event()

    def fault(self, text):
        self.faults.append(text)
        print("FAULT %s %s" % (time.strftime("%H:%M:%S"), text), flush=True)

    async def learn(self):
        for ask in self.asks:
            reader, writer = await connect(self.address, SOUND)
            writer.write(ask.data)
            ask.want = await asyncio.wait_for(read_answer(reader), PATIENCE)
            writer.close()
            if ask.want is None or ask.want[0] != 200:
                raise SystemExit("%s: %s" % (ask.name, ask.want))
        await asyncio.sleep(1)
        self.before = self.resources()

    async def ask(self, ask, streams):
        begun = time.monotonic()
        streams[1].write(ask.data)
        await streams[1].drain()
        answer = await asyncio.wait_for(read_answer(streams[0]), PATIENCE)
        self.longest = max(self.longest, time.monotonic() - begun)
        if answer is None:
            raise Cut("no answer")
        if answer[0] == 503 and int(answer[1].get("retry-after", 0)) >= 1:
            return "busy"
        fault = ask.fault(*answer)
        if fault:
            self.fault(fault)
        return "wrong" if fault else "right"

    async def sounder(self, seed, every):
        """Valid requests, one every `every` seconds; each connection is kept for several."""
        draw, streams, left, due, used = random.Random(seed), None, 0, time.monotonic(), 0.0
        while not self.stop.is_set():
            ask = draw.choice(self.asks)
            try:
                if left == 0 or time.monotonic() - used > SECONDS / 2:  # a busy machine may keep us that long
                    if left:
                        streams[1].close()
                    streams, left = await asyncio.wait_for(connect(self.address, SOUND), PATIENCE), draw.choice((1, 1, 5, 20))
                self.sound[await self.ask(ask, streams)] += 1
                used, left = time.monotonic(), left - 1
            except (OSError, Cut, asyncio.TimeoutError) as error:
                self.sound["lost"] += 1
                self.fault("%s: lost: %r" % (ask.name, error))
                left = 0
            if left == 0 and streams is not None:
                streams[1].close()
                streams = None
            due = max(due + every * draw.uniform(0.5, 1.5), time.monotonic() - 10 * every)
            await asyncio.sleep(max(0, due - time.monotonic()))

    async def attacker(self, name, attack):
        """A refusal is the right answer, a closed connection is fine too; 500 and half an answer are not."""
        source = HOSTILE % random.randrange(2, 10)
        clients = []
        for _ in range(attack.connections):
            try:
                clients.append(await asyncio.wait_for(connect(self.address, source, attack.window), 60))
            except (OSError, asyncio.TimeoutError):
                self.statuses[name]["not connected"] += 1
        self.connections += len(clients)
        try:
            for piece in attack.pieces:
                if attack.pause:
                    await asyncio.sleep(attack.pause)
                for _, writer in clients:
                    writer.write(piece)
                    if attack.connections == 1 and not attack.window:
                        await asyncio.wait_for(writer.drain(), PATIENCE)
            if attack.hold:
                await asyncio.sleep(attack.hold)
            if attack.end in ("read", "half"):
                await self.judge(name, attack, *clients[0])
            else:
                self.statuses[name]["not awaited"] += 1
        except (OSError, IndexError):
            self.statuses[name]["cut off"] += 1
        except (Cut, ValueError) as error:
            self.fault("%s: %s, sent %r" % (name, error, b"".join(attack.pieces)[:300]))
        except asyncio.TimeoutError:
            self.fault("%s: no end, sent %r" % (name, b"".join(attack.pieces)[:300]))
        finally:
            for _, writer in clients:
                if attack.end == "reset" and not writer.transport.is_closing():
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
        self.attacks[name] += 1

    async def judge(self, name, attack, reader, writer):
        if attack.end == "half":
            writer.write_eof()
        has_body = not attack.pieces[0].startswith(b"HEAD ")
        answer = await asyncio.wait_for(read_answer(reader, has_body), PATIENCE)
        status = answer[0] if answer else "cut off"
        self.statuses[name][status] += 1
        if answer and not (400 <= status < 500 or status in (501, 503, 505) or status in attack.allowed or attack.end == "half"):
            self.fault("%s: status %d, sent %r" % (name, status, b"".join(attack.pieces)[:300]))
        if status == 500:
            self.fault("%s: 500 %r" % (name, answer[2][:300]))

    async def attack(self):
        """At an even pace; at most 80 at once."""
        at_once, running = asyncio.Semaphore(80), set()
        drawn, begun = hostile.attacks(self.photo, self.options.seed), time.monotonic()
        while self.sent < self.options.hostile and not self.stop.is_set():
            await at_once.acquire()
            task = asyncio.create_task(self.attacker(*next(drawn)))
            running.add(task)
            task.add_done_callback(lambda done: (running.discard(done), at_once.release()))
            self.sent += 1
            due = begun + self.sent * self.options.seconds / self.options.hostile
            await asyncio.sleep(max(0, due - time.monotonic()))
        if running:
            await asyncio.wait(running)

    # -------------------------------------------------------------- resources of the service

    def resources(self):
        pid = self.service.process.pid
        with open("/proc/%d/status" % pid) as file:
            text = file.read()
        return (int(re.search(r"VmRSS:\s+(\d+)", text)[1]), len(os.listdir("/proc/%d/fd" % pid)),
                int(re.search(r"Threads:\s+(\d+)", text)[1]))

    async def sample(self, file):
        begun = time.monotonic()
        print("seconds,rss_kb,descriptors,threads,healthz_ms,sound,hostile,connections", file=file)
        while not self.stop.is_set():
            if self.service.process.poll() is not None:
                self.fault("the service ended with %s" % self.service.process.returncode)
                self.stop.set()
                return
            at = time.monotonic()
            streams = await connect(self.address, SOUND)
            streams[1].write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            await asyncio.wait_for(read_answer(streams[0]), PATIENCE)
            streams[1].close()
            row = (round(at - begun, 1), *self.resources(), round(1e3 * (time.monotonic() - at), 1), sum(self.sound.values()),
                   sum(self.attacks.values()), self.connections)
            self.samples.append(row)
            print(*row, sep=",", file=file, flush=True)
            try:
                await asyncio.wait_for(self.stop.wait(), self.options.every)
            except asyncio.TimeoutError:
                pass

    async def run(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self.stop.set)
        await self.learn()
        print("%d kinds of sound requests" % len(self.asks), flush=True)
        begun = time.monotonic()
        with open(os.path.join(self.options.out, "samples.csv"), "w") as file:
            others = [asyncio.create_task(self.sample(file))]
            others += [asyncio.create_task(self.sounder(i, 3 / self.options.sound)) for i in range(3)]
            await self.attack()
            try:
                await asyncio.wait_for(self.stop.wait(), max(0, begun + self.options.seconds - time.monotonic()))
            except asyncio.TimeoutError:
                pass
            self.stop.set()
            for result in await asyncio.gather(*others, return_exceptions=True):
                if isinstance(result, Exception):
                    self.fault("%r" % result)
        return time.monotonic() - begun


# ------------------------------------------------------------------ the end

def settle(soak):
    """Nothing is being computed, held or open."""
    end = time.monotonic() + PATIENCE
    while True:
        text = soak.service.ask("GET", "/metrics")[2].decode()
        left = [name for name in ("queue_length 0", "body_bytes 0", "connections 1") if "\ngeoviewmatch_%s\n" % name not in text]
        if not left:
            return text
        if time.monotonic() > end:
            soak.fault("not over after %d s: %s" % (PATIENCE, ", ".join(left)))
            return text
        time.sleep(0.2)


def rest(soak):
    """The service's resources after the threads that its libraries keep for some seconds have ended."""
    end = time.monotonic() + 30
    while soak.resources()[2] > soak.before[2] and time.monotonic() < end:
        time.sleep(0.5)
    return soak.resources()


def slope(samples):
    """KB an hour, by least squares."""
    times, sizes = [row[0] / 3600 for row in samples], [row[1] for row in samples]
    middle = statistics.mean(times)
    spread = sum((t - middle)**2 for t in times)
    return sum((t - middle) * size for t, size in zip(times, sizes)) / spread if spread else 0


def report(soak, took, after, ended):
    before, warm = soak.before, soak.samples[len(soak.samples) // 6:]
    tenth = max(1, len(warm) // 10)
    early, late = (statistics.median(row[1] for row in part) for part in (warm[:tenth], warm[-tenth:]))
    delays = sorted(row[4] for row in soak.samples)
    print("time            %.0f s" % took)
    print("sound           %d: %s; the longest %.1f s" % (sum(soak.sound.values()), dict(soak.sound), soak.longest))
    print("hostile         %d on %d connections" % (sum(soak.attacks.values()), soak.connections))
    for name in sorted(soak.attacks):
        print("  %-12s  %6d: %s" % (name, soak.attacks[name], ", ".join(
            "%s %d" % pair for pair in sorted(soak.statuses[name].items(), key=lambda pair: -pair[1]))))
    print("memory          %.1f MB after the warm-up (%.0f s), %.1f MB at the end, %+.2f MB an hour, at most %.1f MB" % (
        early / 1024, warm[0][0], late / 1024, slope(warm) / 1024, max(row[1] for row in soak.samples) / 1024))
    print("descriptors     %d before, %d after; at most %d" % (before[1], after[1], max(row[2] for row in soak.samples)))
    print("threads         %d before, %d after; at most %d" % (before[2], after[2], max(row[3] for row in soak.samples)))
    print("/healthz        median %.1f ms, 99%% %.1f ms, at most %.1f ms" % (
        delays[len(delays) // 2], delays[len(delays) * 99 // 100], delays[-1]))
    print("end             status %s after %.1f s" % ended)
    if late > 1.1 * early + 8192:
        soak.fault("memory grew from %.1f to %.1f MB" % (early / 1024, late / 1024))
    if after[1] > before[1] or after[2] > before[2] + 8:
        soak.fault("descriptors %d to %d, threads %d to %d" % (before[1], after[1], before[2], after[2]))
    if ended[0] != 0 or ended[1] > soak.options.end:
        soak.fault("its end: status %s after %.1f s" % ended)
    if not soak.sound["right"] or not soak.attacks:
        soak.fault("nothing was asked")
    print("faults          %d" % len(soak.faults), flush=True)


def prepare(options):
    """A map of a drawn town, and a copy of the program, because a build may replace it meanwhile."""
    os.makedirs(options.out, exist_ok=True)
    program, town, index = (os.path.join(options.out, name) for name in ("geoviewmatch", "town", "map.gpkg"))
    shutil.copy2(options.program, program)
    if not os.path.exists(index):
        subprocess.run([program, "world", "--ortho", "--out", town, "--metres", "200", "--pairs", "3", "--turn", "yes", "--seed", "3",
                        "--quiet"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([program, "index", "--raster", town + "/ortho.tif", "--out", index, "--quiet"], check=True,
                       stdout=subprocess.DEVNULL)
    street = os.path.join(town, "street")
    return program, index, [os.path.join(street, name) for name in sorted(os.listdir(street))]


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("program")
    words.add_argument("--seconds", type=float, default=7200)
    words.add_argument("--hostile", type=int, help="requests; 14 a second if not given")
    words.add_argument("--sound", type=float, default=4, help="requests a second (4)")
    words.add_argument("--every", type=float, default=10, help="seconds between two samples (10)")
    words.add_argument("--end", type=float, default=5, help="seconds that the service's end may take (5); sanitizers need more")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--out", default="build/soak", help="folder of the map, the samples and what the service said (build/soak)")
    options = words.parse_args()
    options.hostile = options.hostile or int(14 * options.seconds) + 1
    program, index, photos = prepare(options)
    with open(os.path.join(options.out, "said"), "w+") as said:
        service = Service(program, index, "--quiet", "--seconds", SECONDS, "--log", os.path.join(options.out, "log"), stderr=said)
        try:
            soak = Soak(options, service, photos)
            took = asyncio.run(soak.run())
            metrics = settle(soak)
            after = rest(soak)
            with open(os.path.join(options.out, "metrics"), "w") as file:
                file.write(metrics)
            begun = time.monotonic()
            service.process.send_signal(signal.SIGTERM)
            ended = (service.process.wait(600), time.monotonic() - begun)
        finally:
            service.process.kill()
        said.seek(0)
        if text := said.read():
            soak.fault("it said: " + text[:6000])
    report(soak, took, after, ended)
    sys.exit(1 if soak.faults else 0)


if __name__ == "__main__":
    main()
