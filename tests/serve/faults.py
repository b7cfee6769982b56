"""faults.py URL PICTURE DROPPED - clients that err or mean harm; between them a good one must be answered as before.

Only the standard library: odd bytes go through plain sockets. DROPPED is how many connections are opened and dropped.
"""
import http.client
import json
import random
import socket
import struct
import sys
import threading
import time
import urllib.parse
import zlib

URL = urllib.parse.urlsplit(sys.argv[1])
HOST, PORT = URL.hostname, URL.port
PICTURE = open(sys.argv[2], "rb").read()
DROPPED = int(sys.argv[3])


def post(body, kind="image/png", path="/v1/locate", timeout=60):
    """Status, content type and body of an honest request."""
    connection = http.client.HTTPConnection(HOST, PORT, timeout=timeout)
    try:
        connection.request("POST", path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type", ""), answer.read()
    finally:
        connection.close()


def good():
    status, kind, body = post(PICTURE)
    assert status == 200 and kind.startswith("application/json"), (status, kind, body)
    answers = json.loads(body)["answers"]
    return [(a["tile"], a["lat"], a["lon"]) for a in answers]


def refused(status, kind, body, *expected):
    """A sentence as a problem, of an expected status."""
    assert status in expected, (status, body)
    assert kind.startswith("application/problem+json"), kind
    problem = json.loads(body)
    assert problem["status"] == status and problem["detail"].strip(), problem


def send(data, wait=5):
    """Raw bytes, then what comes back until the service closes or is silent for `wait` seconds."""
    with socket.create_connection((HOST, PORT), timeout=wait) as s:
        got = b""
        try:
            s.sendall(data)
            while True:
                part = s.recv(65536)
                if not part:
                    break
                got += part
        except (TimeoutError, ConnectionError):
            pass
        return got


def head(length, kind="image/png", more=""):
    return (f"POST /v1/locate HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {length}\r\n{more}Connection: close\r\n\r\n").encode()


def png_chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb(side):
    """A PNG of side x side pixels, one bit each, in some kilobytes."""
    rows = zlib.compressobj(9)
    data = b"".join(rows.compress(bytes(side // 8 + 1)) for _ in range(side)) + rows.flush()
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)) +
            png_chunk(b"IDAT", data) + png_chunk(b"IEND", b""))


def slow_clients():
    """Thirty that send a byte now and then, while others are answered; in the end the service is rid of them."""
    sockets = [socket.create_connection((HOST, PORT), timeout=30) for _ in range(30)]
    message = head(len(PICTURE)) + PICTURE
    stop = time.monotonic() + 3
    at = 0
    while time.monotonic() < stop:
        for s in sockets:
            try:
                s.sendall(message[at:at + 1])
            except OSError:
                pass
        at += 1
        if at % 10 == 0:
            assert good() == truth
        time.sleep(0.05)
    for s in sockets:
        s.settimeout(60)
        try:
            while s.recv(4096):
                pass
        except ConnectionError:
            pass  # closed, which is what counts; silence for a minute is a failure
        s.close()


def half_way():
    for part in (0, 1, 40, len(PICTURE) // 2, len(PICTURE) - 1):
        with socket.create_connection((HOST, PORT), timeout=10) as s:
            s.sendall(head(len(PICTURE)) + PICTURE[:part])
    with socket.create_connection((HOST, PORT), timeout=10) as s:
        s.sendall(b"POST /v1/loc")


def lies():
    assert send(head(10) + PICTURE).startswith(b"HTTP/1.1 4")
    for length in ("-1", "99999999999999", "18446744073709551617", "0x10", "ten", ""):
        got = send(head(length) + PICTURE[:1000])
        assert got == b"" or got.startswith(b"HTTP/1.1 4"), (length, got[:200])
    got = send(head(len(PICTURE), more="Transfer-Encoding: chunked\r\n") + b"zz\r\nnot a chunk\r\n")
    assert got == b"" or got.startswith(b"HTTP/1.1 4"), got[:200]
    send(b"\x16\x03\x01\x02\x00" + bytes(range(256)))  # TLS where none is spoken
    send(b"GET " + b"/" * 100000 + b" HTTP/1.1\r\n\r\n")
    send(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n")


def pictures():
    refused(*post(bomb(30000)), 400, 413, 415, 422)
    refused(*post(b""), 400, 415, 422)
    refused(*post(b"no picture"), 400, 415, 422)
    refused(*post(PICTURE[:len(PICTURE) // 3]), 400, 415, 422)
    refused(*post(bomb(64)), 400, 415, 422)  # sound, but no panorama


def multipart():
    """Whole forms that are wrong, then sound ones with bytes changed."""
    kind = "multipart/form-data; boundary=X"
    part = b'--X\r\nContent-Disposition: form-data; name="picture"; filename="../../etc/passwd"\r\n\r\n'
    sound = part + PICTURE + b"\r\n--X--\r\n"
    status, _, body = post(sound, kind)
    assert status == 200 and b"passwd" not in body, (status, body)
    wrong = [b"", b"--X", b"--X--\r\n", part, b"\r\n" * 1000, b"--Y\r\n\r\n\r\n--Y--\r\n",
             b'--X\r\nContent-Disposition: form-data; name="other"\r\n\r\nx\r\n--X--\r\n',
             b"--X\r\n" + b"A" * 100000 + b"\r\n\r\nx\r\n--X--\r\n", b"--X\r\n\x00\xff\r\n\r\n--X--\r\n"]
    for body in wrong:
        refused(*post(body, kind), 400, 413, 415, 422)
    for bad in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"",
                "multipart/form-data; boundary=" + "Z" * 500):
        refused(*post(sound, bad), 400, 413, 415, 422)
    draw = random.Random(5)
    for _ in range(60):
        body = bytearray(sound[:draw.randrange(len(sound))] if draw.random() < 0.3 else sound)
        for _ in range(draw.randrange(1, 8)):
            if body:
                body[draw.randrange(min(len(body), 300))] = draw.randrange(256)
        status, _, _ = post(bytes(body), kind)
        assert status == 200 or 400 <= status < 500, status


def dropped():
    """Opened and dropped, from several clients at once; some with a reset, some after a few bytes."""
    def client(number):
        for i in range(DROPPED // 8):
            try:
                s = socket.create_connection((HOST, PORT), timeout=30)
                if i % 3 == 1:
                    s.sendall(b"POST /v1/locate HTTP/1.1\r\nHost: x\r\n")
                if i % 3 == 2:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                s.close()
            except OSError:
                pass  # turned away, which it may be
    threads = [threading.Thread(target=client, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    while any(t.is_alive() for t in threads):
        time.sleep(0.2)
    for t in threads:
        t.join()


def good_soon():
    """Answered as before, though a moment may pass in which too many connections are still being closed."""
    end = time.monotonic() + 20
    while True:
        try:
            return good()
        except (OSError, http.client.HTTPException, AssertionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


truth = good()
for fault in (half_way, lies, pictures, multipart, slow_clients, dropped):
    fault()
    assert good_soon() == truth, fault.__name__
    print(fault.__name__, "survived", flush=True)
