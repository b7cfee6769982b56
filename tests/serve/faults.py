"""faults.py PROGRAM MAP PHOTO CONNECTIONS - clients that are slow, lie, disconnect, send bombs or nonsense, or come in
thousands. Their address differs from that of a normal client, which must get answers meanwhile."""
import http.client
import json
import os
import random
import socket
import sys
import threading
import time

from service import PATIENCE, Service, form, png, wait_until

program, index, photo, connections = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
HOSTILE = "127.0.0.2"
SECONDS = 4  # time limit of a request

with open(photo, "rb") as file:
    PICTURE = file.read()


def hostile(service, data=b"", timeout=PATIENCE):
    client = socket.create_connection((service.host, service.port), timeout, (HOSTILE, 0))
    if data:
        client.sendall(data)
    return client


def head(length, path="/v1/locate", more=""):
    return ("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: %s\r\n%s\r\n" %
            (path, length, more)).encode()


def rest(client):
    """What arrives until the service closes the connection; nothing if it is reset."""
    got = b""
    try:
        while piece := client.recv(65536):
            got += piece
    except ConnectionError:
        pass
    client.close()
    return got


def still_answers(service, told):
    answer = service.locate(photo)
    assert answer["answers"][0]["tile"] == told["answers"][0]["tile"]
    assert abs(answer["answers"][0]["lat"] - told["answers"][0]["lat"]) < 2e-7


def slow(service, told):
    """Headers and bodies sent a byte at a time, and answers that are not read: each ends when its time is over."""
    stop, begun = threading.Event(), time.monotonic()
    clients = [hostile(service) for _ in range(4)] + [hostile(service, head(len(PICTURE))) for _ in range(4)]

    def drip():
        alive, data = list(clients), iter((b"GET /v1/map HTTP/1.1\r\nX: " + b"x" * 4000))
        while alive and not stop.wait(0.1):
            byte = bytes([next(data, 120)])
            for client in list(alive):
                try:
                    client.sendall(byte)
                except OSError:
                    alive.remove(client)
    thread = threading.Thread(target=drip)
    thread.start()
    still_answers(service, told)
    try:
        wait_until(lambda: service.mishaps("overdue") >= 8)
    finally:
        stop.set()
        thread.join()
    assert time.monotonic() - begun >= SECONDS - 0.5
    for client in clients:
        rest(client)


def half_way(service, told):
    """Disconnects in the middle of headers, of a body, of a form, and while the network computes."""
    body, headers = form(("picture", PICTURE, "a.jpg"))
    requests = [b"POST /v1/loc", head(len(PICTURE)), head(len(PICTURE)) + PICTURE[:1000], head(len(PICTURE)) + PICTURE,
                head(len(body)).replace(b"image/jpeg", headers["Content-Type"].encode()) + body[:700]]
    for request in requests * 3:
        hostile(service, request).close()
    still_answers(service, told)


def lying(service, told):
    """A body longer or shorter than its length says, no length, two lengths, lengths that are not numbers."""
    assert b" 422 " in rest(hostile(service, head(100, more="Connection: close\r\n") + PICTURE)).split(b"\r\n")[0]
    client = hostile(service, head(len(PICTURE) + 1000) + PICTURE)
    assert rest(client) == b""  # the service waits for the rest until the time is over
    for length in ("-1", "1e3", "99999999999999999999999999", "0x10", ""):
        answer = rest(hostile(service, head(length, more="Connection: close\r\n")))
        assert answer == b"" or b" 4" in answer[:13], (length, answer[:200])
    answer = rest(hostile(service, head(1 << 40, more="Connection: close\r\n")))
    assert answer == b"" or b" 413 " in answer[:13], answer[:200]
    for length, path, status in ((1 << 40, "/v1/locate", b" 413 "), (100, "/v1/locate?other=1", b" 400 ")):
        client = hostile(service, head(length, path, "Expect: 100-continue\r\n"))
        answer = client.recv(4096)  # before any of the body is sent
        assert status in answer[:13], answer[:200]
        client.close()
    chunks = head(0, more="Connection: close\r\nTransfer-Encoding: chunked\r\n").replace(b"Content-Length: 0\r\n", b"")
    answer = rest(hostile(service, chunks + b"%x\r\n" % len(PICTURE) + PICTURE + b"\r\n0\r\n\r\n"))
    assert b" 200 " in answer[:13], answer[:200]
    answer = rest(hostile(service, chunks + b"zz\r\n" + PICTURE))
    assert answer == b"" or b" 4" in answer[:13], answer[:200]
    still_answers(service, told)


def bombs(service, told):
    """Small files with many pixels: refused by their header, or at the limit and decoded within bounds."""
    before = service.memory()
    for width, height in ((30000, 30000), (65535, 400), (6000, 3000)):
        bomb = png(width, height)
        assert len(bomb) < 200000, len(bomb)
        status, _, body = service.ask("POST", "/v1/locate", bomb, {"Content-Type": "image/png"}, HOSTILE)
        assert status == (200 if width == 6000 else 422), (width, status, body[:200])
    tiff = b"II*\0" + (8).to_bytes(4, "little") + b"\xff\xff" + bytes(range(256)) * 4
    for data in (tiff, PICTURE[:3] + os.urandom(5000), b"RIFF" + b"\xff" * 4 + b"WEBP" + os.urandom(500), b"\0"):
        assert service.problem(422, "POST", "/v1/locate", data, {"Content-Type": "image/png"}, source=HOSTILE)
    threads = [threading.Thread(target=service.ask, args=("POST", "/v1/locate", png(6000, 3000),
                                                          {"Content-Type": "image/png"}, HOSTILE)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if "asan" not in os.environ.get("MEMORY", ""):
        assert service.memory() < before + 300, (before, service.memory())
    still_answers(service, told)


def forms(service, told):
    """Forms that are truncated, without end, without names, with other boundaries, with endless headers; random
    bytes."""
    draw = random.Random(5)
    body, headers = form(("top", b"1", None), ("picture", PICTURE[:3000], "a.jpg"))
    broken = [b"", b"--", b"--frontier", b"--frontier--\r\n", body[:-4], body[:60], body.replace(b"name=", b"nme="),
              body.replace(b"\r\n", b"\n"), body.replace(b"frontier", b"frontie"), b"\r\n" * 5000,
              b"--frontier\r\n" + b"A: " + b"b" * 50000 + b"\r\n\r\nx\r\n--frontier--\r\n",
              b"--frontier\r\n" + b"A: b\r\n" * 9000 + b"\r\nx\r\n--frontier--\r\n",
              b"--frontier\r\nContent-Disposition: form-data; name=\"picture\"\r\nContent-Type: multipart/mixed; "
              b"boundary=inner\r\n\r\n--inner\r\n\r\nx\r\n--inner--\r\n--frontier--\r\n",
              form(*[("top", b"1", None)] * 300)[0], form(("top", b"\0", None))[0], form(("picture", b"", ""))[0]]
    broken += [draw.randbytes(draw.randrange(3000)) for _ in range(10)]
    for _ in range(60):
        bad = bytearray(body)
        for _ in range(draw.randrange(1, 8)):
            at = draw.randrange(len(bad)) if draw.random() < 0.3 else draw.randrange(250)
            bad[at:at + draw.randrange(3)] = draw.randbytes(draw.randrange(3))
        broken.append(bytes(bad))
    for data in broken:
        try:
            status, kind, answer = service.ask("POST", "/v1/locate", data, headers, HOSTILE)
            assert status in (400, 422) and kind["content-type"] == "application/problem+json", (status, data[:200])
            assert json.loads(answer)["detail"]
        except http.client.HTTPException:  # a closed connection is fine too
            pass
    for kind in ("multipart/form-data; boundary=", "multipart/form-data; boundary=\"", "multipart/form-datax",
                 "multipart/form-data; boundary=" + "x" * 3000):
        assert service.ask("POST", "/v1/locate", body, {"Content-Type": kind}, HOSTILE)[0] in (400, 415, 422), kind
    still_answers(service, told)


def nonsense(service, told):
    """Data that is not HTTP, or too much of it."""
    for data in (b"\0" * 100, b"\x16\x03\x01\x02\0\x01\0" + b"\1" * 200, b"GET / HTTP/9.9\r\n\r\n", b"GET\r\n\r\n",
                 b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
                 b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20000 + b"\r\n",
                 b"GET /app/..%2f..%2f..%2fetc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                 b"GET /v1/tiles/%00.jpg HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"):
        client = hostile(service)
        try:
            client.sendall(data)
        except OSError:
            pass
        answer = rest(client)
        assert b" 200 " not in answer[:13] and b"root:" not in answer, (data[:60], answer[:200])
    still_answers(service, told)


def thousands(service, told):
    """Connections opened and dropped, some after the beginning of a request, while another client keeps asking."""
    stop, asked = threading.Event(), []

    def ask():
        while not stop.is_set():
            still_answers(service, told)
            asked.append(1)
    thread = threading.Thread(target=ask)
    thread.start()
    for i in range(connections):
        try:
            client = hostile(service, b"GET /v1/m" if i % 3 == 0 else b"")
            client.close()
        except OSError:  # the limit for one address
            pass
    stop.set()
    thread.join()
    assert asked
    held = []
    for _ in range(100):  # more than the limit for one address
        try:
            held.append(hostile(service))
        except OSError:
            pass
    still_answers(service, told)
    for client in held:
        client.close()
    wait_until(lambda: b"\ngeoviewmatch_connections 1\n" in service.ask("GET", "/metrics")[2])


def greedy(program):
    """Stalled uploads of one client, which may hold one file of 2 MB here: its second is refused, other clients are
    not."""
    with Service(program, index, "--memory-mb", 8, "--body-mb", 2, "--quiet") as service:
        told, size = service.locate(photo), 2 << 20
        first = hostile(service, head(size) + bytes(size - 1))
        wait_until(lambda: b"geoviewmatch_body_bytes %d\n" % size in service.ask("GET", "/metrics")[2])
        answer = rest(hostile(service, head(len(PICTURE), more="Connection: close\r\n") + PICTURE))
        assert b" 503 " in answer[:13] and b"Retry-After: " in answer, answer[:300]
        assert service.mishaps("memory_full") == 1
        still_answers(service, told)
        first.close()
        wait_until(lambda: b"geoviewmatch_body_bytes 0\n" in service.ask("GET", "/metrics")[2])
        assert b" 200 " in rest(hostile(service, head(len(PICTURE), more="Connection: close\r\n") + PICTURE))[:13]
        assert service.stop() == ""


def main():
    greedy(program)
    with Service(program, index, "--seconds", SECONDS, "--each-client", 40, "--quiet", "--megapixels", 20) as service:
        told = service.locate(photo)
        for trial in (slow, half_way, lying, bombs, forms, nonsense, thousands):
            begun = time.monotonic()
            trial(service, told)
            print("%-10s %5.1f s  %6.0f MB" % (trial.__name__, time.monotonic() - begun, service.memory()), flush=True)
        assert b"\ngeoviewmatch_body_bytes 0\n" in service.ask("GET", "/metrics")[2]
        assert b"\ngeoviewmatch_queue_length 0\n" in service.ask("GET", "/metrics")[2]
        assert service.stop() == ""


main()
