#!/bin/bash
# The page of `serve`, in a real browser.
. tests/cli/common.bash
if ! command -v chromium > /dev/null; then # some systems do not have this package
    cmake/packages.sh --offered chromium || { echo "skipped: this system offers no package chromium"; exit 77; }
    echo "chromium is missing: make deps-test installs it"
    exit 1
fi
python3 -B tests/browser/page.py "$GEOVIEWMATCH" "$tmp"
