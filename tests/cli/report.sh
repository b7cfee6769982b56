#!/bin/bash
# The report: its content, messages about missing imagery and bad photos, which files it overwrites.
. tests/cli/common.bash
w=$(nano)
tiles=$demo/tiles.csv

# check PAGE PYTHON: the page by its elements: `pictures` (alt texts), `links`, `text`, `title`, `classes`, `ids`.
check() {
    python3 - "$@" <<'PYTHON'
import html.parser, json, sys
class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.pictures, self.links, self.classes, self.ids, self.words = [], [], [], [], []
        self.title, self.inside, self.labels = "", "", []
    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        self.inside = tag
        self.classes += (a.get("class") or "").split()
        self.ids += [a["id"]] if "id" in a else []
        self.labels += [a["aria-label"]] if "aria-label" in a else []
        for source in (a.get("src"), a.get("href") if tag == "image" else None): # nothing is loaded from elsewhere
            assert source is None or source.startswith("data:image/jpeg;base64,/9j/"), source[:60]
        assert tag not in ("link", "iframe", "object"), tag
        if tag == "img":
            assert int(a["width"]) > 0 and int(a["height"]) > 0
            self.pictures.append((a["alt"], int(a["width"]), int(a["height"])))
        if tag == "a":
            self.links.append(a["href"])
    def handle_data(self, data):
        if self.inside == "title" and not self.title: self.title = data
        if self.inside not in ("style", "script"): self.words.append(data)
text = open(sys.argv[1], encoding="utf-8").read()
page = Page()
page.feed(text)
pictures, links, title, classes, ids = page.pictures, page.links, page.title, page.classes, page.ids
alts, labels, words = [p[0] for p in pictures], page.labels, " ".join(" ".join(page.words).split())
assert all(l[1:] in ids for l in links if l.startswith("#")), links
assert all(l.startswith(("#", "https://www.openstreetmap.org/?mlat=")) for l in links), links
exec(sys.argv[2])
PYTHON
}

# Photos and their true positions: one may be right or wrong, depending on the network; one file is not a photo.
mkdir "$tmp/photos"
cp $demo/street/*.png "$tmp/photos"
echo text > "$tmp/photos/5.jpg"
printf 'image,lat,lon\n1.png,45.0003593,-30.0007622\n2.png,10,10\n' > "$tmp/photos/known.csv"
expect 1 locate --weights "$w" --tiles $tiles --known "$tmp/photos/known.csv" --format lines --report "$tmp/report" \
    --min-margin 2 "$tmp/photos"
says err "5.jpg: unsupported format; expected a JPEG" "index.html: 5 photos with pictures, "
check "$tmp/report/index.html" '
assert title == "Where 5 photos were taken · GeoViewMatch", title
assert alts.count("The photo 1.png") == 1 and alts.count("Heat map over 1.png") == 1, alts
assert len(alts) == len(set(alts)) == 4 * (3 + 4), alts # the photo, two heat maps, four tiles; all with different texts
assert "Map of all photos" in labels and "Map of the answers for 4.png" in labels, labels
photo, heat = (next(p for p in pictures if p[0] == a) for a in ("The photo 1.png", "Heat map over 1.png"))
assert photo[1:] == heat[1:] == (480, 240), (photo, heat) # at its own size, not squeezed
assert "wrong" in classes and "weak" in classes and "unsure" in classes
assert words.count("The true place is far outside the map.") == 1 and "Crosshair: the true place" in words
assert "\u2316" not in words and "\u25b3" not in words # few fonts contain them
assert "2. 2.png" in words and "wrong," in words and "weak" in words
assert words.count("photos/5.jpg") == 1 and "unsupported format; expected a JPEG" in words and "Not located" in words
assert "tiles in the map" in words and "median error" in words and "Error, m" in words
assert [l for l in links if l.startswith("#p")].count("#p3") == 2, links # the overview and the table
'
python3 - "$tmp/report/answers.geojson" <<'END2'
import json, sys
g = json.load(open(sys.argv[1]))
assert g["generator"].startswith("GeoViewMatch ") and len(g["features"]) == 16
END2

# One photo: the distance to its own GPS is not called an error, and a circle shows the searched area.
expect 0 locate --weights "$w" --tiles $tiles --near 45,-30 --within 5000 --report "$tmp/report" --quiet $demo/street/3.png
check "$tmp/report/index.html" '
assert title == "Where 3.png was taken · GeoViewMatch", title
assert "searched" in classes and "Error" not in words and "was taken" in words
'
# With --report-photos, only some photos have pictures; the table lists all.
expect 0 locate --weights "$w" --tiles $tiles --report "$tmp/report" --report-photos 1 --quiet $demo/street
check "$tmp/report/index.html" '
assert ids.count("p1") == 1 and "p2" not in ids and "4.png" in words and "The first 1 of 4 photos" in words
'

# Names are escaped.
cp $demo/street/1.png "$tmp/<b>&\"'.png"
expect 0 locate --weights "$w" --tiles $tiles --report "$tmp/report" --quiet "$tmp/<b>&\"'.png"
check "$tmp/report/index.html" 'assert "1. <b>&\"\x27.png" in words and "The photo <b>&\"\x27.png" in alts, (words, alts)'

# A full sphere is shown whole, with the network's elevation band marked.
python3 - "$tmp/sphere.png" <<'END2'
import struct, sys, zlib
w, h = 640, 320
rows = b"".join(b"\0" + bytes((x * 7 + y * 3) % 251 for x in range(3 * w)) for y in range(h))
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
open(sys.argv[1], "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0)) +
                              chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
END2
expect 0 locate --weights "$w" --tiles $tiles --report "$tmp/report" --quiet --heading 90 "$tmp/sphere.png"
check "$tmp/report/index.html" '
assert ("Heat map over sphere.png", 640, 320) in pictures and "rows outside the network’s input" in words
'

# Missing imagery is reported once, and sets the exit status.
cp -r $demo "$tmp/town"
expect 0 index --weights "$w" --tiles "$tmp/town/tiles.csv" --out "$tmp/map.gpkg" --quiet
mv "$tmp/town/aerial" "$tmp/town/away"
expect 1 locate --weights "$w" --index "$tmp/map.gpkg" --report "$tmp/report" --quiet "$tmp/town/street"
lines err 4 # one sentence per file, not per picture
check "$tmp/report/index.html" '
assert words.count("is missing") == 1 and words.count("not found where it was") == 1 and "no imagery to show" in words
assert "Not shown" not in words
'

# Files of others are kept; those of a report are overwritten.
mkdir "$tmp/mine"
for file in index.html answers.geojson; do
    echo "my own" > "$tmp/mine/$file"
    expect 1 locate --weights "$w" --tiles $tiles --report "$tmp/mine" --quiet $demo/street/1.png
    refused "mine/$file: it exists and is not"
    [ "$(cat "$tmp/mine/$file")" = "my own" ]
    rm "$tmp/mine/$file"
done
echo "my own" > "$tmp/mine/index.html"
expect 0 locate --weights "$w" --tiles $tiles --report "$tmp/mine" --force --quiet $demo/street/1.png
expect 0 locate --weights "$w" --tiles $tiles --report "$tmp/mine" --quiet $demo/street/1.png
expect 1 locate --weights "$w" --tiles $tiles --report /dev/null/x $demo/street/1.png
says err "/dev/null/x: cannot make it: Not a directory"
expect 2 locate --weights "$w" --tiles $tiles --report-photos 3 $demo/street/1.png
refused "--report-photos requires --report"
expect 2 locate --weights "$w" --tiles $tiles --report "$tmp/mine" --report-photos -1 $demo/street/1.png
refused "--report-photos takes a whole number of at least 0, got '-1'"
