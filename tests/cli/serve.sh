#!/bin/bash
# A map as a service: the same answers as locate's, its API description, refusals, tokens, TLS, a full queue, its end.
. tests/cli/common.bash
for tool in python3 openssl; do command -v $tool > /dev/null || exit 77; done

expect 2 serve
refused "--index is required"
for option in "--port 65536" "--queue 0" "--batch 257" "--megapixels 257" "--seconds 0" "--connections x" \
    "--each-client 0" "--body-mb 0" "--memory-mb 0" "--patience-ms -1" "--min-margin 3"; do
    # shellcheck disable=SC2086
    expect 2 serve $option
    refused "${option% *} takes"
done
expect 2 serve --index a.gpkg --tls-key k
refused "--tls-cert and --tls-key require each other"
expect 2 serve --index a.gpkg --memory-mb 63
refused "--memory-mb must be"
expect 1 serve --index "$tmp/none.gpkg" --port 0
refused "none.gpkg"

expect 0 world --ortho --out "$tmp/town" --metres 200 --pairs 3 --turn yes --seed 3 --quiet
expect 0 index --raster "$tmp/town/ortho.tif" --out "$tmp/map.gpkg" --quiet
expect 1 serve --index "$tmp/map.gpkg" --bind nowhere
refused "nowhere is not an IPv4 or IPv6 address"
expect 1 serve --index "$tmp/map.gpkg" --bind 192.0.2.1 --port 0
refused "192.0.2.1 is not an address of this machine"
: > "$tmp/token"
expect 1 serve --index "$tmp/map.gpkg" --token "$tmp/token"
refused "token: the file is empty"
echo "two words" > "$tmp/token"
expect 1 serve --index "$tmp/map.gpkg" --token "$tmp/token"
refused "expected the token"

mkdir "$tmp/served"
python3 tests/serve/answers.py "$GEOVIEWMATCH" "$tmp/map.gpkg" "$tmp/served" "$tmp"/town/street/*.jpg
