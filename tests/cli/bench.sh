#!/bin/bash
# The benchmarks run, print all their measurements, and leave no files. Speed does not matter here.
. tests/cli/common.bash
mkdir "$tmp/temporary"
export TMPDIR=$tmp/temporary

expect 0 bench --preset nano --rounds 1 --batch 2 --json --quiet
python3 - "$tmp/out" <<'END'
import json, sys
answer = json.load(open(sys.argv[1]))
for view in ("aerial", "street"):
    assert answer[view]["ms_batch16"] > 0 and answer[view]["ms_batch1"] > 0 and answer[view]["multiply_adds_G"] > 0
assert answer["train"]["batch"] == 2 and answer["train"]["ms_per_pair"] > 0 and answer["peak"]["fma_gflops"] > 0
END

expect 0 bench --learning --batch 2 --steps 2 --gallery 70 --quiet
says out " pairs a second (nano, batch 2, ASAM" "of a step is spent waiting for pictures" "for 70 queries among 70 tiles of 9216 numbers"
lines err 0
expect 0 bench --learning --weights tests/golden/net_narrow.safetensors --batch 3 --steps 1 --gallery 1 --json --quiet
python3 - "$tmp/out" <<'END'
import json, sys
answer = json.load(open(sys.argv[1]))
assert answer["training"]["batch"] == 3 and answer["training"]["pairs_per_s"] > 0
assert 0 <= answer["training"]["waiting"] <= 1
assert answer["ranking"]["queries"] == answer["ranking"]["gallery"] == 1 and answer["ranking"]["features"] == 9216
END
[ -z "$(ls "$TMPDIR")" ]

expect 2 bench --gallery 0
refused "--gallery takes a whole number from 1 to 100000, got '0'"
expect 2 bench --learning --steps no
refused "--steps takes a whole number from 1 to 1000, got 'no'"
TMPDIR=$tmp/nowhere expect 1 bench --learning --quiet
refused "$tmp/nowhere: cannot make a folder in it"


expect 0 bench --photos --rounds 1 --quiet
says out "20 headings in 4 passes" "panorama" "photo, 67 x 53" "100.0%" "passes"
expect 0 bench --photos --rounds 1 --threads 2 --json --quiet
python3 - "$tmp/out" <<'END'
import json, sys
answer = json.load(open(sys.argv[1]))
rows = {row["picture"]: row for row in answer["pictures"]}
assert answer["headings"] == 20 and answer["passes"] == 4
assert rows["panorama"]["tokens"] == 1 and rows["panorama"]["unknown_heading_passes"] < 4.1
assert abs(rows["strip_180"]["tokens"] - 0.5) < 0.02 and rows["strip_180"]["products"] < 0.6
assert rows["photo_67"]["unknown_heading_passes"] < 1.5 and rows["photo_67"]["ms"] > 0
END
expect 1 bench --photos --preset nano --quiet
refused "these weights take full panoramas only"

expect 0 bench --search --preset nano --tiles 300 --rounds 1 --threads 2 --quiet
says out "300 tiles of" "reading all features" "one query" "one query with p" "a query in a batch of 64" "of the peak"
expect 0 bench --search --preset nano --tiles 300 --rounds 1 --json --quiet
says out '"bandwidth_gb_s"' '"one_query_of_read"' '"ms_one_query_with_p"' '"ms_per_query"' '"of_peak"' '"tiles": 300'
expect 2 bench --tiles 300
refused "--tiles requires --search"
expect 2 bench --search --tiles 0
refused "--tiles takes a whole number"
