# What DVC alone makes of a seed's operations: driven once, written down step by step, and read as often as the mixed project is tried.
# SPDX-License-Identifier: Apache-2.0
"""The shadow project does not depend on the mixed one, so its steps are recorded: a file of JSON lines for each seed.

The project stays beside its recording, so that more steps can follow. The first line names what the recording follows from. Each further line is a step:
{"name", "acts", "answers": [[code, out, err] or null], "status", "tree": {path: [kind, mode, value] or null}, "blobs": {md5: bytes}}
with changes of the tree alone, and bytes as Latin-1 text.
"""
import hashlib, json, os, random, subprocess

import operations, project, sides

HERE = os.path.dirname(os.path.abspath(__file__))


def link_type(seed):
    return ("copy", "hardlink", "copy", "symlink", "copy")[seed % 5]


def beginning(seed):
    """The acts that make the project before the first step."""
    kind = link_type(seed)
    acts = [("write", path, text) for path, text in project.files(kind != "copy").items()]
    acts += [("git", ["init", "-q"]), ("tool", ["init", "-q"])]
    if kind != "copy":
        acts.append(("tool", ["config", "cache.type", kind]))
    if seed % 3 == 0:
        acts.append(("tool", ["config", "core.autostage", "true"]))
    acts += [("write", ".dvcignore", "*.tmp\n"), ("tool", ["add", "-q", "raw.txt", "data", "images"]), ("tool", ["repro", "-q", "-P"])]
    return acts + [("git", ["add", "-A"]), ("git", ["commit", "-q", "-m", "begin"])]


def origin(seed, options):
    """What a recording follows from."""
    digest = hashlib.md5(",".join(sorted(operations.AVOIDED)).encode())
    for name in ("operations.py", "project.py"):
        with open(f"{HERE}/{name}", "rb") as file:
            digest.update(file.read())
    return {"seed": seed, "of": digest.hexdigest(), "dvc": options.python}


def record(seed, options, peer):
    """Writes the recording of a seed, or goes on with it where it has too few steps; its path."""
    path, base = f"{options.shadows}/seed-{seed}.jsonl", f"{options.shadows}/seed-{seed}"
    os.makedirs(options.shadows, exist_ok=True)
    done, before = recorded(path, origin(seed, options))
    side = sides.Side(base, peer)
    if done <= options.steps and (done == 0 or side.tree(git=True) != before):
        # A recording that was ended within a step is made anew.
        subprocess.run(["rm", "-rf", path, base], check=True)
        with open(path, "w") as file:
            file.write(json.dumps(origin(seed, options)) + "\n")
        side, done, before = sides.Side(base, peer), 0, {}
    with open(path, "a") as file:
        for number in range(done, options.steps + 1):
            name, acts = ("begin", beginning(seed)) if number == 0 else chosen(seed, number, side)
            answers = [side.act(act, "dvc") for act in acts]
            if number == 0 and any(answer and answer[0] for answer in answers):
                raise SystemExit(f"the beginning failed: {answers}")
            status, blobs = side.status("dvc")[0], {}
            tree = side.tree(blobs, git=True)
            changes = {p: tree.get(p) for p in {**tree, **before} if tree.get(p) != before.get(p)}
            before = tree
            answers = [answer and [answer[0], answer[1][-1500:], answer[2][-1500:]] for answer in answers]
            blobs = {key: value.decode("latin-1") for key, value in blobs.items()}
            file.write(json.dumps({"name": name, "acts": acts, "answers": answers, "status": status, "tree": changes, "blobs": blobs}) + "\n")
            file.flush()
            if options.progress and number and number % options.progress == 0:
                print(f"seed {seed}: DVC's side of {number} steps is recorded", flush=True)
    return path


def recorded(path, wanted):
    """How many steps a recording has, and the tree after the last."""
    if not os.path.exists(path):
        return 0, {}
    shadow = Shadow(path)
    done = 0
    while shadow.origin == wanted and shadow.next():
        done += 1
    shadow.file.close()
    return done, shadow.tree


def chosen(seed, number, side):
    with open(f"{side.root}/dvc.yaml", encoding="utf-8") as file:
        manifest = side.peer.load(file.read()) or {}
    return operations.choose(operations.Scene(side.root, manifest, random.Random(f"{seed}/{number}"), number))


class Shadow:
    """A recording, read step by step: what was done last, and the project before and after it."""

    def __init__(self, path):
        self.file = open(path)
        self.origin = json.loads(self.file.readline())
        self.tree, self.before, self.blobs = {}, {}, {}

    def next(self):
        """Takes the next step, if there is one."""
        line = self.file.readline()
        if not line:
            return False
        step = json.loads(line)
        self.name, self.acts, self.answers, self.status = step["name"], step["acts"], step["answers"], step["status"]
        self.blobs.update((key, text.encode("latin-1")) for key, text in step["blobs"].items())
        self.before = dict(self.tree)
        for path, value in step["tree"].items():
            if value is None:
                del self.tree[path]
            else:
                self.tree[path] = value
        return True
