"""cameras.py PROGRAM MAP WEIGHTS PHOTO BARE - answers of a service with weights that take any camera. BARE is the photo
without metadata."""
import json
import sys

from schema import check
from service import Service

program, index, weights, *paths = sys.argv[1:]


def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


def form(fields):
    """A multipart body of the photo and these fields."""
    lines = [b"--edge\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"a.jpg\"\r\n\r\n" + photo]
    lines += [b"\r\n--edge\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s" % (name, value) for name, value in fields]
    return b"".join(lines) + b"\r\n--edge--\r\n"


photo, bare = map(bytes_of, paths)
jpeg, multipart = {"Content-Type": "image/jpeg"}, {"Content-Type": "multipart/form-data; boundary=edge"}
with Service(program, index, "--weights", weights) as service:
    api = json.loads(service.ask("GET", "/openapi.json")[2])

    def locate(body, query="", headers=jpeg):
        answer = service.json("POST", "/v1/locate" + query, body, headers)
        check(answer, api["components"]["schemas"]["Answer"], api)
        return answer

    facts = service.json("GET", "/v1/map")
    check(facts, api["components"]["schemas"]["Map"], api)
    assert facts["weights"]["cameras"] and not facts["weights"]["photos"], facts["weights"]

    own, unknown = locate(photo), locate(bare)
    assert own["camera"]["fov_from"] == "focal_35mm" and own["camera"]["heading_from"] == "exif", own["camera"]
    assert not own["heading_estimated"] and own["answers"][0]["heading"] == own["camera"]["heading"]
    assert unknown["camera"]["fov_from"] == "assumed" and unknown["camera"]["heading"] is None, unknown["camera"]
    assert unknown["heading_estimated"]

    wide = locate(photo, "?fov=100&heading=20&pitch=3&roll=-2&lens=-0.1,0.01")
    camera = wide["camera"]
    assert abs(camera["fov"] - 100) < 1e-6 and camera["heading"] == 20 and camera["k1"] == -0.1, camera
    assert camera["pitch"] == 3 and camera["roll"] == -2 and camera["fov_from"] == camera["lens_from"] == "option", camera
    assert wide["answers"] != own["answers"]
    fields = [(b"fov", b"100"), (b"heading", b"20"), (b"pitch", b"3"), (b"roll", b"-2"), (b"lens", b"-0.1,0.01")]
    assert locate(form(fields), "", multipart) == wide
    assert locate(photo, "?lens=fisheye")["camera"]["lens"] == "fisheye"
    assert locate(photo, "?lens=cylinder&fov=180")["camera"]["lens"] == "cylinder"
    assert locate(photo, "?lens=sphere&fov=90")["camera"]["circle"]["left"] > 0
    assert 50 < locate(bare, "?focal35=27")["camera"]["fov"] < 75
    assert locate(photo, "?panorama=yes")["camera"]["fov"] == 360
    assert locate(photo, "?heading=find")["camera"]["heading_from"] is None

    for query, part in (("fov=0", "fov takes a number from 1 to 360, got '0'"), ("fov=1e3", "fov takes"), ("fov=", "fov takes"),
                        ("focal35=x", "focal35 takes"), ("pitch=91", "pitch takes a number from -90 to 90"),
                        ("roll=nan", "roll takes"), ("lens=wide", "lens takes pinhole, fisheye"), ("lens=1,", "lens takes"),
                        ("lens=1,2,3", "lens takes"), ("fov=60&focal35=30", "exclude each other"),
                        ("fov=60&fov=61", "given twice")):
        assert part in service.problem(400, "POST", "/v1/locate?" + query, photo, jpeg), query
    assert "too narrow" in service.json("POST", "/v1/locate?fov=10", photo, jpeg, status=422)["detail"]
    assert "a pinhole camera cannot see" in service.json("POST", "/v1/locate?fov=200", photo, jpeg, status=422)["detail"]

    for query in ("?tile=0&fov=100&heading=20", "?view=aerial&tile=0&fov=100"):
        status, _, body = service.ask("POST", "/v1/heatmap" + query, photo, jpeg)
        assert status == 200 and body[:4] == b"\x89PNG", (query, status)
    scores = service.json("POST", "/v1/scores?fov=100", photo, jpeg)
    assert scores["pixel_m"] > 0 and scores != service.json("POST", "/v1/scores", photo, jpeg)
    service.stop()
