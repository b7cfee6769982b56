"""hostile.py - random malicious and faulty requests, which tools/soak.py sends beside valid ones.

KINDS has (name, weight, maker). A maker takes random.Random and returns an Attack; the same seed gives the same attacks."""
import base64
import random
import struct
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/serve"))
from service import bomb, form, png  # noqa: E402

CRLF = b"\r\n"
HOST = b"Host: localhost\r\n"
CLOSE = b"Connection: close\r\n"
POSTS = ("/v1/locate", "/v1/heatmap", "/v1/scores")
GETS = ("/", "/app/main.js", "/healthz", "/metrics", "/openapi.json", "/v1/map", "/v1/tiles", "/v1/tiles/0.jpg",
        "/v1/heatmap?tile=0", "/v1/imagery/17/1/1.jpg")
WEBP = [base64.b85decode(text) for text in (
    "Qb|Te9033TS4BclR!}$~5CH%H@CX2%0V;q1Kmb1xdbCljC?z7U7z#OnA_+hm8Atq#?355RBs<YteVILD>AZb`Ho@z!2B878lU(#rBvQjdDy"
    "-c}wxu%mmTfg+F){!E0RGFjmZ&RJgh?8DWl10aAfFCfdJH`HGYC)+uNnQXSjXDxNVe2qhQ(sUwDjH&7L_XM8iI4qT}^k*wz$|3DEA&d^${q"
    "(w8k=xJ$&AklW6g$findXQ$1?U4m3c_R$nztB|rF?7qpWkAOl;m7GF47;C3To`~<O%>iwvC0oOHle0-IC&;Uf<3tLN2WI5^t%d%XEa{*5{J"
    "Qtd+22AO%(0J6iL&xv~u%I+NMCB(%_iHKSe*Ad|0zd!&",
    "Qb|TevH$=8S4BclR!}%hrT_o{FMq%f0B4{kk`!i!GIiL(Ey$pv$43&PD3YYc$HnJ)N@&9cM!*0%lA1`i8WlfdfsQKcz!xH^W5>+=NBnurLG"
    "5Z19giI#ynOc(B3}XQq1$)ffNia9FaBQ`AP=CU{Z~-wtzd#|0>=hg<;MnA__mUBJ}098699jaO|?1fdPt*@;CA0VA~`CS!O8>VwE-Z{x*si"
    "$-RqChrGrwKCjt@cYYP")]


@dataclass
class Attack:
    """One connection: the pieces to send, each after a pause in seconds, and how it ends."""
    pieces: list
    pause: float = 0
    end: str = "read"      # read: take the answer; leave: close at once; reset: close with RST; half: end the sending side
    connections: int = 1   # the same on each, at once
    hold: float = 0        # seconds before the answer is read
    allowed: tuple = ()    # statuses besides those of a refusal (4xx, 503)
    window: int = 0        # bytes of the receive buffer; 0: the system's


def head(length, path="/v1/locate", kind="image/jpeg", more=CLOSE):
    return ("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %s\r\n" %
            (path, kind, length)).encode() + more + CRLF


def post(body, path="/v1/locate", kind="image/jpeg"):
    return head(len(body), path, kind) + body


def colours(draw, width=128, height=64):
    """A PNG of random stripes, 8 bits per channel."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    row = b"\0" + b"".join(draw.randbytes(3) * 8 for _ in range(width // 8))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, draw.choice((0, 0, 1)))) + \
        chunk(b"IDAT", zlib.compress(row * height)) + chunk(b"IEND", b"")


class Maker:
    """Attacks that use the photo of the valid requests."""

    def __init__(self, photo):
        self.photo = photo
        body, headers = form(("top", b"1", None), ("picture", photo[:3000], "a.jpg"))
        self.form, self.form_kind = body, headers["Content-Type"]

    # -------------------------------------------------------------- bodies

    def cut(self, draw):
        whole = post(self.photo) if draw.random() < 0.6 else post(self.form, kind=self.form_kind)
        end = draw.choice(("leave", "reset", "half", "half"))
        return Attack([whole[:draw.randrange(1, len(whole))]], end=end)

    def slow(self, draw):
        """Headers or a body of a few bytes at a time."""
        if draw.random() < 0.5:
            data = b"GET /v1/map HTTP/1.1\r\n" + b"X: " + b"x" * 300
        else:
            data = post(self.photo)
        return Attack([data[i:i + 3] for i in range(0, 120, 3)], pause=draw.uniform(0.1, 1.5))

    def multipart(self, draw):
        body, kind = bytearray(self.form), self.form_kind
        choice = draw.random()
        if choice < 0.6:
            for _ in range(draw.randrange(1, 10)):
                at = draw.randrange(len(body)) if draw.random() < 0.3 else draw.randrange(260)
                body[at:at + draw.randrange(4)] = draw.randbytes(draw.randrange(4))
        elif choice < 0.7:
            body = bytearray(draw.randbytes(draw.randrange(4000)))
        elif choice < 0.8:
            body = bytearray(draw.choice((
                b"", b"--", b"--frontier", b"--frontier--\r\n", CRLF * 5000, body[:-4], body.replace(b"\r\n", b"\n"),
                b"--frontier\r\nA: " + b"b" * 50000 + b"\r\n\r\nx\r\n--frontier--\r\n",
                b"--frontier\r\n" + b"A: b\r\n" * 9000 + b"\r\nx\r\n--frontier--\r\n",
                b"--frontier\r\n\r\na\r\n" * 2000 + body,
                form(*[("top", b"1", None)] * 300)[0], form(("top", b"\0", None))[0],
                form(("picture", self.photo, "a"), ("picture", self.photo, "b"))[0],
                form(("x" * 100000, self.photo, "a"))[0])))
        else:
            kind = "multipart/form-data" + draw.choice((
                "", "; boundary=", "; boundary=\"", "; boundary=\"\"", "x; boundary=frontier", "; boundary=" + "x" * 9000,
                "; boundary=frontie", "; boundary=frontier; boundary=other", ";;;boundary=frontier"))
        return Attack([post(bytes(body), draw.choice(POSTS), kind)], allowed=(200,))

    def lengths(self, draw):
        """No length, two, one too large or too small, one that is not a number."""
        value = draw.choice(("-1", "1e3", "9" * 26, "0x10", "", "+5", "5, 5", " 5 5", "5\t", str(1 << 40),
                             str(len(self.photo) + draw.randrange(1, 1000)), str(draw.randrange(200))))
        more = draw.choice((CLOSE, CLOSE, b"Content-Length: %d\r\n" % draw.randrange(100), b"Transfer-Encoding: chunked\r\n",
                            b"Transfer-Encoding: gzip\r\n", b"Expect: 100-continue\r\n", b"Content-Length : 5\r\n"))
        return Attack([head(value, draw.choice(POSTS), more=more) + self.photo[:draw.randrange(400)]],
                      end=draw.choice(("half", "read", "leave")))

    def chunks(self, draw):
        start = head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        body = b""
        for _ in range(draw.randrange(1, 12)):
            data = draw.randbytes(draw.randrange(1, 200))
            size = draw.choice((b"%x" % len(data), b"%X" % len(data), b"%x" % draw.randrange(1 << 12), b"f" * 18, b"-1", b"zz",
                                b"", b"0", b"5;" + b"a" * draw.randrange(3000)))
            body += size + draw.choice((CRLF, CRLF, CRLF, b"\n", b"\r")) + data + draw.choice((CRLF, CRLF, b"\n", b""))
        return Attack([start + body + draw.choice((b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b""))],
                      end=draw.choice(("half", "half", "leave")))

    # -------------------------------------------------------------- pictures

    def picture(self, draw):
        """A valid one with flipped bits, truncated, doubled, or spliced with another."""
        some = [self.photo, colours(draw), png(128, 64), *WEBP]
        data = bytearray(draw.choice(some))
        for _ in range(draw.choice((1, 1, 2, 5, 20))):
            way, at = draw.random(), draw.randrange(len(data)) if draw.random() < 0.5 else draw.randrange(min(len(data), 200))
            if way < 0.7:
                data[at] ^= 1 << draw.randrange(8)
            elif way < 0.8:
                data[at:at + 4] = draw.choice((b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff"))
            elif way < 0.9:
                del data[at:at + draw.randrange(1, 40)]
            else:
                other = draw.choice(some)
                data[at:at] = other[:draw.randrange(1, 300)]
            if len(data) < 8:
                break
        path = draw.choice(POSTS) + "?panorama=yes"
        return Attack([post(bytes(data), path)], allowed=(200,))

    def bombs(self, draw):
        """Small files with many pixels, or with many passes over them."""
        data, allowed = draw.choice((
            (png(30000, 30000), ()), (png(65535, 400), ()), (bomb(15904, 8000, 1000), ()), (png(6000, 3000), (200,)),
            (bomb(1024, 512, 60), (200,)), (bomb(4096, 2048, 300), (200,)), (b"II*\0" + b"\xff" * 5000, ()),
            (b"II*\0\x08\0\0\0\xff\xff" + bytes(range(256)) * 4, ()), (b"RIFF\xff\xff\xff\xffWEBP" + draw.randbytes(500), ())))
        return Attack([post(data)], allowed=allowed)

    # -------------------------------------------------------------- targets and parameters

    def parameters(self, draw):
        names = ("near", "within", "heading", "top", "min_margin", "panorama", "format", "stage", "view", "tile", "bbox", "x", "")
        values = ("", "0", "-1", "1e400", "nan", "inf", "0x10", "exif", "find", "north", "91,0", "1,2,3", "a" * 3000, "%00", "5%00",
                  "%ff%fe", "9" * 30, " 5", "yes", "no", "multi", "..%2f..%2fetc", "3,0,1,0", "0,0,1,1", "%", "\"';--")
        query = "&".join(draw.choice(names) + draw.choice(("=", "=", "")) + draw.choice(values)
                         for _ in range(draw.choice((1, 1, 2, 3, 400))))
        if draw.random() < 0.5:
            return Attack([post(self.photo, draw.choice(POSTS) + "?" + query.replace(" ", "%20"))], allowed=(200,))
        path = draw.choice(GETS + ("/v1/tiles/-1.jpg", "/v1/tiles/%d.jpg" % 2**64, "/app/..%2f..%2fetc/passwd", "/leaflet/../x",
                                   "/v1/imagery/99/0/0.jpg", "/v1/imagery/-1/x/0.jpg", "//", "/%00", "/v1/tiles/0.jpg%00"))
        sign = "&" if "?" in path else "?"
        request = "GET " + path + sign + query.replace(" ", "%20") + " HTTP/1.1\r\n"
        return Attack([request.encode() + HOST + CLOSE + CRLF], allowed=(200, 204))

    def sites(self, draw):
        host = draw.choice(("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "0x7f000001", "", "h" * 300,
                            "localhost:1:2", "user@localhost", "localhost\t", "[::1", "127.1"))
        other = draw.choice(("Origin: http://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site", "Origin: http://localhost:1",
                             "Host: localhost", "X-Forwarded-Host: localhost", "Origin: " + "o" * 3000))
        if draw.random() < 0.5:
            host = "localhost"
        get, lines = draw.choice(GETS), "HTTP/1.1\r\nHost: %s\r\n%s\r\nConnection: close\r\n" % (host, other)
        if draw.random() < 0.3:
            return Attack([("POST /v1/locate %sContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" %
                            (lines, len(self.photo))).encode() + self.photo], allowed=(200,))
        return Attack([("GET %s %s\r\n" % (get, lines)).encode()], allowed=(200, 204))

    def methods(self, draw):
        method = draw.choice(("DELETE", "PUT", "OPTIONS", "TRACE", "CONNECT", "PATCH", "PRI", "get", "G" * 2000, "PROPFIND", "HEAD"))
        return Attack([("%s %s HTTP/1.1\r\n" % (method, draw.choice(GETS + ("*", "evil.example:80")))).encode() + HOST + CLOSE + CRLF],
                      allowed=(200, 204))

    def headers(self, draw):
        """Too many, too long, folded, with control characters, without colons."""
        lines = draw.choice((b"X: " + b"a" * 40000 + CRLF, b"X: a\r\n" * 5000, b"Cookie: " + b"a=b;" * 5000 + CRLF, b"X: a\r\n b\r\n",
                             b"X : y\r\n", b"nonsense\r\n", b"X: a\x01b\r\n", b"X: a\0b\r\n", b"X:\n", HOST, b"X: y\n",
                             b"Range: bytes=0-" + b"9" * 30 + CRLF, b"If-None-Match: " + b"\"x\"," * 2000 + CRLF,
                             b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n", b"Expect: nonsense\r\n"))
        return Attack([b"GET " + draw.choice(GETS).encode() + b" HTTP/1.1\r\n" + HOST + lines + CLOSE + CRLF], allowed=(200, 204))

    # -------------------------------------------------------------- connections

    def garbage(self, draw):
        data = draw.choice((draw.randbytes(draw.randrange(1, 3000)), b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + draw.randbytes(500),
                            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"SSH-2.0-x\r\n", CRLF * 500, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                            b"GET  /  HTTP/1.1\r\n\r\n", bytes(2000), b"GET / HTTP/1.1\n\n",
                            b"".join(draw.choice((b"GET ", b"/v1/map", b" HTTP/1.1", CRLF, b"Host: ", b"localhost", b"\0", b":"))
                                     for _ in range(draw.randrange(40)))))
        return Attack([data], end=draw.choice(("half", "half", "reset")), allowed=(200,))

    def flood(self, draw):
        """More connections than one address may have, some with the beginning of a request."""
        return Attack([draw.choice((b"", b"GET /v1/m"))], connections=draw.randrange(40, 120), hold=draw.uniform(0, 1.5), end="leave")

    def vanish(self, draw):
        """A valid request whose client disconnects before the answer."""
        data = draw.choice((post(self.photo), post(self.photo), post(self.photo, "/v1/heatmap"), post(self.photo, "/v1/scores"),
                            b"GET /v1/heatmap?tile=0 HTTP/1.1\r\n" + HOST + CRLF, b"GET /leaflet/leaflet.esm.js HTTP/1.1\r\n" + HOST + CRLF))
        return Attack([data], end=draw.choice(("leave", "reset")), hold=draw.choice((0, 0, 0.005, 0.05)))

    def deaf(self, draw):
        """Pipelined requests whose answers are read late or never."""
        data = (b"GET " + draw.choice((b"/leaflet/leaflet.esm.js", b"/openapi.json", b"/v1/tiles")) + b" HTTP/1.1\r\n" + HOST + CRLF)
        return Attack([data * draw.randrange(1, 30)], hold=draw.uniform(0.5, 4), end=draw.choice(("leave", "reset")), window=4096)


KINDS = (("cut", 12), ("slow", 3), ("multipart", 14), ("lengths", 10), ("chunks", 8), ("picture", 20), ("bombs", 1), ("parameters", 10),
         ("sites", 8), ("methods", 4), ("headers", 6), ("garbage", 8), ("flood", 0.5), ("vanish", 6), ("deaf", 1))


def attacks(photo, seed):
    """Without end: (name, Attack)."""
    maker, draw = Maker(photo), random.Random(seed)
    names, weights = zip(*KINDS)
    while True:
        name = draw.choices(names, weights)[0]
        yield name, getattr(maker, name)(random.Random(draw.getrandbits(64)))
