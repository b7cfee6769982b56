#!/bin/bash
# kills.sh [PROGRAM] - `train` and `index` killed (-9) at random moments, up to three times per job, then finished as a
# user would: train --resume, or the same index again. The result must equal that of an undisturbed job, byte for byte
# except a map's random id, and no other files may remain. Prints the number of kills that hit a working process. Each
# job adds a line to $OUT/jobs, so that another call continues from there.
#
#   KILLS=200 (of each command)   COMMANDS="train index"   SEED=1   OUT=build/kills
set -euo pipefail
export LC_ALL=C
program=$(realpath "${1:-build/geoviewmatch}")
kills=${KILLS:-200} out=${OUT:-build/kills}
RANDOM=${SEED:-1}
cd "$(dirname "$0")/.."
top=$PWD
mkdir -p "$out"
out=$(realpath "$out")
touch "$out/jobs"
landed() { awk -v name="$1" '$1 == name { sum += $3 } END { print sum + 0 }' "$out/jobs"; }
RANDOM=$((RANDOM + $(wc -l < "$out/jobs")))

# ------------------------------------------------------------------ the data

prepare() {
    local i set
    [ ! -e "$out/ready" ] || return 0
    cp -r examples/demo/street examples/demo/aerial "$out"
    {
        echo id,street,aerial,lat,lon,heading,split
        for i in 1 2 3 4; do
            for set in train test; do echo "$set$i,street/$i.png,aerial/$i.png,4$i.5,8.25,,$set"; done
        done
    } > "$out/pairs.csv"
    for i in 1 2; do
        cp examples/demo/aerial/$i.png "$out/$i.png"
        printf '0.4\n0\n0\n-0.4\n%s.2\n5539999.8\n' $((500000 + 100 * i)) > "$out/$i.pgw"
    done
    "$program" init --preset nano --seed 7 --out "$out/tiles.safetensors" > /dev/null
    "$program" init --preset statewide-nano --seed 7 --out "$out/cells.safetensors" > /dev/null
    "$program" world --out "$out/town" --pairs 2 --photos --metres 300 --margin 30 --pixel 0.25 --projection utm \
        --origin 42.36,-71.06 --quiet > /dev/null
    mkdir -p "$out/job"
    (cd "$out/job" && tiles "$out/1.png" > /dev/null)
    mv "$out/job" "$out/base"
    touch "$out/ready"
}

# ------------------------------------------------------------------ the jobs: each has a folder, the current one

begin() {
    "$program" train --data "$out" --init "$top/tests/golden/net_narrow.safetensors" --batch 2 --epochs 16 \
        --eval-every 4 --threads 1 --quiet --out run "$@"
}

# train_job MINUTES ARGUMENT...: begin it, or resume it if there is a state.
train_job() {
    if [ -e run/state.safetensors ]; then
        "$program" train --resume run --threads 1 --quiet --save-minutes "$1"
    else
        rm -rf run # it did not come to its first save
        begin --save-minutes "$@"
    fi
}

train_each() { train_job 0; }                  # saved after each step
train_some() { train_job 0.002 --hard 2; }     # every 0.12 s; the order of an epoch is a part of the state
train_cache() { train_job 0.001 --cache cache; }

tiles() {
    "$program" index --weights "$out/tiles.safetensors" --crs EPSG:32633 --threads 1 --quiet --out map.gpkg \
        --tile-metres 32 --stride-metres 3 --raster "$@"
}

index_new() { tiles "$out/1.png" "$out/2.png"; }
index_add() { tiles "$out/2.png" --add; }
index_cells() {
    "$program" index --weights "$out/cells.safetensors" --threads 1 --quiet --out map.gpkg \
        --raster "$out/town/imagery/ortho.tif"
}

# ------------------------------------------------------------------ their results

# Files by name and content, without the log's speeds, a map's id and the times in a GeoPackage. GDAL reads the extent of a
# layer with 15 digits when a map is opened again, so that of gpkg_contents is compared to 12.
contents() {
    python3 - "$1" <<'END'
import hashlib, os, re, sqlite3, sys
os.chdir(sys.argv[1])
for folder, _, names in sorted(os.walk(".")):
    for name in sorted(names):
        path = os.path.join(folder, name)
        data = open(path, "rb").read()
        if name == "log.jsonl":
            data = re.sub(rb', "pairs_per_s.*', b"", data)
        elif name.endswith(".features"):
            data = data[:16] + data[48:]
        elif name.endswith(".gpkg"):
            c = sqlite3.connect(path)
            assert c.execute("PRAGMA integrity_check").fetchall() == [("ok",)], path
            rows = [row for row in c.execute("SELECT name, sql FROM sqlite_master ORDER BY name")]
            for table, in c.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall():
                digits = 12 if table == "gpkg_contents" else 17
                rows += [table, sorted(repr([float("%.*g" % (digits, x)) if isinstance(x, float) else x for x in row])
                                       for row in c.execute('SELECT * FROM "%s"' % table))]
            data = re.sub(r"'id', '[0-9a-f]{32}'|\d{4}-\d\d-\d\dT[0-9:.]*Z", "", repr(rows)).encode()
        print(path, len(data), hashlib.sha256(data).hexdigest())
END
}

# fresh NAME: an empty folder, or one with the map that is added to.
fresh() {
    rm -rf "$out/job"
    mkdir "$out/job"
    [ "$1" != index_add ] || cp "$out"/base/* "$out/job"
    cd "$out/job"
}

# The program is a child of the shell that runs the job; the shell is stopped first, so that it starts no other.
kill_job() {
    local child
    kill -STOP "$pid" 2> /dev/null || return 1
    child=$(pgrep -P "$pid" || true)
    kill -9 "$pid" 2> /dev/null || return 1
    [ -n "$child" ] && kill -9 "$child" 2> /dev/null
}

now() { date +%s.%N; }

# trial NAME: one job, killed and finished; its line.
trial() {
    local name=$1 tries=$((RANDOM % 3 + 1)) hits=0 k delay random
    fresh "$name"
    for ((k = 0; k < tries; k++)); do
        "$name" > said 2>&1 &
        pid=$! random=$RANDOM
        delay=$(awk -v r=$random -v s="$(cat "$out/$name.seconds")" 'BEGIN { printf "%.3f", 0.01 + s * r / 32768 }')
        sleep "$delay"
        if kill_job; then hits=$((hits + 1)); fi
        wait "$pid" 2> /dev/null || true
    done
    "$name" > said 2>&1 || { echo "$name: it does not go on:"; cat said; exit 1; }
    rm said
    contents . > "$out/got"
    diff "$out/$name.whole" "$out/got" > "$out/diff" || {
        echo "$name: another result after $hits kills, in $out/job:"
        cat "$out/diff"
        exit 1
    }
    cd "$out"
    echo "${name%_*} $name $hits $tries" >> "$out/jobs"
}

# The result and the duration of an undisturbed job.
whole() {
    local name=$1 from
    [ ! -e "$out/$name.whole" ] || return 0
    fresh "$name"
    from=$(now)
    "$name" > said 2>&1 || { cat said; exit 1; }
    awk "BEGIN { print $(now) - $from }" > "$out/$name.seconds"
    rm said
    contents . > "$out/whole"
    mv "$out/whole" "$out/$name.whole"
    cd "$out"
}

prepare
for command in ${COMMANDS:-train index}; do
    names=(train_each train_some train_cache)
    [ "$command" = train ] || names=(index_new index_add index_cells)
    for name in "${names[@]}"; do whole "$name"; done
    while [ "$(landed "$command")" -lt "$kills" ]; do
        for name in "${names[@]}"; do trial "$name"; done
    done
done
awk '{ jobs[$2]++; hits[$2] += $3 } END { for (name in jobs) print name ": " jobs[name] " jobs, " hits[name] " kills, all equal" }' \
    "$out/jobs" | sort
