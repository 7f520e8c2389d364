# The operations of the alternation test: each looks at the shadow project and says, as values, what to do in both.
# SPDX-License-Identifier: Apache-2.0
"""An operation is a function Scene → list of acts, or None if the scene has nothing for it. Acts are tuples:

("write", path, text)  ("delete", path)  ("rename", old, new)  ("mode", path, bits)  ("drop-object", path)   edits, the same on both sides
("tool", [words])                                                                    `dvc` or `pipe` in the mixed project, DVC in the shadow
("git", [words])
"""
import itertools, os, re, subprocess

META = re.compile(r"(^|/)(\.git|\.gitignore|\.dvcignore|dvc\.yaml|dvc\.lock|README|params\.(yaml|json)|p\.(toml|py))$|\.dvc$|^\.dvc/|^\.git/")
AVOIDED = set()


class Scene:
    def __init__(self, root, manifest, chance, number):
        self.root, self.chance, self.number = root, chance, number
        self.stages = manifest.get("stages") or {}
        self.text = self.read("dvc.yaml")
        self.files = []
        for folder, below, names in os.walk(root):
            here = os.path.relpath(folder, root)
            if here == ".":
                below[:] = [n for n in below if n not in (".git", ".dvc")]
            below.sort()
            self.files += [os.path.normpath(f"{here}/{n}") for n in sorted(names)]
        self.data = [n for n in self.files if not META.search(n)]
        self.pointers = [n for n in self.files if n.endswith(".dvc") and not n.startswith(".dvc/")]

    def read(self, path):
        try:
            with open(f"{self.root}/{path}", encoding="utf-8") as file:
                return file.read()
        except (OSError, UnicodeDecodeError):
            return ""

    def pick(self, things):
        things = list(things)
        return self.chance.choice(things) if things else None

    def outputs(self):
        """Path → what the manifest says of it, of stages without templates."""
        found = {}
        for name, stage in self.stages.items():
            if not isinstance(stage, dict):
                continue
            for kind in ("outs", "metrics", "plots"):
                for entry in stage.get(kind) or []:
                    for path in entry if isinstance(entry, dict) else [entry]:
                        found[str(path)] = name
        return found

    def tracked(self):
        return [p[:-4] for p in self.pointers]

    def sources(self):
        """Data files that no stage of the root writes."""
        made = self.outputs()
        return [n for n in self.data if not any(n == o or n.startswith(o + "/") for o in made) and not re.match(r"(each|grid)_|sub/|work/", n)]

    def names(self):
        """Stage names as a person gives them to a command."""
        found = []
        for name, stage in self.stages.items():
            if not isinstance(stage, dict):
                continue
            if isinstance(stage.get("foreach"), list):
                found += [f"{name}@{item}" for item in stage["foreach"]] + [name]
            elif isinstance(stage.get("matrix"), dict):
                axes = stage["matrix"].values()
                found += [f"{name}@{'-'.join(map(str, values))}" for values in itertools.product(*axes)] + [name]
            else:
                found.append(name)
        return found + ["sub/dvc.yaml:inner", "sub/dvc.yaml:away", "sub/dvc.yaml"]

    def fresh(self, kind):
        """Text that nothing had before."""
        lines = "\n".join(self.pick(["pear", "fig", "plum", "é", "x y"]) for _ in range(self.chance.randrange(1, 6)))
        return f"{kind} {self.number}\n{lines}\n"


# Edits of data

def edit(scene):
    path = scene.pick(scene.data)
    return path and [("write", path, scene.fresh("edited"))]


def edit_source(scene):
    path = scene.pick(scene.sources())
    return path and [("write", path, scene.fresh("source"))]


def append(scene):
    path = scene.pick(scene.data)
    return path and [("write", path, scene.read(path) + f"more {scene.number}\n")]


def same_again(scene):
    """The same bytes with a new time."""
    path = scene.pick(scene.data)
    return path and [("write", path, scene.read(path))]


def delete(scene):
    path = scene.pick(scene.data)
    return path and [("delete", path)]


def delete_output(scene):
    path = scene.pick(p for p in scene.outputs() if os.path.lexists(f"{scene.root}/{p}"))
    return path and [("delete", path)]


def delete_and_back(scene):
    """A deleted folder or file that is checked out again."""
    path = scene.pick(p for p in scene.tracked() if os.path.lexists(f"{scene.root}/{p}"))
    return path and [("delete", path), ("tool", ["checkout", "-q", path + ".dvc"])]


def rename(scene):
    path = scene.pick(n for n in scene.data if "/" in n and not n.startswith(("sub/", "work/")))
    return path and [("rename", path, f"{os.path.dirname(path)}/moved{scene.number}.txt")]


def new_file(scene):
    folder = scene.pick({os.path.dirname(n) for n in scene.sources() if os.path.dirname(n)})
    name = scene.pick([f"new{scene.number}.txt", f"ü {scene.number}.txt", f"deep{scene.number}/x.txt", f"skip{scene.number}.tmp"])
    return folder and [("write", f"{folder}/{name}", scene.fresh("new"))]


def executable(scene):
    path = scene.pick(scene.tracked())
    if not path or not os.path.isfile(f"{scene.root}/{path}") or os.path.islink(f"{scene.root}/{path}"):
        return None
    return [("mode", path, scene.pick([0o755, 0o644]))]


# Parameters

def edit_params(scene):
    which, number = scene.chance.randrange(10), scene.chance.randrange(1, 6)
    if which == 0:
        return [("write", "params.json", '{\n  "depth": %s,\n  "name": "base"\n}\n' % scene.pick([number, f"{number}.0", f'"{number}"', "null"]))]
    if which == 1:
        return [("write", "p.toml", f'rate = 0.5\n\n[net]\nwidth = {number}\nkind = "wide"\n')]
    if which == 2:
        return [("write", "p.py", f'ALPHA = {number}\nTHRESHOLD: float = 0.25\n\n\nclass Train:\n    BATCH = {number * 8}\n    NAMES = ["a", "b"]\n')]
    text = scene.read("params.yaml")
    if which == 3:
        return [("write", "params.yaml", text + f"extra{scene.number}: {number}\n")]
    if which == 4:
        return [("write", "params.yaml", re.sub(r"layers: .*", f"layers: [{number}, {{a: {number}}}]", text))]
    if which in (5, 6):
        return [("write", "params.yaml", re.sub(r"epochs: .*", f"epochs: {number}", text))]
    value = scene.pick([f"0.{number}", f"{number}e-05", "1e10", f"{number}", "true", "'1'", ".inf"])
    return [("write", "params.yaml", re.sub(r"(?m)^lr: .*", f"lr: {value}", text))]


# Manifests, as text

def block(text, name):
    """Where the entry of a stage begins and ends in the manifest's text."""
    found = re.search(rf"(?m)^  {re.escape(name)}:\n(?:    .*\n|\n)*", text)
    return found and found.span()


def change_block(scene, name, change):
    span = block(scene.text, name)
    if not span:
        return None
    old = scene.text[span[0]:span[1]]
    new = change(old)
    return None if new == old else [("write", "dvc.yaml", scene.text[:span[0]] + new + scene.text[span[1]:])]


def change_command(scene):
    name = scene.pick(scene.stages)
    return name and change_block(scene, name, lambda b: re.sub(r"echo v\d+", f"echo v{scene.chance.randrange(1, 5)}", b))


def add_dependency(scene):
    name, path = scene.pick(scene.stages), scene.pick(scene.tracked() + scene.sources())
    if not name or not path or not os.path.lexists(f"{scene.root}/{path}"):
        return None
    return change_block(scene, name, lambda b: b if path in b else re.sub(r"(?m)^( +)deps:\n", rf"\1deps:\n\1- {path}\n", b, count=1))


def drop_dependency(scene):
    name = scene.pick(n for n in scene.stages if n not in ("clean", "tree"))

    def change(text):
        found = re.search(r"(?m)^ +deps:\n((?: +- .*\n)+)", text)
        lines = found.group(1).splitlines(True) if found else []
        if len(lines) < 2:
            return text
        lines.pop(scene.chance.randrange(len(lines)))
        return text[:found.start(1)] + "".join(lines) + text[found.end(1):]

    return name and change_block(scene, name, change)


def toggle_cache(scene):
    name = scene.pick(n for n in scene.stages if n not in ("train", "kept"))

    def change(text):
        if re.search(r":\n +cache: false\n", text):
            return re.sub(r"(?m)^( +- [^\n]*):\n +cache: false\n", r"\1\n", text, count=1)
        return re.sub(r"(?m)^( +)outs:\n( +- [^\n:]+)\n", r"\1outs:\n\2:\n\1    cache: false\n", text, count=1)

    acts = name and change_block(scene, name, change)
    # DVC runs a stage and then refuses an output that Git has, with the workspace half done.
    paths = [path for path, stage in scene.outputs().items() if stage == name]
    return acts and acts + [("git", ["rm", "-q", "-r", "--cached", "--ignore-unmatch", *paths])]


def more_items(scene):
    item = scene.pick("cdefg")
    kind = scene.chance.randrange(3)
    if kind == 0:
        return change_block(scene, "each", lambda b: b if f"    - {item}\n" in b else b.replace("    foreach:\n", f"    foreach:\n    - {item}\n", 1))
    if kind == 1:
        return change_block(scene, "grid", lambda b: re.sub(r"x: \[.*\]", f"x: [1, {scene.chance.randrange(2, 5)}]", b))
    return change_block(scene, "each", lambda b: b if b.count("\n    - ") < 2 else re.sub(r"    foreach:\n    - \w+\n", "    foreach:\n", b, count=1))


def add_parameter(scene):
    key = scene.pick(["seed", "size", "train", "items", "lr"])
    return change_block(scene, "train", lambda b: b if f"    - {key}\n" in b else b.replace("    params:\n", f"    params:\n    - {key}\n", 1))


def comment(scene):
    return [("write", "dvc.yaml", scene.text.rstrip("\n") + f"\n# note {scene.number}\n")]


def edit_inner(scene):
    text = scene.read("sub/dvc.yaml")
    return text and [("write", "sub/dvc.yaml", re.sub(r"echo v\d+", f"echo v{scene.chance.randrange(1, 5)}", text))]


# Commands

def tool(*words):
    return ("tool", list(words))


def add(scene):
    kind = scene.chance.randrange(8)
    if kind < 3:
        path = scene.pick(p for p in scene.tracked() if os.path.lexists(f"{scene.root}/{p}"))
    elif kind < 5:
        path = scene.pick(n for n in scene.data for t in scene.tracked() if n.startswith(t + "/"))
    elif kind < 6:
        return [("write", f"more/{scene.number}.txt", scene.fresh("more")), tool("add", "-q", f"more/{scene.number}.txt")]
    else:
        path = scene.pick(n for n in scene.sources())
    return path and [tool("add", "-q", path)]


def add_folder(scene):
    name = f"folder{scene.number % 5}"
    return [("write", f"{name}/{n}.txt", scene.fresh(n)) for n in "abc"] + [tool("add", "-q", name)]


def add_uncommitted(scene):
    path = scene.pick(p for p in scene.tracked() if os.path.lexists(f"{scene.root}/{p}"))
    return path and [tool("add", "-q", "--no-commit", path)]


def repro(scene):
    return [tool("repro", *(["-q"] if scene.chance.random() < 0.5 else []))]


def repro_all(scene):
    return [tool("repro", "-P")]


def repro_target(scene):
    return [tool("repro", scene.pick(scene.names() + scene.pointers))]


def repro_flag(scene):
    flags = scene.pick([
        ["-f"], ["-s"], ["-s", "-f"], ["--no-commit"], ["--no-run-cache"], ["--downstream"], ["-p"], ["--force-downstream"], ["-k"],
        ["--dry"], ["-R", "sub"], ["--allow-missing"], ["--pull"], ["--glob", "e*"],
    ])
    if flags[0] in ("-R", "--glob"):
        return [tool("repro", *flags)]
    needs = flags[0] in ("-s", "--downstream")
    return [tool("repro", *flags, *([scene.pick(scene.names())] if needs or scene.chance.random() < 0.5 else []))]


def commit(scene):
    return [tool("commit", "-q", "-f", *([scene.pick(scene.names() + scene.pointers)] if scene.chance.random() < 0.5 else []))]


def checkout(scene):
    flags = scene.pick([["-f"], ["-f"], [], ["-f", "--relink"], ["--allow-missing", "-f"], ["-f", "-R", "sub"]])
    return [tool("checkout", "-q", *flags)]


def checkout_target(scene):
    target = scene.pick(scene.names() + scene.pointers + list(scene.outputs()) + scene.tracked())
    return [tool("checkout", "-q", "-f", target)]


def checkout_inside(scene):
    path = scene.pick(n for n in scene.data for t in scene.tracked() if n.startswith(t + "/"))
    return path and [("delete", path), tool("checkout", "-q", path)]


def gc(scene):
    return [tool("gc", "-q", "-f", *scene.pick([["-w"], ["-a"], ["-T", "-w"], ["-A"], ["-a", "-w"], ["-w", "--dry"]]))]


def git_commit(scene):
    return [("git", ["add", "-A"]), ("git", ["commit", "-q", "-m", f"step {scene.number}"])]


def git_branch(scene):
    return git_commit(scene) + [("git", ["checkout", "-q", "-b", f"branch{scene.number}"])]


def git_switch(scene):
    listed = subprocess.run(["git", "branch", "--format", "%(refname:short)"], cwd=scene.root, capture_output=True, text=True).stdout.split()
    branch = scene.pick(sorted(listed))
    return git_commit(scene) + [("git", ["checkout", "-q", branch])] + ([tool("checkout", "-q", "-f")] if scene.chance.random() < 0.9 else [])


def stage_add(scene):
    name, dep = f"made{scene.number}", scene.pick(scene.sources() + list(scene.outputs()))
    if not dep or not os.path.lexists(f"{scene.root}/{dep}") or "'" in dep:
        return None
    kind = scene.pick(["-o", "-O", "--outs-persist", "-m", "-M", "--plots"])
    more = scene.pick([[], ["-p", "lr"], ["-p", "params.json:depth,name", "-p", "lr,seed"], ["--desc", "made here"], ["--run"]])
    return [tool("stage", "add", "-n", name, "-d", dep, kind, f"out{scene.number}.txt", *more, f"ls -d '{dep}' > out{scene.number}.txt")]


def freeze(scene):
    """DVC refuses groups and stages with `${…}` here, `pipe` does not."""
    single = [n for n, stage in scene.stages.items() if isinstance(stage, dict) and "cmd" in stage and "matrix" not in stage and "${" not in str(stage)]
    return [tool(scene.pick(["freeze", "unfreeze", "unfreeze"]), scene.pick(single + scene.pointers + ["sub/dvc.yaml:inner"]))]


def unfreeze_all(scene):
    frozen = [n for n, s in scene.stages.items() if isinstance(s, dict) and s.get("frozen") and "${" not in str(s)]
    return frozen and [tool("unfreeze", *frozen)]


def move(scene):
    path = scene.pick(p for p in scene.tracked() if p.startswith(("more/", "folder", "images")) and os.path.lexists(f"{scene.root}/{p}"))
    return path and [tool("move", path, scene.pick([f"folder{scene.number % 7}x", f"more/m{scene.number}"]))]


def remove(scene):
    target = scene.pick([p for p in scene.pointers if p.startswith(("more/", "folder"))] + [n for n in scene.stages if n.startswith("made")])
    return target and [tool("remove", *scene.pick([[], [], ["--outs"]]), target)]


def unprotect(scene):
    path = scene.pick(p for p in [*scene.tracked(), *scene.outputs()] if os.path.lexists(f"{scene.root}/{p}"))
    return path and [tool("unprotect", path)]


def push(scene):
    return [tool("push", *scene.pick([[], [], ["-a"], ["-T"], ["--run-cache"], [scene.pick(scene.names() + scene.pointers)]]))]


def pull(scene):
    return [tool("pull", *scene.pick([[], ["-f"], ["-f", "--allow-missing"], ["-f", "--run-cache"], [scene.pick(scene.names() + scene.pointers)]]))]


def fetch(scene):
    return [tool("fetch", *scene.pick([[], ["-a"], ["--run-cache"], [scene.pick(scene.names() + scene.pointers)]]))]


def lose_and_pull(scene):
    """All is pushed, all objects are lost, all is pulled."""
    return [tool("push")] + [("drop-object", os.path.relpath(f"{folder}/{name}", scene.root))
                                   for folder, _, names in os.walk(f"{scene.root}/.dvc/cache/files") for name in sorted(names)] + [tool("pull", "-f")]


WEIGHTS = [
    (edit, 6), (edit_source, 8), (append, 3), (same_again, 2), (delete, 4), (delete_output, 3), (delete_and_back, 2), (rename, 3), (new_file, 5),
    (executable, 1), (edit_params, 8),
    (change_command, 5), (add_dependency, 3), (drop_dependency, 2), (toggle_cache, 3), (more_items, 4), (add_parameter, 1), (comment, 1), (edit_inner, 2),
    (add, 8), (add_folder, 2), (add_uncommitted, 1), (repro, 14), (repro_all, 8), (repro_target, 6), (repro_flag, 8), (commit, 5),
    (checkout, 5), (checkout_target, 4), (checkout_inside, 2), (gc, 4), (git_commit, 3), (git_branch, 2), (git_switch, 4),
    (stage_add, 3), (freeze, 3), (unfreeze_all, 2), (move, 2), (remove, 3), (unprotect, 1), (push, 3), (pull, 3), (fetch, 2), (lose_and_pull, 1),
]


def choose(scene):
    """A name and the acts of an operation that the scene has a use for."""
    while True:
        operation = scene.chance.choices([o for o, _ in WEIGHTS], [w for _, w in WEIGHTS])[0]
        if operation.__name__ in AVOIDED:
            continue
        acts = operation(scene)
        if acts:
            return operation.__name__, acts
