#!/usr/bin/env python3
"""Time, memory and page size of `pipe report` over a large table of predictions.

    millions.py BIN [--rows 10000000] [--task regression|binary] [--baseline] [--limit MB] [--keep FOLDER]

Writes a CSV file of predictions with bounds and a slice, a project that evaluates it, and runs `pipe repro` and `pipe report`; with
`--baseline` the table is compared with a second one of the same rows. Prints wall and CPU seconds, peak memory of its own (RssAnon, looked
at 50 times a second) and with pages of files (ru_maxrss), the size of the pages, and the same for a table of a thousandth of the rows, so
that one sees what grows. `report` computes anew: the results that `repro` kept are taken away before it.

`--limit` runs each command in a memory cgroup of its own that may have so many MB, pages of files that the kernel keeps among them; it needs
root. A command that cannot do with them is killed by the kernel, and the script ends with 1.
"""
import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
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


def cgroup(limit):
    """A new memory cgroup that may have so many bytes, of either version."""
    first = "/sys/fs/cgroup/memory"
    is_first = os.path.isdir(first)
    group = tempfile.mkdtemp(prefix="pipe-millions-", dir=first if is_first else "/sys/fs/cgroup")
    with open(os.path.join(group, "memory.limit_in_bytes" if is_first else "memory.max"), "w", encoding="ascii") as file:
        file.write(str(limit))
    return group


def own_memory(process, peaks):
    """Watches the bytes of anonymous memory until the process has ended."""
    while process.returncode is None:
        try:
            with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
                peaks.extend(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon"))
        except OSError:
            pass
        time.sleep(0.02)


def measured(command, folder, limit):
    """Wall seconds, CPU seconds and peak bytes of one command: of its own, and with pages of files."""
    group = cgroup(limit) if limit else None

    def enter():
        with open(os.path.join(group, "cgroup.procs"), "w", encoding="ascii") as file:
            file.write(str(os.getpid()))

    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               preexec_fn=enter if limit else None)
    peaks = [0]
    watch = threading.Thread(target=own_memory, args=(process, peaks))
    watch.start()
    text = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    watch.join()
    if group:
        os.rmdir(group)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}\n{text}")
    return wall, usage.ru_utime + usage.ru_stime, max(peaks), usage.ru_maxrss * 1024


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
    options.add_argument("--limit", type=int, help="MB that a command may have, pages of files among them")
    options.add_argument("--keep", help="folder to make the projects in and leave them")
    asked = options.parse_args()
    pipe = os.path.join(os.path.abspath(asked.bin), "pipe")
    base = asked.keep or tempfile.mkdtemp(prefix="pipe-millions-")
    against = ", compared with a baseline" if asked.baseline else ""
    print(f"{asked.task}{against}" + (f", {asked.limit} MB" if asked.limit else ""))
    print(f"{'rows':>12} {'CSV':>9} {'command':12} {'wall':>8} {'CPU':>8} {'own memory':>12} {'with files':>12} {'HTML':>9} {'Markdown':>9}")
    try:
        for rows in (max(1000, asked.rows // 1000), asked.rows):
            folder = os.path.join(base, str(rows))
            project(folder, pipe, asked.task, rows, asked.baseline)
            size = os.path.getsize(os.path.join(folder, "predictions.csv"))
            for command in ("repro", "report"):
                shutil.rmtree(os.path.join(folder, ".pipe", "evaluations"), ignore_errors=True)
                wall, processor, own, peak = measured([pipe, command], folder, asked.limit and asked.limit << 20)
                html, markdown = (os.path.getsize(os.path.join(folder, "reports", name)) for name in ("index.html", "index.md"))
                print(f"{rows:12,} {size / 1e6:6.1f} MB pipe {command:7} {wall:6.1f} s {processor:6.1f} s {own / 1e6:9.0f} MB {peak / 1e6:9.0f} MB "
                      f"{html / 1e3:6.1f} kB {markdown / 1e3:6.1f} kB", flush=True)
    finally:
        if not asked.keep:
            shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main()
