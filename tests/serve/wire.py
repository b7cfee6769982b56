"""wire.py PROGRAM MAP PHOTO COUNT - requests as bytes on a connection: each is answered, each ends at the right byte,
forms as clients write them, requests from other sites. No request is repeated: one without an answer is a failure."""
import base64
import json
import socket
import sys
import threading

from service import PATIENCE, Service, form, png, wait_until

program, index, photo, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
JPEG = {"Content-Type": "image/jpeg"}

with open(photo, "rb") as file:
    PICTURE = file.read()


def exchange(service, data, half=False, step=None):
    """What arrives until the service closes the connection."""
    client = socket.create_connection((service.host, service.port), PATIENCE)
    try:
        for i in range(0, len(data), step or len(data)):
            client.sendall(data[i:i + (step or len(data))])
        if half:
            client.shutdown(socket.SHUT_WR)
        got = b""
        while piece := client.recv(65536):
            got += piece
        return got
    finally:
        client.close()


def statuses(answer):
    """Status and Connection field of each final answer in the received bytes."""
    found, rest = [], answer
    while rest:
        head, _, rest = rest.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        assert lines[0].startswith(b"HTTP/1.1 "), lines[0][:80]
        if lines[0][9:12] == b"100":
            continue
        fields = {k.lower(): v.strip() for k, v in (line.split(b":", 1) for line in lines[1:])}
        rest = rest[int(fields[b"content-length"]):]
        found.append((int(lines[0][9:12]), fields.get(b"connection", b"").lower()))
    return found


# ------------------------------------------------------------------ each request is answered

def counted(service):
    """As many answers as requests, on a connection for each and on a persistent one."""
    before = service.count("/v1/locate", 200)
    first = service.locate(photo)["answers"][0]["tile"]
    wrong = []

    def ask(connection):
        connection.request("POST", "/v1/locate", PICTURE, JPEG)
        reply = connection.getresponse()
        body = reply.read()
        if reply.status != 200 or json.loads(body)["answers"][0]["tile"] != first:
            wrong.append((reply.status, body[:200]))

    def fresh():
        for _ in range(count // 8):
            connection = service.connection()
            ask(connection)
            connection.close()

    def kept():
        connection = service.connection()
        for _ in range(count // 8):
            ask(connection)
        assert connection.sock is not None, "the connection was not kept"
        connection.close()

    def guarded(work):
        try:
            work()
        except Exception as error:  # in a thread it would be lost
            wrong.append(error)
    threads = [threading.Thread(target=guarded, args=(work,)) for work in (fresh, kept) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, (len(wrong), wrong[:3])
    # A request is counted once it is finished, which can be after its client has read the answer.
    wait_until(lambda: service.count("/v1/locate", 200) - before >= 1 + count // 8 * 8)
    assert service.count("/v1/locate", 200) - before == 1 + count // 8 * 8
    assert service.mishaps("broken_off") == 0


# ------------------------------------------------------------------ the end of a request

HOST = b"Host: localhost\r\n"
NEXT = b"GET /v1/map HTTP/1.1\r\n" + HOST + b"\r\n"
BODY = b"POST /v1/locate HTTP/1.1\r\n" + HOST + b"Content-Type: image/jpeg\r\n"
REFUSED = {
    "two lengths that differ": BODY + b"Content-Length: 5\r\nContent-Length: 60\r\n\r\nAAAAA" + NEXT,
    "two equal lengths": BODY + b"Content-Length: 5\r\ncontent-length: 5\r\n\r\nAAAAA" + NEXT,
    "a length and chunks": BODY + b"Content-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + NEXT,
    "chunks and a length": BODY + b"Transfer-Encoding: chunked\r\nContent-Length: 60\r\n\r\n0\r\n\r\n" + NEXT,
    "two encodings": BODY + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + NEXT,
    "another encoding": BODY + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + NEXT,
    "a list of encodings": BODY + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + NEXT,
    "chunks of HTTP/1.0": b"POST /v1/locate HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + NEXT,
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "another host besides": b"GET /healthz HTTP/1.1\r\n" + HOST + b"Host: evil.example\r\n\r\n",
    "white space before a colon": b"GET /healthz HTTP/1.1\r\n" + HOST + b"X : y\r\n\r\n",
    "a tab before a colon": b"GET /healthz HTTP/1.1\r\n" + HOST + b"X\t: y\r\n\r\n",
    "a host with white space before its colon": b"GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n",
    "lines that end with LF": b"GET /healthz HTTP/1.1\nHost: localhost\n\n",
    "one line that ends with LF": b"GET /healthz HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
    "an empty field that ends with LF": b"GET /healthz HTTP/1.1\r\nX:\nHost: localhost\r\n\r\n",
    "a request line that ends with LF": b"GET /healthz HTTP/1.1\nHost: localhost\r\n\r\n",
    "a last line that ends with LF": BODY + b"Content-Length: 5\r\n\nAAAAA",
    "a folded line": b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n",
    "a folded line in the middle": b"GET /healthz HTTP/1.1\r\nX: a\r\n\tb\r\n" + HOST + b"\r\n",
    "a length by folding": BODY + b"Content-Lengt: 5\r\n h: 5\r\n\r\nAAAAA" + NEXT,
    "a line without a colon": b"GET /healthz HTTP/1.1\r\n" + HOST + b"nonsense\r\n\r\n",
    "a control character": b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: a\x01b\r\n\r\n",
    "a zero in the host": b"GET /healthz HTTP/1.1\r\nHost: localhost\0evil\r\n\r\n",
    "a zero in a field": b"GET /healthz HTTP/1.1\r\nX: a\0b\r\n" + HOST + b"\r\n",
    "a user in the target": b"GET http://user@localhost/healthz HTTP/1.1\r\n" + HOST + b"\r\n",
}


def framing(service):
    for name, data in REFUSED.items():
        answer = exchange(service, data)
        assert statuses(answer) == [(400, b"close")], (name, answer)
    fields = b"".join(b"X-%d: %s\r\n" % (i, b"v" * 80) for i in range(150)) + b"Cookie: a=b; c=\"d\"\r\nEmpty:\r\n"
    good = b"GET /healthz HTTP/1.1\r\n" + HOST + fields
    for step in (None, 1000, 7):  # in whatever pieces they arrive, and pipelined
        answer = exchange(service, (good + b"\r\n") * 3 + good + b"Connection: close\r\n\r\n", step=step)
        assert [status for status, _ in statuses(answer)] == [200] * 4, (step, answer[:300])
    # A body in chunks, with correct line ends and with those that a proxy may read differently.
    chunks = BODY + b"Transfer-Encoding: chunked\r\n\r\n"
    for data in (b"5;a=b\nAAAAA\r\n0\r\n\r\n", b"5\nAAAAA\r\n0\r\n\r\n", b"5\r\nAAAAA\n0\r\n\r\n", b"5\r\nAAAAA\r\n0\n\r\n",
                 b"5\r\nAAAAA\r\n0\r\n\n", b"5\r\nAAAAA\r\n0\r\nX: y\n\r\n", b"5;\rb\r\nAAAAA\r\n0\r\n\r\n"):
        answer = exchange(service, chunks + data + NEXT)
        assert [end for _, end in statuses(answer)] == [b"close"], (data, answer)
    answer = exchange(service, chunks + b"5;a=b\r\nAAAAA\r\n3\r\nBBB\r\n0\r\nX: y\r\n\r\n" +
                      NEXT.replace(HOST, HOST + b"Connection: close\r\n"))
    assert statuses(answer)[0][0] == 422, answer
    for target, host, status in (("http://localhost/healthz", "evil.example", 200), ("HTTP://127.0.0.1:80/healthz", "x", 200),
                                 ("https://localhost", "localhost", 200), ("http://evil.example/healthz", "localhost", 421),
                                 ("http://evil.example", "localhost", 421), ("http:///healthz", "localhost", 400)):
        head = "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (target, host)
        assert statuses(exchange(service, head.encode()))[0][0] == status, target
    answer = exchange(service, b"GET /healthz HTTP/1.1\r\nHost: \t localhost \t\r\nConnection: close\r\n\r\n")
    assert statuses(answer)[0][0] == 200, answer


def halves(service):
    """A client that has sent its whole request and closes its sending side still gets the answer."""
    lines = BODY + b"Content-Length: %d\r\n\r\n" % len(PICTURE) + PICTURE
    for data in (b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n", lines, lines.replace(b"HTTP/1.1", b"HTTP/1.0", 1)):
        for step in (None, 10000):
            answer = exchange(service, data, half=True, step=step)
            assert [status for status, _ in statuses(answer)] == [200], (data[:40], answer[:300])


# ------------------------------------------------------------------ forms

def forms(service):
    part = b"Content-Disposition: form-data; name=\"picture\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"
    top = b"--b\r\nContent-Disposition: form-data; name=\"top\"\r\n\r\n2\r\n"
    plain = "multipart/form-data; boundary=b"

    def one(header, begin=b"--b\r\n", end=b"\r\n--b--\r\n"):
        return begin + header + PICTURE + end

    def named(boundary):
        return PICTURE.join(piece.replace(b"--b", b"--" + boundary) for piece in (top + one(part)).split(PICTURE))
    good = {
        "as browsers do": (plain, top + one(part)),
        "names without quotes": ('multipart/form-data; boundary="b"', top.replace(b'"', b"") + one(part.replace(b'"', b""))),
        "parameters after the boundary": ("multipart/form-data; boundary=b; charset=UTF-8", top + one(part)),
        "and before the boundary": ('Multipart/Form-Data;charset="a;b" ; Boundary="b"', top + one(part)),
        "an epilogue": (plain, top + one(part) + b"\r\nthe end\r\n--b\r\n"),
        "an empty line at the end": (plain, top + one(part) + b"\r\n"),
        "no line end at the end": (plain, top + one(part, end=b"\r\n--b--")),
        "a preamble": (plain, b"This is a form.\r\n--bb\r\n\r\n" + top + one(part)),
        "an empty line at the start": (plain, b"\r\n" + top + one(part)),
        "LF alone": (plain, top.replace(b"\r\n", b"\n") + b"--b\n" + part.replace(b"\r\n", b"\n") + PICTURE + b"\n--b--\n"),
        "white space after the boundary": (plain, top.replace(b"--b", b"--b \t") + one(part, end=b"\r\n--b-- \r\n")),
        "small letters": (plain, top.lower() + one(part.lower())),
        "capitals": (plain, top.replace(b"name", b"NAME") + one(part.replace(b"name=\"", b"NAME=\""))),
        "white space in a field": (plain, top + one(part.replace(b"; name=", b" ;\tname = "))),
        "a folded field": (plain, top + one(part.replace(b"; name", b";\r\n name"))),
        "the type first": (plain, top + one(b"Content-Type: image/jpeg\r\n" + part)),
        "transfer encodings": (plain, top + one(b"Content-Transfer-Encoding: binary\r\nContent-Length: 5\r\n" + part)),
        "the file's name in RFC 5987": (plain, top + one(part.replace(b"\r\n", b"; filename*=UTF-8''%e2%82%ac; name.jpg\r\n", 1))),
        "the file's name first": (plain, top + one(b"Content-Disposition: form-data; filename=\"; name=top\\\"\"; name=picture\r\n\r\n")),
        "the file's name in bytes": (plain, top + one(part.replace(b"a.jpg", b"\xe4\xff;\xe2\x82\xac.jpg"))),
        "no type, no file name": (plain, top + one(b"Content-Disposition: form-data; name=picture\r\n\r\n")),
        "the picture first": (plain, one(part, end=b"\r\n") + top + b"--b--\r\n"),
        "fields around it": (plain, one(part, begin=top + b"--b\r\n", end=b"\r\n" + top.replace(b"top", b"heading") + b"--b--")),
        "an odd boundary": ("multipart/form-data; boundary=----=_Part_1_2.3/4:5?6'()+,",
                            named(b"----=_Part_1_2.3/4:5?6'()+,")),
        "a long one": ("multipart/form-data; boundary=" + "b" * 150, named(b"b" * 150)),
        "what begins as a boundary": (plain, top + one(part, end=b"\r\n--bx\r\n--\r\n-\r\n\r--b\r\n--b--\r\n")),
        "an empty part": (plain, b"--b\r\n" + part.replace(b"a.jpg", b"") + b"\r\n" + top + one(part)),
        "an empty part without its line": (plain, b"--b\r\nContent-Disposition: form-data; name=heading\r\n\r\n" + top + one(part)),
        "parts of no name": (plain, b"--b\r\n\r\nx\r\n--b\r\nX: y\r\n\r\n\r\n" + top + one(part)),
        "its character set": (plain, top.replace(b"top", b"_charset_").replace(b"2", b"utf-8") + top + one(part)),
    }
    want = service.locate(photo, "?top=2")
    alone = service.locate(photo, "?top=2&heading=2")
    for name, (kind, body) in good.items():
        head = BODY.replace(b"image/jpeg", kind.encode()) + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        answer = exchange(service, head + body, step=None if len(name) % 2 else 777)
        told = alone if name == "fields around it" else want
        assert statuses(answer)[0][0] == 200, (name, answer[:600])
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["answers"] == told["answers"], (name, answer[-700:], told)
    lines = base64.encodebytes(PICTURE).replace(b"\n", b"\r\n")
    body = top + b"--b\r\nContent-Transfer-Encoding: Base64\r\n" + part + lines + b"\r\n--b--\r\n"
    assert service.json("POST", "/v1/locate", body, {"Content-Type": plain})["answers"] == want["answers"]
    for kind, body in ((plain, top + one(part, end=b"\r\n--b\r\n")), (plain, top + one(part, end=b"")),
                       (plain, one(part, begin=b"--b x\r\n")), ("multipart/form-data", one(part)),
                       (plain, one(part.replace(b"\r\n\r\n", b"\r\n" + b"A: " + b"b" * 20000 + b"\r\n\r\n"))),
                       (plain, one(b"Content-Transfer-Encoding: quoted-printable\r\n" + part)),
                       ("multipart/form-data; boundary=\"b", one(part)), (plain, one(part, begin=b"--c\r\n"))):
        service.problem(400, "POST", "/v1/locate", body, {"Content-Type": kind})


# ------------------------------------------------------------------ requests of other sites, and numbers

def sites(service):
    evil, own = {"Origin": "http://evil.example"}, {"Origin": "http://127.0.0.1:%d" % service.port}
    cross = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    for path in ("/v1/heatmap?tile=0", "/v1/tiles/0.jpg", "/v1/map", "/v1/tiles", "/metrics"):
        for headers in (evil, cross, {"Origin": "null"}, {**evil, **cross}):
            assert "Cross-site" in service.problem(403, "GET", path, None, headers), path
        for headers in (own, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}):
            assert service.ask("GET", path, None, headers)[0] == 200, (path, headers)
    service.problem(403, "POST", "/v1/locate", PICTURE, {**JPEG, **cross})
    assert service.ask("GET", "/", None, cross)[0] == 200  # a link to the page


def numbers(service):
    for path, status in (("/v1/tiles/0.jpg%00", 404), ("/v1/tiles/0.jpg%00x", 404), ("/v1/tiles/%30.jpg", 200),
                         ("/v1/tiles/0.jpg%", 404), ("/v1/map%00", 404), ("/v1/tiles?bbox=0x1,0,20,20", 400),
                         ("/v1/tiles?bbox=%201,0,20,20", 400), ("/v1/tiles?bbox=1,0,20,%2020", 400),
                         ("/v1/tiles?bbox=1e0,-1.5,20,20", 200), ("/v1/tiles?bbox=1,0,20,20%00", 400),
                         ("/v1/tiles?bbox%00=1,0,20,20", 400), ("/v1/heatmap?tile=%200", 404),
                         ("/v1/heatmap?tile=0%00", 404)):
        assert service.ask("GET", path)[0] == status, path
    for query in ("top=%205", "top=5%20", "top=0x5", "heading=0x10", "heading=%201", "heading=inf", "min_margin=%200",
                  "near=0x1,2", "near=%201,2", "near=1,%202", "near=1,0x2", "near=1,2&within=%2030", "near=1,2,3",
                  "panorama=1", "panorama=", "panorama=yes%00"):
        service.problem(400, "POST", "/v1/locate?" + query, PICTURE, JPEG)


def panoramas(service):
    """A picture that is not a panorama is refused with a remedy, or accepted with panorama=yes."""
    square, kind = png(640, 480), {"Content-Type": "image/png"}
    for path in ("/v1/locate", "/v1/locate?panorama=no"):
        assert "640 x 480" in service.problem(422, "POST", path, square, kind)
    assert service.json("POST", "/v1/locate?panorama=yes", square, kind)["answers"]
    body, headers = form(("panorama", b"yes", None), ("picture", square, "a.png"))
    assert service.json("POST", "/v1/locate", body, headers)["answers"]
    assert service.ask("POST", "/v1/heatmap?panorama=yes", square, kind)[0] == 200
    assert service.ask("POST", "/v1/heatmap", square, kind)[0] == 422


def main():
    with Service(program, index, "--quiet") as service:
        for trial in (counted, framing, halves, forms, sites, numbers, panoramas):
            trial(service)
        assert service.stop() == ""


main()
