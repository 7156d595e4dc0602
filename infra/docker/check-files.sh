#!/bin/sh
# Leaves with 0 if a folder holds the files that SUMS names, unchanged, and no other: `check-files.sh SUMS FOLDER`.
set -eu
sums=$(realpath "$1")
cd "$2"
sha256sum --check --quiet --strict "$sums"
found=$(find . -mindepth 1 | wc -l)
named=$(wc -l < "$sums")
if [ "$found" -ne "$named" ]; then
    echo "$2 holds $found files, and $1 names $named" >&2
    exit 1
fi
