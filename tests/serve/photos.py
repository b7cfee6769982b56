"""photos.py PROGRAM MAP WEIGHTS PHOTO PANORAMA - answers of a service with weights for photos."""
import json
import sys

from schema import check
from service import Service

program, index, weights, *paths = sys.argv[1:]


def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


photo, panorama = map(bytes_of, paths)
png = {"Content-Type": "image/png"}
with Service(program, index, "--weights", weights) as service:
    api = json.loads(service.ask("GET", "/openapi.json")[2])

    def locate(body, query=""):
        answer = service.json("POST", "/v1/locate" + query, body, png)
        check(answer, api["components"]["schemas"]["Answer"], api)
        assert all(hit["heading"] is None for hit in answer["answers"] + answer["top_tiles"]), answer
        return answer

    facts = service.json("GET", "/v1/map")
    check(facts, api["components"]["schemas"]["Map"], api)
    assert facts["weights"]["photos"] and facts["weights"]["pictures"] == 1, facts["weights"]
    assert "views" not in locate(photo)
    found, whole = locate(panorama), locate(panorama, "?panorama=no")
    assert found["views"] == 8 and "views" not in whole
    assert found["answers"][0]["score"] != whole["answers"][0]["score"]
    assert locate(panorama, "?panorama=yes")["answers"] == found["answers"]
    assert locate(photo, "?panorama=yes")["views"] == 8
    for heading in ("3", "find"):
        said = service.problem(400, "POST", "/v1/locate?heading=" + heading, photo, png)
        assert "heading is unsupported with these weights" in said, said

    # A heat map needs a single picture.
    for query in ("?tile=0", "?view=aerial&tile=0"):
        said = service.json("POST", "/v1/heatmap" + query, panorama, png, status=422)
        check(said, api["components"]["schemas"]["Problem"], api)
        assert said["retry_with"] == "panorama=no" and "8 views" in said["detail"], said
        for body, more in ((panorama, "&panorama=no"), (photo, "")):
            status, _, body = service.ask("POST", "/v1/heatmap" + query + more, body, png)
            assert status == 200 and body[:4] == b"\x89PNG", (query, status)
    assert service.json("POST", "/v1/scores", panorama, png)["pixel_m"] > 0
    service.stop()
