#!/usr/bin/env bash
# Load on the server, on this machine: p50, p99, requests a second, CPU a request, resident memory.
# SPDX-License-Identifier: Apache-2.0
#
#   Benchmarks/serving/load.sh BUNDLE REQUESTS [BINARY]
#
# BUNDLE is a bundle's folder, REQUESTS a file with one JSON request a line, BINARY the server (default: .build/release/pipe-serve).
# SECONDS_EACH (5), CONNECTIONS ("1 16 64") and PORT (18080) may be set. Needs wrk and curl.
# The load and the server share the machine's cores; nothing else should run. One row of the result a number of connections.
set -euo pipefail

bundle=${1:?usage: load.sh BUNDLE REQUESTS [BINARY]}
requests=${2:?usage: load.sh BUNDLE REQUESTS [BINARY]}
binary=${3:-.build/release/pipe-serve}
seconds=${SECONDS_EACH:-5}
connections=${CONNECTIONS:-1 16 64}
port=${PORT:-18080}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)

now() { date +%s%N; }
cpu_ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$server/stat"; }
memory() { awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$server/status"; }
end() {
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  rm -rf "$work"
}

started=$(now)
"$binary" --bundle "$bundle" --host 127.0.0.1 --port "$port" 2>"$work/log" &
server=$!
trap end EXIT
until curl -fs "http://127.0.0.1:$port/health" >"$work/health"; do
  kill -0 "$server" || { cat "$work/log" >&2; exit 1; }
  sleep 0.01
done
ready=$(now)
name=$(sed 's/.*"model_name":"\([^"]*\)".*/\1/' "$work/health")
url="http://127.0.0.1:$port/predictions/$name"

echo "model $name, $(nproc) cores, load before $(cut -d' ' -f1 /proc/loadavg)"
echo "start to first answer: $(((ready - started) / 1000000)) ms, resident $(memory) MB"
printf '%-12s %10s %10s %10s %12s %10s %8s\n' connections req/s 'p50 ms' 'p99 ms' 'CPU us/req' 'RSS MB' not-200
hertz=$(getconf CLK_TCK)
for count in $connections; do
  before=$(cpu_ticks)
  REQUESTS=$requests wrk -t1 -c"$count" -d"${seconds}s" -s "$here/load.lua" "$url" >"$work/wrk"
  after=$(cpu_ticks)
  read -r answered rate p50 p99 refused < <(sed -n 's/^RESULT //p' "$work/wrk")
  printf '%-12s %10.0f %10.3f %10.3f %12.1f %10s %8s\n' "$count" "$rate" "$p50" "$p99" \
    "$(awk "BEGIN { print ($after - $before) * 1e6 / $hertz / $answered }")" "$(memory)" "$refused"
done
