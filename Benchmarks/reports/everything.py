#!/usr/bin/env python3
"""Writes a project whose report has every section and chart, and runs it twice, the first time as its own baseline.

    everything.py FOLDER --pipe PROGRAM [--rows N] [--fail]

Five evaluations (one of each task) with slices, gates and a baseline; plots in all nine templates, a template of the project's own and
images; a notebook of prose, tables, images and errors; a model card; names that are too long and letters that are not Latin. With `--fail`
the second run stops at a failing cell. Python's libraries (pandas, Matplotlib, Altair) are used in the notebook where `python3` has them.
"""
import argparse
import os
import subprocess
import sys

PIPELINE = """\
title: Everything that a report can show — 全部, всё, <all> & "more"
desc: A made-up project. Its numbers mean nothing; its page must still be readable on a telephone at midnight.

stages:
  data:
    desc: Make the tables of predictions.
    cmd: python3 make.py {seed}
    params: [rows, quality]
    deps: {{make: make.py}}
    outs:
      - eval
      - logs
  explore:
    desc: Look at the data.
    notebook: explore.qmd
    deps: {{regression: eval/regression.csv}}
    params: [rows, train.lr]
    outs: {{top: explore/top.csv}}
  a_stage_with_a_name_that_is_far_too_long_for_a_telephone_and_has_no_place_to_break:
    cmd: mkdir -p long && printf 'a line of the log that goes on and on %s\\n' {words} && date -u -d @0 > long/a-file-with-a-rather-long-name-of-its-own.txt
    deps: [explore/top.csv, eval]
    outs: [long]
  last:
    cmd: cat long/*.txt && sleep 0
    deps: [long, explore/top.csv]

evaluations:
  minutes:
    predictions: eval/regression.csv
    task: regression
    unit: min
    within: 5
    tolerance: {{mae: {{abs: 0.01}}}}
    gates:
      - {{metric: mae, at_most: 3}}
      - {{metric: coverage_90, at_least: 0.999, label: "nearly everything lies within its interval, which cannot be"}}
  churn:
    predictions: eval/binary.csv
    task: binary
    gates:
      - {{metric: auc, at_least: 0.7}}
  payment_method_with_a_long_name:
    predictions: eval/multiclass.csv
    task: multiclass
  search:
    predictions: eval/ranking.csv
    task: ranking
  demand:
    predictions: eval/backtest.csv
    task: backtest
    unit: orders
    seasonality: 24

plots:
  - logs/loss.csv: {{x: step, y: [train, valid], title: Loss, x_label: step of the optimiser, y_label: loss}}
  - simple: {{x: step, y: {{logs/loss.csv: train}}, template: simple}}
  - smooth: {{x: step, y: {{logs/loss.csv: [train]}}, template: smooth, title: Loss over a tenth of the rows}}
  - scatter: {{x: km, y: {{logs/points.csv: minutes}}, template: scatter}}
  - jitter: {{x: zone, y: {{logs/points.csv: weather}}, template: scatter_jitter}}
  - bars: {{x: gain, y: {{logs/importance.csv: feature}}, template: bar_horizontal}}
  - sorted bars: {{x: gain, y: {{logs/importance.csv: feature}}, template: bar_horizontal_sorted}}
  - confusion: {{x: actual, y: {{logs/classes.csv: predicted}}, template: confusion, title: Classes}}
  - confusion shares: {{x: actual, y: {{logs/classes.csv: predicted}}, template: confusion_normalized}}
  - many lines: {{x: step, y: {{logs/many.csv: [a, b, c, d, e, f, g, h]}}, title: Eight series}}
  - dated: {{x: day, y: {{logs/days.csv: orders}}, title: A year of days}}
  - own template: {{x: km, y: {{logs/points.csv: minutes}}, template: own}}
  - logs/picture.png
  - logs/drawing.svg

report:
  baseline: first
  card: modelcard.yaml
"""

CARD = """\
name: everything
owner: Nobody <nobody@example.org>
license: apache-2.0
tags: [tabular, made-up]
intended_use: |
  Looking at reports. See [the site](https://example.org/a/very/long/address/that/has/no/place/to/break/in/it/whatever/one/does).
out_of_scope: Anything else.
limitations:
  - The numbers are made up.
  - "`code`, **bold**, <script>alert(1)</script> and a_word_that_is_longer_than_any_line_of_a_telephone_has_room_for_so_it_has_to_be_broken"
ethical_considerations: None of the people exist.
training_data: Random numbers.
"""

MAKE = r'''
import csv, json, math, os, random, struct, sys, zlib
seed = int(sys.argv[1])
parameters = json.load(open(os.environ["PIPE_CONTEXT"]))["params"] if "PIPE_CONTEXT" in os.environ else {}
rows, quality = int(parameters.get("rows", ROWS)), float(parameters.get("quality", QUALITY))
world, draw = random.Random(1), random.Random(seed)
os.makedirs("eval", exist_ok=True)
os.makedirs("logs", exist_ok=True)

def table(path, header, lines):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(lines)

zones = ["Centre", "Łódź", "Saint-Rémy-en-Bouzemont-Saint-Genest-et-Isson", "北京", "North", "South", "East", ""]
def regression():
    for i in range(rows):
        km = world.expovariate(0.3)
        truth = 8 + 3 * km + world.gauss(0, 2 + km / 4)
        guess = 8 + 3 * km + draw.gauss(0.2, 2.2 - quality)
        half = 3.2 + km / 3
        yield i, f"{truth:.3f}", f"{guess:.3f}", f"{guess - half:.3f}", f"{guess + half:.3f}", zones[int(world.random() ** 2 * 8)], ["dry", "rain"][world.random() < 0.2]
table("eval/regression.csv", ["id", "y_true", "y_pred", "y_low", "y_high", "slice_zone", "slice_weather"], regression())

def binary():
    for i in range(rows):
        score = world.gauss(-1, 1.5)
        truth = int(world.random() < 1 / (1 + math.exp(-score)))
        yield i, truth, f"{1 / (1 + math.exp(-(score + draw.gauss(0, 1.2 - quality)))):.4f}", ["new", "old", "very old"][int(world.random() * 3)]
table("eval/binary.csv", ["id", "y_true", "y_score", "slice_age"], binary())

classes = ["cash", "credit card", "direct debit (automatic)", "bank transfer", "gift"]
def multiclass():
    for i in range(rows):
        truth = int(world.random() ** 1.5 * 5)
        raw = [draw.random() + (1.2 + quality if k == truth else 0) * draw.random() for k in range(5)]
        shares = [round(value / sum(raw), 6) for value in raw]
        yield [i, classes[truth], classes[max(range(5), key=lambda k: shares[k])], *shares]
table("eval/multiclass.csv", ["id", "y_true", "y_pred"] + ["y_score_" + name for name in classes], multiclass())

table("eval/ranking.csv", ["id", "group", "y_true", "y_pred"],
      ([f"{g}-{k}", f"query {g}", relevance, f"{relevance + draw.gauss(0, 2 - quality):.3f}"]
       for g in range(max(30, rows // 40)) for k in range(12) for relevance in [max(0, int(world.gauss(0.4, 1.1)))]))

def backtest():
    for hour in range(24 * 60):
        truth = 50 + 30 * math.sin(hour / 24 * 2 * math.pi) + world.gauss(0, 6)
        guess = 50 + 30 * math.sin(hour / 24 * 2 * math.pi) + draw.gauss(1, 3 - quality)
        day, month = hour // 24 % 28 + 1, 1 + hour // 24 // 28
        yield hour, f"2026-{month:02}-{day:02}T{hour % 24:02}:00:00Z", f"{truth:.2f}", f"{guess:.2f}", f"{guess - 11:.2f}", f"{guess + 11:.2f}"
table("eval/backtest.csv", ["id", "time", "y_true", "y_pred", "y_low", "y_high"], backtest())

table("logs/loss.csv", ["step", "train", "valid"], ([s, f"{2 / (1 + s / 40) + draw.random() / 20:.4f}", f"{2.1 / (1 + s / 45) + draw.random() / 12:.4f}"] for s in range(400)))
table("logs/points.csv", ["km", "minutes", "zone", "weather"],
      ([f"{k:.2f}", f"{8 + 3 * k + draw.gauss(0, 3):.2f}", zones[int(draw.random() * 7)], ["dry", "rain", "snow"][int(draw.random() * 3)]] for k in (draw.expovariate(0.3) for _ in range(3000))))
table("logs/importance.csv", ["feature", "gain"], ([f"{n}", f"{100 / (i + 1):.2f}"] for i, n in enumerate(
    ["distance_kilometres", "hour_of_day", "the_mean_minutes_of_the_last_hundred_orders_of_this_zone", "rain", "weekday", "drivers_near", "holiday", "items", "客户", "vehicle"])))
table("logs/classes.csv", ["actual", "predicted"], ([classes[t], classes[t if draw.random() < 0.7 else int(draw.random() * 5)]] for t in (int(draw.random() * 5) for _ in range(900))))
table("logs/many.csv", ["step", *"abcdefgh"], ([s, *(f"{math.sin(s / 20 + k) + k:.3f}" for k in range(8))] for s in range(120)))
table("logs/days.csv", ["day", "orders"], ([f"2025-{m:02}-{d:02}", int(500 + 200 * math.sin(m) + draw.random() * 80)] for m in range(1, 13) for d in range(1, 29)))

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
lines = b"".join(b"\0" + bytes(v for x in range(320) for v in (x * 255 // 319, y * 255 // 199, 128)) for y in range(200))
with open("logs/picture.png", "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 320, 200, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b""))
with open("logs/drawing.svg", "w") as file:
    file.write('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 100"><script>alert(1)</script><rect width="300" height="100" fill="#eef"/>'
               '<circle cx="60" cy="50" r="40" fill="#0072b2" onclick="alert(1)"/><text x="120" y="56">a drawing of its own</text></svg>')
'''

OWN_TEMPLATE = """{"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "data": {"values": "<DVC_METRIC_DATA>"},
"mark": "rect", "encoding": {"x": {"field": "<DVC_METRIC_X>", "bin": true, "type": "quantitative"},
"y": {"field": "<DVC_METRIC_Y>", "bin": true, "type": "quantitative"}, "color": {"aggregate": "count"}}}
"""

NOTEBOOK = r'''---
title: A look at the data
---

# A heading of the first level

Prose with *emphasis*, **strong words**, `code_that_is_rather_long_and_has_no_place_to_break_whatever_one_does_with_it_at_all`, a
[link](https://example.org/), and a list:

1. first
2. second
   - inside

> A quotation, over more than one line of a telephone, so that one sees where it wraps.

| column | another column | a third one with a long heading | a number |
|:---|:---|:---|---:|
| a | something longer that wraps | x | 1,234,567.89 |
| b | y | z | 2 |

```{python}
#| label: text
print("plain text", pipe.params.rows, pipe.params["train.lr"])
import sys
print("something on the error stream", file=sys.stderr)
print("a line that is far longer than a telephone is wide " * 6)
```

```{python}
#| label: table
try:
    import pandas as pd
    shown = pd.read_csv(pipe.deps["regression"]).head(60)
except ImportError:
    class Table:
        def _repr_html_(self):
            return "<table><thead><tr><th>a</th></tr></thead><tbody><tr><td onclick='alert(1)'>1</td></tr></tbody></table><script>alert(1)</script>"
    shown = Table()
shown
```

```{python}
#| label: figure
#| fig-cap: A figure with a caption
#| fig-alt: Two lines that cross
try:
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    plt.plot([0, 1, 2], [0, 1, 4], label="a")
    plt.plot([0, 1, 2], [4, 1, 0], label="b")
    plt.legend()
except ImportError:
    class Drawing:
        def _repr_svg_(self):
            return '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"><path d="M0 0L20 10M0 10L20 0" stroke="#000"/></svg>'
    display(Drawing())
```

```{python}
#| label: altair
try:
    import altair as alt
    import pandas as pd
    display(alt.Chart(pd.DataFrame({"x": [1, 2, 3], "y": [3, 1, 2]})).mark_bar().encode(x="x:O", y="y:Q"))
except ImportError:
    print("no altair")
```

```{python}
#| label: hostile
class Hostile:
    def _repr_html_(self):
        return ("<h1>one more first heading</h1><img src=https://example.org/x.png onerror=alert(1)><iframe src=https://example.org></iframe>"
                "<style>body{display:none}</style><a href='javascript:alert(1)'>a link</a><table><tr><td>kept</td></tr></table>")
Hostile()
```

```{python}
#| label: fails
#| error: true
def inner(value):
    return 1 / value
inner(0)
```

```{sql}
#| label: sql
#| out: top
SELECT slice_zone AS zone, count(*) AS orders, round(avg(y_true), 2) AS minutes FROM regression GROUP BY zone ORDER BY orders DESC
```

```{bash}
#| label: bash
printf '\033[31mred\033[0m and plain\n'
LAST
```
'''


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder")
    options.add_argument("--pipe", required=True, help="the pipe program")
    options.add_argument("--rows", type=int, default=3000)
    options.add_argument("--fail", action="store_true", help="let the second run fail in the notebook")
    asked = options.parse_args()
    pipe = os.path.abspath(asked.pipe)
    os.makedirs(os.path.join(asked.folder, ".pipe/plots"))

    def write(name, text):
        with open(os.path.join(asked.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def run(*command, may_fail=False):
        done = subprocess.run(command, cwd=asked.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode and not may_fail:
            sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        return done.returncode

    git = ["git", "-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"]
    words = " ".join(f"word{number}" for number in range(60))
    run("git", "init", "-q", "-b", "main")
    write(".gitignore", "/eval\n/logs\n/long\n/explore\n/reports\n")
    write("modelcard.yaml", CARD)
    write(".pipe/plots/own.json", OWN_TEMPLATE)
    for turn, (seed, quality, lr, last) in enumerate([(7, 0.4, 0.1, "true"), (8, 0.7, 0.05, "grep nothing /dev/null" if asked.fail else "true")]):
        write("pipeline.yaml", PIPELINE.format(seed=seed, words=words))
        write("params.yaml", f"rows: {asked.rows}\nquality: {quality}\ntrain: {{lr: {lr}}}\n")
        write("make.py", MAKE.replace("ROWS", str(asked.rows)).replace("QUALITY", str(quality)))
        write("explore.qmd", NOTEBOOK.replace("LAST", last))
        # One gate is missed on purpose, which is exit status 1.
        code = run(pipe, "repro", may_fail=True)
        if turn == 0:
            run(*git, "add", "-A")
            run(*git, "commit", "-q", "-m", "first")
            run("git", "tag", "first")
    print(f"{asked.folder}/reports/index.html (pipe repro ended with {code})")


if __name__ == "__main__":
    main()
