#!/usr/bin/env python3
# Kills `pipe repro` at random moments and checks that nothing survives and the next run mends everything.
# SPDX-License-Identifier: Apache-2.0
"""Usage: Benchmarks/kill.py PROJECT [N] [--pipe FILE] [--seed NUMBER] [--jobs N] [--keep]

Copies the sources of PROJECT (what Git tracks, or all but `.pipe`) to a temporary folder, runs `pipe repro` there once
undisturbed, then N times (200 if not said): a fresh copy, `pipe repro`, SIGKILL at a random moment of the undisturbed
run's length, no process left within 5 s, `pipe repro` again, and compares all files outside `.pipe`, `reports` and `registry` (which tell when), the
names of all traces, and that a further `pipe repro` has nothing to do. Exits with 1 at the first difference.
"""
import argparse, hashlib, os, random, shutil, signal, statistics, subprocess, sys, tempfile, time, uuid

from processes import NAME, alive


def sources(project):
    tracked = subprocess.run(["git", "-C", project, "ls-files", "-z", "."], capture_output=True)
    if tracked.returncode == 0 and tracked.stdout:
        # An agreed result would be restored instead of made: the lock file stays behind.
        return [n for n in tracked.stdout.decode().split("\0") if n and n != "pipeline.lock" and os.path.isfile(f"{project}/{n}")]
    found = []
    for folder, below, names in os.walk(project):
        below[:] = [n for n in below if n not in (".pipe", ".git", ".build", "reports")]
        found += [os.path.relpath(f"{folder}/{n}", project) for n in names if n != "pipeline.lock"]
    return found


def copy(project, names, place):
    for name in names:
        os.makedirs(os.path.dirname(f"{place}/{name}") or place, exist_ok=True)
        shutil.copy2(f"{project}/{name}", f"{place}/{name}")


def results(place):
    found = {}
    for folder, below, names in os.walk(place):
        if folder == place:
            below[:] = [n for n in below if n not in (".pipe", ".git", "reports", "registry")]
        for name in names:
            with open(f"{folder}/{name}", "rb") as file:
                found[os.path.relpath(f"{folder}/{name}", place)] = hashlib.sha256(file.read()).hexdigest()
    traces = sorted(n for f, _, names in os.walk(f"{place}/.pipe/traces") for n in names if n.endswith(".json"))
    return found, traces


def fail(text, log=None):
    print(f"FAILED: {text}", file=sys.stderr)
    if log:
        print(log[-4000:], file=sys.stderr)
    sys.exit(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project")
    parser.add_argument("n", nargs="?", type=int, default=200)
    parser.add_argument("--pipe", default="pipe", help="the program; default: of PATH")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="OLD=NEW", help="text to replace in params.yaml")
    parser.add_argument("--keep", action="store_true", help="keep the folder of a failure")
    options = parser.parse_args()
    program = shutil.which(options.pipe) or fail(f"no program `{options.pipe}`")
    program = os.path.abspath(program)
    chance = random.Random(options.seed)
    names = sources(options.project)
    base = tempfile.mkdtemp(prefix="pipe-kill-")
    print(f"seed {options.seed}, {len(names)} source files, in {base}", flush=True)

    def fresh(name):
        place = f"{base}/{name}"
        os.makedirs(place)
        copy(options.project, names, place)
        for change in options.set:
            old, new = change.split("=", 1)
            with open(f"{place}/params.yaml", encoding="utf-8") as file:
                text = file.read()
            if old not in text:
                fail(f"params.yaml has no `{old}`")
            with open(f"{place}/params.yaml", "w", encoding="utf-8") as file:
                file.write(text.replace(old, new))
        return place

    def repro(place, mark="none"):
        with open(f"{base}/log", "ab") as log:
            log.truncate(0)
            return subprocess.Popen(
                [program, "repro", "--jobs", str(options.jobs)], cwd=place, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, NAME: mark})

    def log():
        with open(f"{base}/log", encoding="utf-8", errors="replace") as file:
            return file.read()

    calm = fresh("calm")
    start = time.monotonic()
    if repro(calm).wait() != 0:
        fail("the undisturbed run", log())
    length = time.monotonic() - start
    wanted = results(calm)
    print(f"undisturbed: {length:.2f} s, {len(wanted[0])} files, {len(wanted[1])} traces", flush=True)
    gone, mended = [], []
    for number in range(1, options.n + 1):
        place, mark, delay = fresh(f"killed-{number}"), str(uuid.uuid4()), chance.uniform(0, length * 1.02)
        process = repro(place, mark)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed = time.monotonic()
        while left := alive(mark):
            if time.monotonic() - killed > 5:
                fail(f"kill {number} after {delay:.3f} s left processes {left}", log())
            time.sleep(0.002)
        gone.append(time.monotonic() - killed)
        start = time.monotonic()
        if repro(place).wait() != 0:
            fail(f"repro after kill {number} at {delay:.3f} s in {place}", log())
        mended.append(time.monotonic() - start)
        have = results(place)
        if have != wanted:
            differing = sorted(k for k in {**have[0], **wanted[0]} if have[0].get(k) != wanted[0].get(k))
            fail(f"kill {number} at {delay:.3f} s in {place}: files {differing}, traces equal: {have[1] == wanted[1]}", log())
        if repro(place).wait() != 0 or "nothing to do" not in log():
            fail(f"kill {number} at {delay:.3f} s in {place}: a further run had something to do", log())
        shutil.rmtree(place)
        if number % 20 == 0:
            print(f"{number} kills", flush=True)
    print(
        f"{options.n} kills: no process left (after at most {max(gone) * 1000:.0f} ms), all files, traces and locks equal; "
        f"mending took {statistics.median(mended):.2f} s in the median")
    if not options.keep:
        shutil.rmtree(base)


main()
