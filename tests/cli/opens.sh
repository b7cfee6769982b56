#!/bin/bash
# A photo is opened once, whatever is requested: its position, its heading, a report.
. tests/cli/common.bash

cp "$demo/street/2.png" "$tmp/photo.png"
python3 - "$GEOVIEWMATCH" "$(nano)" "$demo/tiles.csv" "$tmp" <<'PYTHON'
import ctypes, os, struct, subprocess, sys
program, weights, tiles, folder = sys.argv[1:]
photo, libc = os.path.join(folder, "photo.png"), ctypes.CDLL(None, use_errno=True)
IN_OPEN, IN_NONBLOCK = 0x20, 0o4000

def opens(*options):
    """How often the command opens the photo."""
    watch = libc.inotify_init1(IN_NONBLOCK)
    assert watch >= 0 and libc.inotify_add_watch(watch, photo.encode(), IN_OPEN) >= 0
    done = subprocess.run([program, *options, photo], capture_output=True, text=True)
    count = 0
    try:
        while True:
            events, at = os.read(watch, 65536), 0
            while at < len(events):
                _, mask, _, length = struct.unpack_from("iIII", events, at)
                count += mask & IN_OPEN != 0
                at += 16 + length
    except BlockingIOError:
        pass
    os.close(watch)
    return count, done

locate = ("locate", "--weights", weights, "--tiles", tiles, "--quiet")
for options, status in (((), 0), (("--report", os.path.join(folder, "report")), 0), (("--near", "exif"), 1),
                        (("--near", "45,-30", "--within", "1000", "--report", os.path.join(folder, "report")), 0)):
    count, done = opens(*locate, *options)
    assert done.returncode == status, (options, done.stderr)
    assert count == 1, (options, count)
count, done = opens("heatmap", "--weights", weights, "--view", "street", "--out", os.path.join(folder, "heat.png"), "--quiet")
assert done.returncode == 0, done.stderr
assert count == 1, count
PYTHON
