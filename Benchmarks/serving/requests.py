#!/usr/bin/env python3
"""Writes rows of a prepared table as requests for a bundle's server, one JSON object a line.

    Benchmarks/serving/requests.py BUNDLE TABLE.csv [ROWS] > requests.jsonl

The fields are those that the bundle's features.json asks for; a time is the row's own. Rows (1000) are spread over the table;
those with an empty field are left out, since a request that lacks one is refused.
"""
# SPDX-License-Identifier: Apache-2.0
import csv
import json
import os
import sys


def main(bundle: str, table: str, count: int) -> None:
    with open(os.path.join(bundle, "features.json")) as file:
        features = json.load(file)
    fields = {field["name"]: field["kind"] for field in features["request"]} | {features["id"]: "text"}
    with open(table, newline="") as file:
        rows = [row for row in csv.DictReader(file) if all(row[name] for name, kind in fields.items() if kind != "time")]
    for number in range(min(count, len(rows))):
        row = rows[number * len(rows) // min(count, len(rows))]
        request = {}
        for name, kind in fields.items():
            text = row[features["time"] if kind == "time" else name]
            request[name] = float(text) if kind == "number" else text
        print(json.dumps(request))


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) == 4 else 1000)
