#!/usr/bin/env python3
"""Asks a running server for every line of a file of requests and compares with what `pipe kit predict` wrote, bit by bit.

    pipe kit predict --bundle BUNDLE --requests R.jsonl --at TIME --out P.csv
    pipe-serve --bundle BUNDLE --clock TIME --port 18080 &
    Benchmarks/serving/compare.py http://127.0.0.1:18080/predictions/NAME R.jsonl P.csv

Prints the number of rows and the largest difference; exits 1 when any value differs.
"""
# SPDX-License-Identifier: Apache-2.0
import csv
import http.client
import json
import sys
from urllib.parse import urlsplit


def main(url: str, requests: str, predictions: str) -> int:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
    rows, different, largest = 0, 0, 0.0
    with open(requests, "rb") as lines, open(predictions, newline="") as table:
        for line, expected in zip((l for l in lines if l.strip()), csv.DictReader(table), strict=True):
            connection.request("POST", place.path, line, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = json.loads(answer.read())
            if answer.status != 200:
                print(f"row {rows + 1}: status {answer.status}: {body}", file=sys.stderr)
                return 1
            said = body["explanation"]
            pairs = [
                (said["prediction"], expected["prediction"]),
                (said["interval"]["low"], expected["low"]),
                (said["interval"]["high"], expected["high"]),
            ]
            gaps = [abs(got - float(wanted)) for got, wanted in pairs]
            rows, different, largest = rows + 1, different + any(gaps), max([largest, *gaps])
    print(f"{rows} rows, {different} different, largest difference {largest}")
    return 1 if different or rows == 0 else 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
