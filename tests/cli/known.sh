#!/bin/bash
# Which photo a line of --known belongs to, by relative paths, links and folders; never another photo.
. tests/cli/common.bash
w=$(realpath "$(nano)")
tiles=$(realpath $demo/tiles.csv)
GEOVIEWMATCH=$(realpath "$GEOVIEWMATCH")
mkdir -p "$tmp/a" "$tmp/b" "$tmp/lists"
cp $demo/street/1.png "$tmp/a/1.png"
cp $demo/street/2.png "$tmp/b/1.png"
cd "$tmp"

# truths WANT LIST PHOTO...: each photo's error is the distance to the latitude in WANT, "-" for none; stderr is empty
# unless $warning is set.
truths() {
    local want=$1 list=$2
    shift 2
    expect 0 locate --weights "$w" --tiles "$tiles" --known "$list" --heading 0 --quiet --json --top 1 "$@"
    [ "$(wc -l < "$tmp/err")" = "${warning:-0}" ] || { cat "$tmp/err"; exit 1; }
    python3 - "$tmp/out" "$want" <<'PYTHON'
import json, sys
want = sys.argv[2].split()
got = [p["hits"][0] for p in json.load(open(sys.argv[1]))]
assert len(got) == len(want), got
for w, h in zip(want, got):
    if w == "-":
        assert "error_m" not in h, (w, h)
    else: # the hit is at 45; a degree is about 111 km
        assert abs(h["error_m"] / 111195 - (float(w) - 45)) < 0.01, (w, h)
PYTHON
}

printf 'image,lat,lon\na/1.png,50,-30\nb/1.png,60,-30\n' > known.csv
truths "50 60" known.csv a/1.png b/1.png
truths "50 60" ./known.csv "$tmp/a/1.png" ./b/../b/1.png
truths "50 60" a/../known.csv a b
printf 'image,lat,lon\n../a/1.png,50,-30\n./../b/1.png,60,-30\n' > lists/known.csv
truths "50 60" lists/known.csv a/1.png b/1.png
(cd lists && truths "50 60" known.csv ../a/1.png ../b/1.png)
(cd a && truths "50 60" ../lists/known.csv 1.png ../b/1.png)
ln -s "$tmp/lists" linked
ln -s lists/known.csv link.csv # its names are also searched beside the link's target
truths "50 60" linked/known.csv a/1.png b/1.png
truths "50 60" link.csv a/1.png b/1.png
ln -s ../b/1.png a/link.png
printf 'image,lat,lon\n1.png,50,-30\nlink.png,60,-30\n' > a/known.csv
truths "50 60" a/known.csv a/1.png b/1.png

# A list in one folder does not describe a file of the same name in another.
printf 'image,lat,lon\n1.png,50,-30\n' > a/known.csv
warning=1 truths "50 -" a/known.csv a/1.png b/1.png
says err "--known lists 1 of the 2 photos"
# Otherwise a name means the only photo whose path ends with it; if two do, neither.
printf 'image;lat;lon\n/gone/b/1.png;59,5;-30,0\n../b/1.png;60,0;-30,0\n' > lists/other.csv
truths "60" lists/other.csv b/1.png
mkdir far
printf 'street,lat,lon\nb/1.png,60,-30\n' > far/known.csv
(cd lists && warning=1 truths "- 60" ../far/known.csv ../a/1.png ../b/1.png)
(cd b && truths "60" ../far/known.csv 1.png)
printf 'street,lat,lon\n1.png,60,-30\n' > far/known.csv
warning=2 truths "- -" far/known.csv a/1.png b/1.png
says err "--known: 1 of its names match several photos"
printf 'image,lat,lon\na/1.png,50,-30\n\n./a/1.png,51,-30\n' > known.csv
expect 1 locate --weights "$w" --tiles "$tiles" --known known.csv a/1.png
refused "known.csv, line 4: its values for a/1.png contradict line 2"
