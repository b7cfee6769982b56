#!/bin/bash
# bench --search: the figures are there, also for a small map; what it refuses.
. tests/cli/common.bash

expect 0 bench --search --preset nano --tiles 300 --rounds 1 --threads 2 --quiet
says out "300 tiles of" "reading all features" "one query" "a query in a batch of 64" "of the peak"
expect 0 bench --search --preset nano --tiles 300 --rounds 1 --json --quiet
says out '"bandwidth_gb_s"' '"one_query_of_read"' '"ms_per_query"' '"of_peak"' '"tiles": 300'
expect 2 bench --tiles 300
refused "--tiles goes with --search"
expect 2 bench --search --tiles 0
refused "--tiles takes a whole number"
