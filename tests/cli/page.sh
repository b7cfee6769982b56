#!/bin/bash
# The page of `serve`, in a real browser.
. tests/cli/common.bash
command -v chromium > /dev/null || { echo "there is no chromium: make deps installs it"; exit 1; }
python3 -B tests/browser/page.py "$GEOVIEWMATCH" "$tmp"
