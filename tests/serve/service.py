"""The service, run and asked, with the standard library alone."""
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

PATIENCE = 600  # seconds, after which something hangs: a busy machine is no reason to fail
HEADERS = ("content-security-policy", "x-content-type-options", "referrer-policy")


class Service:
    """The program, serving a map. A sanitizer's report makes its status another than 0."""

    def __init__(self, program, index, *words):
        self.process = subprocess.Popen([program, "serve", "--index", index, "--port", "0", *map(str, words)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.fullmatch(r"(https?)://(\S+):(\d+)/\n", line)
        assert found, "no address: %r %s" % (line, self.process.stderr.read() if not line else "")
        self.tls, self.host, self.port = found[1] == "https", found[2].strip("[]"), int(found[3])
        if self.host == "localhost":  # a machine without /etc/hosts does not know the name
            self.host = "127.0.0.1"

    def connection(self, source=None, timeout=PATIENCE):
        if self.tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            return http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=context)
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout,
                                          source_address=(source, 0) if source else None)

    def ask(self, method, path, body=None, headers=None, source=None):
        """Status, headers with small letters, and body."""
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
        """The sentence of a refusal."""
        said = self.json(method, path, *rest, status=status, **more)
        assert set(said) == {"type", "title", "status", "detail"} and said["status"] == status, said
        return said["detail"]

    def locate(self, photo, query="", kind="image/jpeg"):
        with open(photo, "rb") as file:
            return self.json("POST", "/v1/locate" + query, file.read(), {"Content-Type": kind})

    def memory(self):
        """Resident, in MB."""
        with open("/proc/%d/status" % self.process.pid) as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) / 1024

    def stop(self, patience=PATIENCE):
        """SIGTERM; what it said on stderr. It must end by itself, with 0."""
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
    """A black PNG of so many pixels, of which a large one takes few bytes."""
    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
    pack, rows, row = zlib.compressobj(level), [], b"\0" * (width // 8 + 1 + (width % 8 > 0))
    for _ in range(height):
        rows.append(pack.compress(row))
    rows.append(pack.flush())
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"".join(rows)) + chunk(b"IEND", b"")


def wait_until(test, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)
