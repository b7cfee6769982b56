"""Run the service and send requests to it, with the standard library alone."""
import functools
import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import time
import zlib

PATIENCE = 600  # seconds until a wait counts as a hang; long, because a busy machine must not fail a test
HEADERS = ("content-security-policy", "x-content-type-options", "referrer-policy")


class Service:
    """The program, serving a map. A sanitizer's report makes its exit status nonzero."""

    def __init__(self, program, index, *words, preexec_fn=None, stderr=subprocess.PIPE):
        self.process = subprocess.Popen([program, "serve", "--index", index, "--port", "0", *map(str, words)],
                                        stdout=subprocess.PIPE, stderr=stderr, text=True, preexec_fn=preexec_fn)
        line = self.process.stdout.readline()
        found = re.fullmatch(r"(https?)://(\S+):(\d+)/\n", line)
        assert found, "no address: %r %s" % (line, self.process.stderr.read() if not line and self.process.stderr else "")
        self.tls, self.host, self.port = found[1] == "https", found[2].strip("[]"), int(found[3])
        if self.host == "localhost":  # a machine without /etc/hosts cannot resolve the name
            self.host = "127.0.0.1"

    def connection(self, source=None, timeout=PATIENCE):
        if self.tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            return http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=context)
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout,
                                          source_address=(source, 0) if source else None)

    def ask(self, method, path, body=None, headers=None, source=None):
        """Status, headers with lower-case names, and body."""
        connection = self.connection(source)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            named = {name.lower(): value for name, value in reply.getheaders()}
            for name in HEADERS:
                assert name in named, (path, name)
            return reply.status, named, reply.read()
        finally:
            connection.close()

    def json(self, method, path, *rest, status=200, **more):
        got, headers, body = self.ask(method, path, *rest, **more)
        assert got == status, (path, got, body[:400])
        kind = "application/problem+json" if status >= 400 else "application/json"
        assert headers["content-type"] == kind, (path, headers["content-type"])
        return json.loads(body)

    def problem(self, status, method, path, *rest, **more):
        """The detail of a problem response."""
        said = self.json(method, path, *rest, status=status, **more)
        assert set(said) - {"retry_with"} == {"type", "title", "status", "detail"} and said["status"] == status, said
        assert said.get("retry_with", "panorama=yes") == "panorama=yes" and "--" not in said["detail"], said
        return said["detail"]

    def locate(self, photo, query="", kind="image/jpeg"):
        with open(photo, "rb") as file:
            return self.json("POST", "/v1/locate" + query, file.read(), {"Content-Type": kind})

    def metric(self, name):
        """A number in /metrics; 0 if it is not there."""
        lines = [line for line in self.ask("GET", "/metrics")[2].decode().splitlines() if line.startswith(name + " ")]
        return int(lines[0].rsplit(" ", 1)[1]) if lines else 0

    def mishaps(self, reason):
        return self.metric('geoviewmatch_errors_total{reason="%s"}' % reason)

    def count(self, path, code):
        """The number of answers with this status."""
        return self.metric('geoviewmatch_requests_total{path="%s",code="%d"}' % (path, code))

    def memory(self):
        """Resident memory in MB."""
        with open("/proc/%d/status" % self.process.pid) as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) / 1024

    def stop(self, patience=PATIENCE):
        """Send SIGTERM and return stderr. The service must exit with 0."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=patience)
        assert self.process.returncode == 0, (self.process.returncode, err[-4000:])
        assert out == "", out
        return err

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None and self.process.poll() is not None:
            return
        self.process.kill()
        print("status %s: %s" % (self.process.poll(), self.process.communicate()[1][-6000:]))


def form(*parts, boundary="frontier"):
    """A multipart body of (name, bytes, file name or None), and its headers."""
    body = b""
    for name, data, filename in parts:
        body += ("--%s\r\nContent-Disposition: form-data; name=\"%s\"" % (boundary, name)).encode()
        if filename is not None:
            body += ("; filename=\"%s\"\r\nContent-Type: image/jpeg" % filename).encode()
        body += b"\r\n\r\n" + data + b"\r\n"
    return body + ("--%s--\r\n" % boundary).encode(), {"Content-Type": "multipart/form-data; boundary=" + boundary}


@functools.cache
def png(width, height, level=9):
    """A PNG of width x height pixels, white on the left and black on the right; few bytes even if large."""
    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
    pack, rows, row = zlib.compressobj(level), [], b"\0" + b"\xff" * (width // 16) + bytes((width + 7) // 8 - width // 16)
    for _ in range(height):
        rows.append(pack.compress(row))
    rows.append(pack.flush())
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"".join(rows)) + chunk(b"IEND", b"")


@functools.cache
def bomb(width, height, scans):
    """A small grey progressive JPEG, each scan of which visits all pixels without changing them."""
    def segment(marker, data):
        return bytes([255, marker]) + (len(data) + 2).to_bytes(2, "big") + data

    def bits(text):
        text += "1" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")
    blocks = -(-width // 8) * -(-height // 8)
    frame = segment(0xc2, b"\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\1\1\x11\0")
    codes = segment(0xc4, b"\0\1" + bytes(16)) + \
        segment(0xc4, b"\x10" + bytes([0, 0, 0, 15] + [0] * 12) + bytes(n << 4 for n in range(15)))
    first = segment(0xda, b"\1\1\0\0\0\0") + bits("0" * blocks)
    runs, left = "", blocks  # runs of blocks that a scan leaves unchanged, up to 32,767 at a time
    while left > 0:
        n = min(14, left.bit_length() - 1)
        take = min(left, (2 << n) - 1)
        runs += format(n, "04b") + (format(take - (1 << n), "0%db" % n) if n else "")
        left -= take
    more = segment(0xda, b"\1\1\0\1\x3f\0") + bits(runs)
    return b"\xff\xd8" + segment(0xdb, b"\0" + b"\1" * 64) + frame + codes + first + more * scans + b"\xff\xd9"


def wait_until(test, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < end, "the condition did not become true"
        time.sleep(0.02)
