#!/bin/bash
# check_tidy.sh BUILD FOLDER [JOBS] - clang-tidy, with the checks of .clang-tidy, finds nothing in the sources of a
# folder, compiled as BUILD/compile_commands.json says but with asserts, from which it learns. Skipped without clang-tidy.
set -euo pipefail

build=$1 folder=$2 jobs=${3:-1}
command -v clang-tidy > /dev/null || { echo "skipped: clang-tidy is not installed"; exit 77; }
mapfile -t sources < <(find "$folder" -maxdepth 1 -name '*.c' | LC_ALL=C sort)
[ ${#sources[@]} -gt 0 ] || { echo "$folder has no sources"; exit 1; }
# What is not compiled as it stands has no command: an inner loop is compiled once an instruction set, by one of its own.
printf '%s\0' "${sources[@]}" |
    xargs -0 -n 1 -P "$jobs" clang-tidy -p "$build" --quiet --extra-arg=-UNDEBUG 2> /dev/null ||
    { echo "$folder: clang-tidy has found what stands above, or cannot read a source"; exit 1; }
