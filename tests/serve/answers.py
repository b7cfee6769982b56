"""answers.py PROGRAM MAP FOLDER PHOTO... - the service's answers, compared with `locate --json` and with its own API
description. FOLDER is empty."""
import json
import math
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import warnings

from schema import check
from service import PATIENCE, Service, form, png, wait_until

program, index, folder, *photos = sys.argv[1:]
WEIGHTS = ["--weights", os.environ["WEIGHTS"]] if "WEIGHTS" in os.environ else []


def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


def located(photo, *words):
    done = subprocess.run([program, "locate", *WEIGHTS, "--index", index, "--json", "--quiet", *words, photo],
                          stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)[0]


def same(answer, told):
    """Compare an answer of the service with the output of `locate` for the same picture."""
    for name in ("weak", "heading_estimated", "calibrated"):
        assert answer[name] == told[name], (name, answer[name], told[name])
    assert len(answer["answers"]) == len(told["hits"])
    for a, b in zip(answer["answers"], told["hits"]):
        assert abs(a["lat"] - b["lat"]) < 2e-7 and abs(a["lon"] - b["lon"]) < 2e-7, (a, b)
        assert abs(a["score"] - b["score"]) < 1e-5 and a["half_tile_m"] == b["half_tile_m"], (a, b)
        assert abs(a["heading"] - b["heading"]) < 0.01 and ("gps_m" in a) == ("gps_m" in b), (a, b)


# ------------------------------------------------------------------ the same as locate

def locating(service):
    for photo in photos:
        same(service.locate(photo), located(photo))
    photo = photos[0]
    told = located(photo, "--top", "2", "--heading", "find", "--min-margin", "1.9")
    answer = service.locate(photo, "?top=2&heading=find&min_margin=1.9")
    assert answer["heading_estimated"] and answer["weak"] and len(answer["answers"]) == 2
    same(answer, told)
    assert [t["score"] for t in answer["top_tiles"]] == sorted((t["score"] for t in answer["top_tiles"]), reverse=True)
    assert answer["answers"][0]["tile"] == answer["top_tiles"][0]["id"]
    best = located(photo)["hits"][0]
    near = "%.7f,%.7f" % (best["lat"], best["lon"])
    told = located(photo, "--near", near, "--within", "60")
    same(service.locate(photo, "?near=%s&within=60" % near), told)
    body, headers = form(("near", near.encode(), None), ("picture", bytes_of(photo), "../../etc/passwd"),
                         ("within", b"60", None))
    answer = service.json("POST", "/v1/locate", body, headers)
    same(answer, told)
    assert "passwd" not in json.dumps(answer)
    same(service.locate(photo, "?near=exif"), located(photo, "--near", "exif"))


# ------------------------------------------------------------------ the description

SEEN_ELSEWHERE = {304, 401, 500, 503}  # 500: no client can cause it


def requests(info):
    """The requests to send, by operation and status."""
    photo, jpeg = bytes_of(photos[0]), {"Content-Type": "image/jpeg"}
    west, south, east, north = info["extent"]
    lat, lon, zoom = (south + north) / 2, (west + east) / 2, 17
    X = int((lon + 180) / 360 * 2**(zoom + 4))
    Y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**(zoom + 4))
    x, y = X >> 4, Y >> 4
    big = b"\xff\xd8\xff" + bytes(1 << 20)
    text = {"Content-Type": "text/plain"}
    asks = {
        ("get", "/"): {200: ["/"]},
        ("get", "/app/{name}"): {200: ["/app/main.js", "/app/page.css", "/app/mark.svg"], 404: ["/app/none.js"]},
        ("get", "/leaflet/{name}"): {200: ["/leaflet/leaflet.esm.js", "/leaflet/leaflet.css",
                                           "/leaflet/images/layers.png"], 404: ["/leaflet/../index.html"]},
        ("get", "/openapi.json"): {200: ["/openapi.json"]},
        ("get", "/healthz"): {200: ["/healthz"]},
        ("get", "/metrics"): {200: ["/metrics"], 400: ["/metrics?x=1"]},
        ("get", "/v1/map"): {200: ["/v1/map"], 400: ["/v1/map?x=1"]},
        ("get", "/v1/imagery/{z}/{x}/{y}.jpg"): {200: ["/v1/imagery/%d/%d/%d.jpg" % (zoom, x, y),
                                                       "/v1/imagery/%d/%d/%d.jpg" % (zoom + 4, X, Y)],
                                                 400: ["/v1/imagery/1/1/1.jpg?x=1"],
                                                 204: ["/v1/imagery/%d/0/0.jpg" % zoom],
                                                 404: ["/v1/imagery/99/0/0.jpg",
                                                       "/v1/imagery/1/1", "/v1/imagery/1/5/1.jpg"]},
        ("get", "/v1/tiles"): {200: ["/v1/tiles", "/v1/tiles?bbox=%r,%r,%r,%r" % (lon, lat, lon, lat),
                                     "/v1/tiles?bbox=3,0,1,0"],
                               400: ["/v1/tiles?bbox=1,2,3", "/v1/tiles?bbox=1,2,3,0", "/v1/tiles?x=1"]},
        ("get", "/v1/tiles/{id}.jpg"): {200: ["/v1/tiles/0.jpg"], 400: ["/v1/tiles/0.jpg?x=1"],
                                        404: ["/v1/tiles/%d.jpg" % info["tiles"], "/v1/tiles/-1.jpg", "/v1/tiles/0.png",
                                              "/v1/tiles/18446744073709551617.jpg"]},
        ("get", "/v1/heatmap"): {200: ["/v1/heatmap?tile=0", "/v1/heatmap?tile=0&stage=2&view=aerial"],
                                 400: ["/v1/heatmap", "/v1/heatmap?tile=0&stage=5", "/v1/heatmap?view=street"],
                                 404: ["/v1/heatmap?tile=%d" % info["tiles"]]},
        ("post", "/v1/heatmap"): {
            200: [("/v1/heatmap?stage=%s" % s, photo, jpeg) for s in ("1", "4", "multi")] +
                 [("/v1/heatmap?tile=0&heading=90", photo, jpeg), ("/v1/heatmap?tile=0&view=aerial", photo, jpeg)],
            400: [("/v1/heatmap?stage=0", photo, jpeg), ("/v1/heatmap?view=aerial", photo, jpeg),
                  ("/v1/heatmap?heading=find", photo, jpeg)],
            404: [("/v1/heatmap?tile=%d" % info["tiles"], photo, jpeg)], 413: [("/v1/heatmap", big, jpeg)],
            415: [("/v1/heatmap", photo, text)], 422: [("/v1/heatmap", b"no picture", jpeg)]},
        ("post", "/v1/scores"): {
            200: [("/v1/scores", photo, jpeg), ("/v1/scores?format=tiff&heading=0", photo, jpeg),
                  ("/v1/scores", *form(("format", b"tiff", None), ("picture", photo, "a.jpg")))],
            400: [("/v1/scores?" + query, photo, jpeg) for query in ("format=png", "top=5", "near=1", "heading=x")],
            413: [("/v1/scores", big, jpeg)], 415: [("/v1/scores", photo, text)],
            422: [("/v1/scores", b"no picture", jpeg), ("/v1/scores?near=0,0", photo, jpeg)]},
        ("post", "/v1/locate"): {
            200: [("/v1/locate", photo, jpeg), ("/v1/locate", photo, {"Content-Type": "application/octet-stream"}),
                  ("/v1/locate", *form(("picture", photo, "a.jpg")))],
            400: [("/v1/locate?" + query, photo, jpeg) for query in
                  ("top=0", "top=101", "top=x", "near=1", "near=91,0", "within=5", "near=1,1&within=0", "heading=north",
                   "min_margin=3", "top=1&top=2", "tile=0", "near=exif&within=nan")] +
                 [("/v1/locate", *form(("top", b"1", None), ("picture", photo, "a"), ("top", b"2", None))),
                  ("/v1/locate?top=1", *form(("top", b"1", None), ("picture", photo, "a")))] +
                 [("/v1/locate", b"", jpeg), ("/v1/locate", *form(("top", b"1", None))),
                  ("/v1/locate", *form(("other", b"1", None))),
                  ("/v1/locate", *form(("top", b"1" * 100, None), ("picture", photo, "a"))),
                  ("/v1/locate", *form(("picture", photo, "a"), ("picture", photo, "b"))),
                  ("/v1/locate", photo, {"Content-Type": "multipart/form-data"})],
            413: [("/v1/locate", big, jpeg), ("/v1/locate", *form(("picture", big, "a.jpg")))],
            415: [("/v1/locate", photo, text)],
            422: [("/v1/locate", b"no picture", jpeg), ("/v1/locate", photo[:2000], jpeg),
                  ("/v1/locate", png(64, 64), {"Content-Type": "image/png"}),
                  ("/v1/locate", png(30000, 30000), {"Content-Type": "image/png"}),
                  ("/v1/locate?near=0,0", photo, jpeg)]},
    }
    return asks


def described(service, api):
    """For each operation and status, the type of the answer and its JSON content match the description."""
    info = service.json("GET", "/v1/map")
    asks, missing = requests(info), []
    assert {(m, p) for m, p in asks} == {(m, p) for p, ways in api["paths"].items() for m in ways}
    for (method, path), by_status in asks.items():
        responses = api["paths"][path][method]["responses"]
        for status, all_of_it in by_status.items():
            for one in all_of_it:
                one = (one,) if isinstance(one, str) else one
                got, headers, body = service.ask(method.upper(), *one)
                assert got == status, (method, one[0], got, status, body[:300])
                fits(responses, status, headers, body, api, one[0])
        told = {int(status) for status in responses} - set(by_status)
        told -= refused_sites(service, api, method, path, by_status[200][0])
        missing += [(method, path, status) for status in told - SEEN_ELSEWHERE if
                    (method, status) != ("get", 422)]  # needs weights whose tiles are not square
    assert not missing, "never seen: %s" % missing
    part, picture = asks["get", "/v1/imagery/{z}/{x}/{y}.jpg"][200]
    assert service.ask("GET", part)[1]["content-type"] == "image/png"  # transparent beyond the imagery's edge
    assert service.ask("GET", picture)[1]["content-type"] == "image/jpeg"
    for path in ("/", "/app/main.js", "/leaflet/leaflet.css", "/openapi.json", "/v1/tiles/0.jpg", picture):
        tag = service.ask("GET", path)[1]["etag"]
        got, headers, body = service.ask("GET", path, None, {"If-None-Match": tag})
        assert got == 304 and body == b"", (path, got)


def refused_sites(service, api, method, path, one):
    """Hosts that are not the service's, posts from pages of other sites, other methods: the statuses they got."""
    address, body, headers = (one, None, {}) if isinstance(one, str) else one
    responses, seen = api["paths"][path][method]["responses"], set()
    tries = [(421, method, {"Host": "evil.example"}), (421, method, {"Host": "127.0.0.1.evil.example:8080"}),
             (405, "delete", {})]
    if method == "post" or "403" in responses:
        tries += [(403, method, {"Origin": origin}) for origin in ("http://evil.example", "null", "http://localhost")]
        tries.append((403, method, {"Sec-Fetch-Site": "cross-site"}))
    if method == "get":
        tries.append((400, method, {"Host": "h" * 300}))
    for status, how, more in tries:
        got, kinds, said = service.ask(how.upper(), address, body, {**headers, **more})
        assert got == status, (how, address, more, got, said[:300])
        fits(responses, status, kinds, said, api, address)
        seen.add(status)
    return seen


def response(responses, status, api):
    assert str(status) in responses, "the status %d is not described" % status
    told = responses[str(status)]
    return api["components"]["responses"][told["$ref"].split("/")[-1]] if "$ref" in told else told


def fits(responses, status, headers, body, api, where):
    told = response(responses, status, api)
    for name in told.get("headers", ()):
        assert name.lower() in headers, (where, status, name)
    if "content" not in told:
        assert body == b"", (where, status)
        return
    content = told["content"]
    kind = headers["content-type"].split(";")[0]
    assert kind in content, (where, kind, list(content))
    assert "no-store" in headers["cache-control"] or status == 200, where
    if "json" in kind and "schema" in content[kind]:
        check(json.loads(body), content[kind]["schema"], api, where)
    if kind == "image/jpeg":
        assert body[:3] == b"\xff\xd8\xff", where
    if kind == "image/png":
        assert body[:4] == b"\x89PNG", where


# ------------------------------------------------------------------ access, and limits

def sentences(service):
    jpeg = {"Content-Type": "image/jpeg"}
    for body, wanted in ((b"no picture", "the picture: unsupported format; expected a JPEG"), (png(64, 64), "64 x 64 is not a full panorama"),
                         (png(30000, 30000), "30000 x 30000 pixels exceed the limit")):
        assert wanted in service.problem(422, "POST", "/v1/locate", body, jpeg)
        said = service.json("POST", "/v1/locate", body, jpeg, status=422)
        assert ("retry_with" in said) == ("panorama" in wanted), said
    assert "no tile of the map lies within 100 m" in service.problem(422, "POST", "/v1/locate?near=0,0",
                                                                    bytes_of(photos[0]), jpeg)
    assert "The method" in service.problem(405, "DELETE", "/v1/locate")
    assert service.ask("GET", "/v1/locate")[1]["allow"] == "POST"
    service.problem(404, "GET", "/v2/map")
    heat = "/v1/heatmap?tile=0"
    assert service.ask("GET", heat, bytes_of(photos[0]), jpeg)[2] == service.ask("GET", heat)[2]
    assert service.ask("HEAD", "/v1/map")[2] == b""
    assert "/" not in service.json("GET", "/v1/map")["name"]


def locked():
    token = os.path.join(folder, "token")
    with open(token, "w") as file:
        file.write("a-long-secret\n")
    with Service(program, index, *WEIGHTS, "--token", token) as service:
        api = json.loads(service.ask("GET", "/openapi.json")[2])
        for path in ("/v1/map", "/metrics", "/v1/tiles/0.jpg", "/nothing"):
            for value in (None, "a-long-secret", "Bearer ", "Bearer a-long-secre", "Bearer a-long-secretx",
                          "Bearer a-long-secreta-long-secret"):
                headers = {} if value is None else {"Authorization": value}
                status, got, body = service.ask("GET", path, None, headers)
                assert status == 401 and got["www-authenticate"] == "Bearer", (path, value, status)
                if path in api["paths"]:
                    fits(api["paths"][path]["get"]["responses"], status, got, body, api, path)
        assert service.problem(401, "POST", "/v1/locate", b"x", {"Content-Type": "image/jpeg"}).startswith("This service")
        for path in ("/", "/app/main.js", "/healthz", "/openapi.json"):
            assert service.ask("GET", path)[0] == 200, path
        assert service.ask("GET", "/v1/map", None, {"Authorization": "bearer a-long-secret", "Host": "b.example"})[0] == 200
        service.stop()


def over_tls():
    cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "2", "-subj", "/CN=localhost", "-keyout", key, "-out", cert], check=True, capture_output=True)
    with Service(program, index, *WEIGHTS, "--tls-cert", cert, "--tls-key", key) as service:
        assert service.tls and service.json("GET", "/healthz") == {"status": "ok"}
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        try:
            old.wrap_socket(socket.create_connection((service.host, service.port), 10))
            raise AssertionError("TLS 1.1 is taken")
        except ssl.SSLError:
            pass
        tls_faults(service)
        same(service.locate(photos[0]), located(photos[0]))
        service.stop()
    done = subprocess.run([program, "serve", *WEIGHTS, "--index", index, "--port", "0", "--tls-cert", key, "--tls-key",
                           cert], capture_output=True, text=True)
    assert done.returncode == 1 and "expected a certificate and its private key" in done.stderr, done


def tls_faults(service):
    """Handshakes that are truncated, changed or invalid, and one that is renegotiated: each connection ends."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    read, write = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(read, write).do_handshake()
    except ssl.SSLWantReadError:
        hello = write.read()
    changed = bytearray(hello)
    changed[len(hello) // 2:] = bytes(len(hello) - len(hello) // 2)
    ccs = bytes([20, 3, 3, 0, 1, 1])
    for data in (hello[:3], hello[:100], bytes(changed), hello + hello, ccs * 1000, os.urandom(5000), bytes(5000),
                 b"\x16\x03\x01\xff\xff" + bytes(70000), b"\x15\x03\x03\0\2\2\0", hello + b"GET / HTTP/1.1\r\n\r\n"):
        client = socket.create_connection((service.host, service.port), PATIENCE)
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
        except OSError:  # closed already
            pass
        client.close()
    asked = subprocess.Popen(["openssl", "s_client", "-tls1_2", "-connect", "%s:%d" % (service.host, service.port)],
                             stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        asked.communicate(b"R\n" * 20, timeout=PATIENCE)
    except BrokenPipeError:
        asked.kill()
        asked.wait()
    assert service.json("GET", "/healthz") == {"status": "ok"}


def crowded():
    """One place in the queue, held by a picture that waits for its batch: the next request gets 503 with Retry-After.
    After SIGTERM the queued picture is still answered."""
    with Service(program, index, *WEIGHTS, "--queue", 1, "--patience-ms", 10000, "--seconds", 60) as service:
        results = []
        photo, jpeg = bytes_of(photos[0]), {"Content-Type": "image/jpeg"}
        thread = threading.Thread(target=lambda: results.append(service.locate(photos[0])))
        thread.start()
        wait_until(lambda: b"geoviewmatch_queue_length 1\n" in service.ask("GET", "/metrics")[2])
        status, headers, body = service.ask("POST", "/v1/locate", photo, jpeg)
        api = json.loads(service.ask("GET", "/openapi.json")[2])
        fits(api["paths"]["/v1/locate"]["post"]["responses"], status, headers, body, api, "/v1/locate")
        assert status == 503 and 30 >= int(headers["retry-after"]) >= 1 and b"queue is full" in body, (status, body)
        assert service.problem(503, "POST", "/v1/heatmap", photo, jpeg)
        assert b'geoviewmatch_errors_total{reason="queue_full"} 2\n' in service.ask("GET", "/metrics")[2]
        said = service.stop()
        thread.join()
        assert len(results) == 1, said
        same(results[0], located(photos[0]))
        assert "serving" in said and re.search("stopping; [1-9] requests", said) and "stopped after" in said, said


def in_time():
    """A request that waited longer than its time limit is not computed, nor is one whose client has gone. A request
    that has been sent when the signal comes is finished."""
    photo, jpeg = bytes_of(photos[0]), {"Content-Type": "image/jpeg"}
    with Service(program, index, *WEIGHTS, "--patience-ms", 10000, "--seconds", 4) as service:
        assert "request timed out after 4 seconds" in service.problem(503, "POST", "/v1/locate", photo, jpeg)
        client = socket.create_connection((service.host, service.port))
        client.sendall(b"POST /v1/locate HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(photo) + photo)
        wait_until(lambda: b"geoviewmatch_queue_length 1\n" in service.ask("GET", "/metrics")[2])
        client.close()
        wait_until(lambda: b'{reason="broken_off"} 1\n' in service.ask("GET", "/metrics")[2])
        text = service.ask("GET", "/metrics")[2]
        assert b'{reason="too_late"} 1\n' in text and b"geoviewmatch_batch_pictures_count 0\n" in text, text
        client = socket.create_connection((service.host, service.port))
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 200 " in client.recv(4096)
        service.process.send_signal(signal.SIGTERM)
        while "stopping" not in service.process.stderr.readline():
            pass
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        got = client.recv(4096)
        assert b" 503 " in got[:13] and b"Retry-After: 1\r\n" in got and b"Connection: close" in got, got
        service.stop()


def named():
    """--host, and --bind localhost; a service that others can reach prints a warning."""
    with Service(program, index, *WEIGHTS, "--bind", "localhost", "--host", "maps.example", "--host", "b.example") as service:
        for host, status in (("maps.example", 200), ("B.example:1", 200), ("[::1]:8080", 200), ("10.1.2.3", 200),
                             ("example", 421), ("maps.example.evil", 421), ("", 421), ("[", 421), ("a:b", 421)):
            assert service.ask("GET", "/v1/map", None, {"Host": host})[0] == status, host
        photo, headers = bytes_of(photos[0]), {"Content-Type": "image/jpeg", "Origin": "https://maps.example"}
        assert service.ask("POST", "/v1/locate", photo, headers)[0] == 200
        headers["Host"] = "localhost:%d" % service.port
        headers["Origin"] = "http://" + headers["Host"]
        assert service.ask("POST", "/v1/locate", photo, headers)[0] == 200
        assert "warning" not in service.stop()
    with Service(program, index, *WEIGHTS, "--bind", "0.0.0.0") as service:
        assert "warning: anyone who can reach 0.0.0.0" in service.stop()


def boxes(service):
    """The same tiles for a box shifted by whole turns, and for both notations across the antimeridian."""
    west, south, east, north = service.json("GET", "/v1/map")["extent"]

    def ids(west, east):
        text = service.ask("GET", "/v1/tiles?bbox=%r,%r,%r,%r" % (west, south, east, north))[2]
        return [tile["id"] for tile in json.loads(text)["features"]]
    middle = (west + east) / 2
    some = ids(west - 1, middle)
    assert some and ids(west + 359, middle + 360) == some and ids(west - 361, middle - 360) == some
    assert ids(middle, west - 1) == ids(middle, east) and ids(east + 1, west - 1) == []


def replaced():
    """The map's files are removed and replaced by others while they are served."""
    copy = os.path.join(folder, "copy.gpkg")
    for end in ("gpkg", "features"):
        with open(copy[:-4] + end, "wb") as file:
            file.write(bytes_of(index[:-4] + end))
    log = os.path.join(folder, "log")
    with Service(program, copy, *WEIGHTS, "--quiet", "--log", log) as service:
        told = located(photos[0])
        for end in ("gpkg", "features"):
            os.rename(copy[:-4] + end, copy[:-4] + "old." + end)
        subprocess.run([program, "index", *WEIGHTS, "--tiles", "examples/demo/tiles.csv", "--out", copy, "--quiet"],
                       check=True, capture_output=True)
        same(service.locate(photos[0]), told)
        assert service.stop() == ""
    with open(log) as file:
        (line,) = file.read().splitlines()
    assert " POST /v1/locate 200 " in line, line
    with Service(program, copy, *WEIGHTS) as service:  # a map from a list: pictures that are tiles
        assert service.json("GET", "/v1/map")["imagery"]
        assert service.ask("GET", "/v1/tiles/3.jpg")[0] == 200
        assert service.ask("GET", "/v1/imagery/0/0/0.jpg")[0] in (200, 204)
        service.stop()


def main():
    with Service(program, index, *WEIGHTS, "--body-mb", 1) as service:
        api = json.loads(service.ask("GET", "/openapi.json")[2])
        described(service, api)
        sentences(service)
        boxes(service)
        locating(service)
        text = service.ask("GET", "/metrics")[2].decode()
        assert 'geoviewmatch_requests_total{path="/v1/locate",code="200"}' in text
        assert 'geoviewmatch_request_seconds_bucket{path="/v1/locate",le="+Inf"}' in text
        assert "geoviewmatch_batch_pictures_count" in text
        service.stop()
    locked()
    over_tls()
    crowded()
    in_time()
    named()
    replaced()


main()
