#!/usr/bin/env python3
"""Time, memory and page size of `pipe report` over a large table of predictions.

    millions.py BIN [--rows 10000000] [--task regression|binary] [--baseline] [--keep FOLDER]

Writes a CSV file of predictions with bounds and a slice, a project that evaluates it, and runs `pipe repro` and `pipe report`; with
`--baseline` the table is compared with a second one of the same rows. Prints wall and CPU seconds, peak memory (ru_maxrss of the process),
the size of the pages and of the drawings' share, and the same for a table of a thousandth of the rows, so that one sees what grows.
"""
import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

HEADER = {"regression": "id,y_true,y_pred,y_low,y_high,slice_zone\n", "binary": "id,y_true,y_score,slice_zone\n"}


def table(path, task, rows, seed):
    """Rows from a block of 10,000 drawn ones, whose ids go on; quick to write, and no two tables of a seed are the same rows."""
    draw, world = random.Random(seed), random.Random(0)
    block = []
    for _ in range(10_000):
        truth = world.gammavariate(4, 8)
        guess = truth + draw.gauss(0.2, 3 + truth / 40)
        zone = f"Z{int(world.random() ** 2 * 24):02}"
        if task == "regression":
            block.append(f",{truth:.3f},{guess:.3f},{guess - 6:.3f},{guess + 6:.3f},{zone}\n")
        else:
            block.append(f",{int(truth > 30)},{min(1, max(0, guess / 64)):.4f},{zone}\n")
    with open(path, "w", encoding="ascii", buffering=1 << 20) as file:
        file.write(HEADER[task])
        for start in range(0, rows, len(block)):
            file.write("".join(f"{start + place}{line}" for place, line in enumerate(block[: rows - start])))


def measured(command, folder):
    """Wall seconds, CPU seconds and peak bytes of one command."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}\n{text}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def project(folder, pipe, task, rows, has_baseline):
    def git(*words):
        subprocess.run(["git", "-c", "user.name=nobody", "-c", "user.email=nobody@example.org", *words], cwd=folder, check=True)

    os.makedirs(folder)
    git("init", "-q", "-b", "main")
    with open(os.path.join(folder, "pipeline.yaml"), "w", encoding="utf-8") as file:
        # Copied by the stage, so that the table is an output with a digest as any other; a reflink or a copy, as the file system has it.
        file.write("stages:\n  predict:\n    cmd: cp --reflink=auto predictions.csv out.csv\n    deps: [predictions.csv]\n    outs: [out.csv]\n"
                   f"evaluations:\n  model:\n    predictions: out.csv\n    task: {task}\n"
                   + ("    unit: min\n    within: 5\n" if task == "regression" else "")
                   + ("report: {baseline: first}\n" if has_baseline else ""))
    with open(os.path.join(folder, ".gitignore"), "w", encoding="utf-8") as file:
        file.write("/predictions.csv\n/out.csv\n/reports\n")
    if has_baseline:
        table(os.path.join(folder, "predictions.csv"), task, rows, 1)
        subprocess.run([pipe, "repro"], cwd=folder, check=True, capture_output=True)
        git("add", "-A")
        git("commit", "-q", "-m", "first")
        git("tag", "first")
    table(os.path.join(folder, "predictions.csv"), task, rows, 2)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("bin", help="folder of the pipe program")
    options.add_argument("--rows", type=int, default=10_000_000)
    options.add_argument("--task", choices=list(HEADER), default="regression")
    options.add_argument("--baseline", action="store_true")
    options.add_argument("--keep", help="folder to make the projects in and leave them")
    asked = options.parse_args()
    pipe = os.path.join(os.path.abspath(asked.bin), "pipe")
    base = asked.keep or tempfile.mkdtemp(prefix="pipe-millions-")
    against = ", compared with a baseline" if asked.baseline else ""
    print(f"{asked.task}{against}")
    print(f"{'rows':>12} {'CSV':>9} {'command':12} {'wall':>8} {'CPU':>8} {'peak memory':>12} {'HTML':>9} {'Markdown':>9}")
    try:
        for rows in (max(1000, asked.rows // 1000), asked.rows):
            folder = os.path.join(base, str(rows))
            project(folder, pipe, asked.task, rows, asked.baseline)
            size = os.path.getsize(os.path.join(folder, "predictions.csv"))
            for command in ("repro", "report"):
                wall, processor, peak = measured([pipe, command], folder)
                html, markdown = (os.path.getsize(os.path.join(folder, "reports", name)) for name in ("index.html", "index.md"))
                print(f"{rows:12,} {size / 1e6:6.1f} MB pipe {command:7} {wall:6.1f} s {processor:6.1f} s {peak / 1e6:9.0f} MB "
                      f"{html / 1e3:6.1f} kB {markdown / 1e3:6.1f} kB", flush=True)
    finally:
        if not asked.keep:
            shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main()
