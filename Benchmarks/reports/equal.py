#!/usr/bin/env python3
"""Is the report of the same inputs the same, byte for byte, wherever and by whomever it is made?

    equal.py BIN [--data FOLDER] [--keep FOLDER] [--only NAME]

BIN is the folder of pipe and pipe-kit. The repository's own pipeline, and examples/deliveries where `--data` (or PIPE_REAL_DATA) names the
data sets, are each cloned twice and run, in folders of other lengths, with another time zone, language, home, user and umask. The block of run
facts is cut out (docs/report.md), the rest is compared, HTML and Markdown. Exit 1: something differs, and is shown.
"""
import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

REPOSITORY = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BEGIN, END = b"<!-- run-facts:begin -->", b"<!-- run-facts:end -->"
# Two people far from one another.
WORLDS = [
    {"folder": "a", "TZ": "UTC", "LANG": "C", "LC_ALL": "C", "USER": "ann", "umask": 0o022},
    {"folder": "b/a folder with a space/and a name that is much longer/checkout", "TZ": "Pacific/Chatham", "LANG": "tr_TR.UTF-8",
     "LC_ALL": "tr_TR.UTF-8", "USER": "björn", "umask": 0o077},
]


def without_run_facts(page):
    begin, end = page.find(BEGIN), page.find(END)
    if begin < 0 or end < begin or page.find(BEGIN, begin + 1) >= 0:
        sys.exit("a page without exactly one block of run facts")
    return page[:begin] + page[end + len(END):]


def made(world, base, name, programs, data):
    """The two pages of a fresh clone."""
    root = os.path.join(base, name, world["folder"])
    home = os.path.join(base, name, "home of " + world["USER"])
    os.makedirs(home)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PIPE_", "LC_", "GIT_"))}
    environment |= {"HOME": home, "PATH": programs + ":" + os.environ["PATH"], **{key: world[key] for key in ("TZ", "LANG", "LC_ALL", "USER")}}
    if data:
        environment["PIPE_REAL_DATA"] = data

    def run(*command, folder=None):
        done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, umask=world["umask"])
        if done.returncode:
            sys.exit(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")

    os.makedirs(os.path.dirname(root), exist_ok=True)
    run("git", "clone", "-q", REPOSITORY, root)
    project = os.path.join(root, "examples/deliveries") if name == "deliveries" else root
    run(os.path.join(programs, "pipe"), "repro", folder=project)
    pages = {}
    for page in ("index.html", "index.md"):
        with open(os.path.join(project, "reports", page), "rb") as file:
            pages[page] = file.read()
    return pages


def difference(first, second):
    place = next((i for i, (a, b) in enumerate(zip(first, second)) if a != b), min(len(first), len(second)))
    around = slice(max(0, place - 80), place + 120)
    return f"  from byte {place}:\n    {first[around]!r}\n    {second[around]!r}"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("bin")
    options.add_argument("--data", default=os.environ.get("PIPE_REAL_DATA"))
    options.add_argument("--keep", help="folder to leave the clones in")
    options.add_argument("--only", choices=["own", "deliveries"])
    asked = options.parse_args()
    base = asked.keep or tempfile.mkdtemp(prefix="pipe-equal-")
    failed = False
    print(f"{'pipeline':12} {'page':11} {'bytes':>9} {'run facts':>10} {'compared':>9}  result")
    try:
        for name in ("own", "deliveries"):
            if asked.only not in (None, name):
                continue
            if name == "deliveries" and not asked.data:
                print("deliveries: left out, PIPE_REAL_DATA names no folder")
                continue
            first, second = (made(world, base, name, os.path.abspath(asked.bin), asked.data) for world in WORLDS)
            for page in first:
                one, two = without_run_facts(first[page]), without_run_facts(second[page])
                verdict = "equal, sha256 " + hashlib.sha256(one).hexdigest()[:16] if one == two else "DIFFERENT"
                print(f"{name:12} {page:11} {len(first[page]):9,} {len(first[page]) - len(one):10,} {len(one):9,}  {verdict}", flush=True)
                if one != two:
                    failed = True
                    print(difference(one, two))
                if first[page] == second[page]:
                    failed = True
                    print("  the run facts are the same, too: the two runs were not two")
    finally:
        if not asked.keep:
            shutil.rmtree(base, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
