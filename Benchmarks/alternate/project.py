# The project that alternate.py begins with: files, parameters, manifests. Every command is a pure function of what its stage declares.
# SPDX-License-Identifier: Apache-2.0

PARAMS_YAML = """\
# learning
lr: 0.1
train:
  epochs: 3
  layers: [1, 2]
seed: 7
size: 1
items:
- p
- q
"""

PARAMS_JSON = '{\n  "depth": 4,\n  "name": "base"\n}\n'

PARAMS_TOML = 'rate = 0.5\n\n[net]\nwidth = 8\nkind = "wide"\n'

PARAMS_PY = "ALPHA = 1\nTHRESHOLD: float = 0.25\n\n\nclass Train:\n    BATCH = 16\n    NAMES = [\"a\", \"b\"]\n"

# Written as DVC writes it in some places and as a person does in others.
MANIFEST = """\
# the pipeline of the alternation test
vars:
- greeting: hello
stages:
  clean:
    cmd: (echo v1; LC_ALL=C sort raw.txt) > clean.txt
    deps:
    - raw.txt
    outs:
    - clean.txt
  train:
    cmd: (echo v1; cat clean.txt; echo lr ${lr} epochs ${train.epochs}) > model.bin && echo
      "{\\"score\\":${train.epochs}}" > score.json   # folded by hand
    deps:
    - clean.txt
    params:
    - lr
    - train.epochs
    outs:
    - model.bin
    metrics:
    - score.json:
        cache: false
  tree:
    cmd:
    - mkdir -p tree/below
    - find data -type f -name '*.txt' -print0 | LC_ALL=C sort -z | xargs -0 -r cat > tree/all.txt
    - find data -type f | LC_ALL=C sort > tree/below/names.txt
    deps:
    - data
    outs:
    - tree
  sums:
    cmd: (echo v1; cd tree && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum) > sums.txt
    deps:
    - tree
    outs:
    - sums.txt:
        cache: false
  each:
    foreach:
    - a
    - b
    do:
      cmd: (echo v1 ${item}; cat clean.txt) > each_${item}.txt
      deps:
      - clean.txt
      outs:
      - each_${item}.txt
  grid:
    matrix:
      x: [1, 2]
      y: [u]
    cmd: (echo v1 ${item.x} ${item.y}; sha256sum < model.bin) > grid_${item.x}_${item.y}.txt
    deps:
    - model.bin
    outs:
    - grid_${item.x}_${item.y}.txt
  kept:
    cmd: (echo v1; cat raw.txt) > kept.txt
    deps:
    - raw.txt
    outs:
    - kept.txt:
        persist: true
  tool:
    cmd: "printf '#!/bin/sh\\\\necho %s\\\\n' ${greeting} > tool.sh\\nchmod +x tool.sh"
    params:
    - params.json:
      - depth
    - p.toml:
      - net.width
    - p.py:
      - ALPHA
      - Train.BATCH
    outs:
    - tool.sh
  report:
    cmd: (echo v1; cat sums.txt score.json; sh tool.sh) > "report é.txt"
    deps: [sums.txt, score.json, tool.sh]
    outs: ["report é.txt"]
    desc: what a person reads
"""

INNER = """\
stages:
  inner:
    cmd: (echo v1; sha256sum < ../clean.txt) > inner.txt
    deps:
    - ../clean.txt
    outs:
    - inner.txt
  away:
    wdir: ../work
    cmd: (echo v1; wc -l < ../sub/inner.txt | tr -d ' ') > away.txt
    deps:
    - ../sub/inner.txt
    outs:
    - away.txt
"""


def files(linked):
    """Path → text of what is there before the first step.

    Where outputs are links, no stage writes an executable: `dvc status` itself takes the bit away, and lock files record it.
    """
    found = {
        "params.yaml": PARAMS_YAML, "params.json": PARAMS_JSON, "p.toml": PARAMS_TOML, "p.py": PARAMS_PY,
        "dvc.yaml": MANIFEST.replace("\\nchmod +x tool.sh", "") if linked else MANIFEST, "sub/dvc.yaml": INNER, "work/README": "a folder that a stage works in\n",
        "raw.txt": "pear\napple\nfig\n", "sp ace é.txt": "one\n",
    }
    for number in range(6):
        found[f"data/f{number}.txt"] = f"row {number}\n" * (number + 1)
        found[f"data/below/g{number}.txt"] = f"deep {number}\n"
        found[f"images/{number:02}.png"] = f"picture {number}\n"
    return found
