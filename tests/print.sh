#!/usr/bin/env bash
# What printing costs: tests/print.sh BINARY [CODES]. Issues CODES (10,000) codes as slips in PDF and the plan's 106 paper
# ballots, on a fresh SQLite database, and prints seconds, MiB and bytes of each. Needs GNU time (Debian: time).
set -euo pipefail
binary=$(realpath "$1")
codes=${2:-10000}
repository=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export PHIEU_DATABASE_URL="sqlite://$folder/phieu.db" PHIEU_BASE_URL=https://cchc.example/khao-sat
round=quang-nam-2023
"$binary" migrate >/dev/null
"$binary" round load "$repository/survey-forms/rounds/$round" >/dev/null

# measure NAME BALLOTS COMMAND...
measure() {
    local name=$1 number=$2
    shift 2
    /usr/bin/time -f '%e %M' -o figures "$@" >said 2>&1 || { cat said >&2; exit 1; }
    local bytes
    bytes=$(stat -c %s "$name.pdf")
    awk -v name="$name" -v n="$number" -v bytes="$bytes" \
        '{ printf "%-10s %6d printed  %6.2f s  %6.1f MiB at most  %9d bytes, %d each\n", name, n, $1, $2 / 1024, bytes, bytes / n }' figures
}

# As many codes for each of the 20 agencies; the rest is left out.
each=$((codes / 20))
measure slips $((each * 20)) "$binary" codes issue $round --group CC-CT --count "$each" --out slips.pdf
measure HĐ-CT 30 "$binary" codes issue $round --group HĐ-CT --out HĐ-CT.pdf
measure LĐH-CH 40 "$binary" codes issue $round --group LĐH-CH --out LĐH-CH.pdf
measure LĐS-CT 36 "$binary" codes issue $round --group LĐS-CT --out LĐS-CT.pdf
