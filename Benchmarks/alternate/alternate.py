#!/usr/bin/env python3
# Random operations on one project by `dvc` and `pipe` in turn, beside a shadow project where DVC alone does every step.
# SPDX-License-Identifier: Apache-2.0
"""Usage: Benchmarks/alternate/alternate.py --pipe FILE --dvc FILE [--seeds 1-10] [--steps 500]

After each step both projects must have the same status, manifests, locks, pointers, ignore files, workspace, cache, run cache
and remote, byte for byte. See README.md beside this file for what is compared and which deviations are wanted.
"""
import argparse, hashlib, json, os, random, re, shutil, stat, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import operations, project

HERE = os.path.dirname(os.path.abspath(__file__))


class Difference(Exception):
    pass


class Peer:
    """DVC in a warm Python process."""

    def __init__(self, python, env):
        self.process = subprocess.Popen(
            [python, f"{HERE}/peer.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True)

    def ready(self):
        if not self.process.stdout.readline():
            sys.exit("the peer did not start")

    def send(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def answer(self):
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Side:
    """One of the two projects, with a home, a remote and a cache of hashes of its own."""

    def __init__(self, base, name, peer):
        self.name, self.peer = name, peer
        self.folder = f"{base}/{name}"
        self.root = f"{self.folder}/project"
        os.makedirs(self.root)
        os.makedirs(f"{self.folder}/home/config/dvc")
        os.makedirs(f"{self.folder}/tmp")
        with open(f"{self.folder}/home/.gitconfig", "w") as file:
            file.write("[user]\n\tname = test\n\temail = test@example.org\n[init]\n\tdefaultBranch = main\n[core]\n\tautocrlf = false\n[gc]\n\tauto = 0\n[advice]\n\tdetachedHead = false\n")
        home = f"{self.folder}/home"
        self.env = {
            "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": home, "XDG_CONFIG_HOME": f"{home}/config", "SHELL": "/bin/sh",
            "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": f"{home}/site", "DVC_GLOBAL_CONFIG_DIR": f"{home}/config/dvc",
            "DVC_SYSTEM_CONFIG_DIR": f"{home}/system", "TMPDIR": f"{self.folder}/tmp",
            "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
        }
        with open(f"{home}/config/dvc/config", "w") as file:
            file.write("[core]\n    analytics = false\n    check_update = false\n")

    def begin(self, tool, words):
        """Starts a command; `end` waits for it."""
        out, err = f"{self.folder}/out", f"{self.folder}/err"
        if tool == "dvc":
            self.peer.send({"run": words, "cwd": self.root, "env": self.env, "out": out, "err": err})
            return self.peer
        with open(out, "wb") as outs, open(err, "wb") as errs:
            return subprocess.Popen([tool, *words], cwd=self.root, env=self.env, stdin=subprocess.DEVNULL, stdout=outs, stderr=errs)

    def end(self, started):
        if started is self.peer:
            code = self.peer.answer()["code"]
        else:
            try:
                code = started.wait(timeout=120)
            except subprocess.TimeoutExpired:
                started.kill()
                code = started.wait()
                with open(f"{self.folder}/err", "a") as file:
                    file.write("\nkilled after 120 s\n")
        with open(f"{self.folder}/out", errors="replace") as outs, open(f"{self.folder}/err", errors="replace") as errs:
            return code, outs.read(), errs.read()

    def run(self, tool, words):
        return self.end(self.begin(tool, words))

    def git(self, words):
        done = subprocess.run(["git", *words], cwd=self.root, env=self.env, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def apply(self, edit):
        """One edit of the workspace, the same on both sides: (kind, path, …)."""
        kind, path = edit[0], f"{self.root}/{edit[1]}"
        if kind == "write":
            os.makedirs(os.path.dirname(path), exist_ok=True)
            # A new file takes the place of the old one: writing through a link would damage the cache.
            mode = stat.S_IMODE(os.stat(path).st_mode) | 0o600 if os.path.exists(path) else 0o644
            with open(f"{path}.new~", "w", encoding="utf-8") as file:
                file.write(edit[2])
            os.chmod(f"{path}.new~", mode)
            os.rename(f"{path}.new~", path)
        elif kind == "delete":
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.remove(path)
        elif kind == "rename":
            os.makedirs(os.path.dirname(f"{self.root}/{edit[2]}"), exist_ok=True)
            os.rename(path, f"{self.root}/{edit[2]}")
        elif kind == "mode":
            if os.lstat(path).st_nlink == 1 and not os.path.islink(path):
                os.chmod(path, edit[2])
        elif kind == "drop-object":
            os.remove(path)
        else:
            raise ValueError(kind)


def walk(root, skip=()):
    """Relative path → os.DirEntry of everything but folders below `root`."""
    found, folders = {}, [""]
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.scandir(f"{root}/{folder}"))
        except FileNotFoundError:
            continue
        for entry in entries:
            name = f"{folder}{entry.name}"
            if name in skip:
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(name + "/")
            else:
                found[name] = entry
    return found


class Contents:
    """What a project holds, as values that two projects must share."""

    def __init__(self, side, memory, linked):
        self.values = {}
        # With links the workspace's file is the object, and DVC makes it 0444 or executable as the last command had it.
        bits = 0 if linked else 0o111
        for name, entry in walk(side.root, skip=(".git", ".dvc/tmp", ".dvc/cache")).items():
            info = entry.stat(follow_symlinks=False)
            if stat.S_ISLNK(info.st_mode):
                target = os.readlink(entry.path).replace(side.root, "ROOT")
                self.values["workspace/" + name] = f"link to {target}"
            else:
                self.values["workspace/" + name] = f"{'x' if info.st_mode & bits else '-'} {self.text(entry, info, memory)}"
        for name, entry in walk(f"{side.root}/.dvc/cache").items():
            info = entry.stat(follow_symlinks=False)
            if name.startswith("files/"):
                self.values["cache/" + name] = f"{stat.S_IMODE(info.st_mode) & (0o666 | bits):o} {self.text(entry, info, memory)}"
            elif name.startswith("runs/"):
                self.values["cache/" + name] = self.text(entry, info, memory)
            else:
                self.values["cache/" + name] = "a stranger"
        for name, entry in walk(f"{side.folder}/remote").items():
            info = entry.stat(follow_symlinks=False)
            self.values["remote/" + name] = self.text(entry, info, memory)

    def text(self, entry, info, memory):
        key = (entry.path, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
        if key not in memory:
            with open(entry.path, "rb") as file:
                content = file.read()
            memory[key] = repr(content) if len(content) < 200 else hashlib.md5(content).hexdigest()
        return memory[key]


def differing(mixed, shadow, roots, limit=12):
    lines = []
    for name in sorted({*mixed, *shadow}):
        if mixed.get(name) != shadow.get(name):
            lines.append(f"  {name}: mixed {mixed.get(name)} shadow {shadow.get(name)}")
            if name.startswith("workspace/") and re.search(r"(dvc\.lock|dvc\.yaml|\.dvc|\.gitignore|/config)$", name):
                pair = [f"{root}/{name[len('workspace/'):]}" for root in roots]
                if all(map(os.path.exists, pair)):
                    lines.append(subprocess.run(["diff", "-u", *pair], capture_output=True, text=True).stdout)
    if len(lines) > limit:
        lines[limit:] = [f"  … and {len(lines) - limit} more"]
    return "\n".join(lines)


def said_by_both(mixed, shadow):
    """Objects that are nowhere: DVC warns and ends with 0, `pipe` calls the push or fetch incomplete."""
    return re.search("could not be (pushed|fetched)", mixed[2]) and "Some of the cache files do not exist" in shadow[2]


class Alternation:
    def __init__(self, base, seed, options, peers):
        self.base, self.seed, self.options = base, seed, options
        self.memory = ({}, {})
        self.mixed, self.shadow = Side(base, "mixed", peers[0]), Side(base, "shadow", peers[1])
        self.sides = (self.mixed, self.shadow)
        self.log = open(f"{base}/log", "w")
        self.counts = {}

    def both(self, words, tool):
        """The same command on both sides at once: `tool` in the mixed project, DVC in the shadow."""
        started = [(self.mixed, self.mixed.begin(tool, words)), (self.shadow, self.shadow.begin("dvc", words))]
        return [side.end(one) for side, one in started]

    def start(self):
        chance = random.Random(f"{self.seed}/start")
        kind = ("copy", "hardlink", "copy", "symlink", "copy")[self.seed % 5]
        self.linked = kind != "copy"
        for side in self.sides:
            for path, text in project.files(self.linked).items():
                side.apply(("write", path, text))
            side.git(["init", "-q"])
        setup = [["init", "-q"], ["remote", "add", "-q", "-d", "store", "../remote"]]
        if self.linked:
            setup.append(["config", "cache.type", kind])
        if self.seed % 3 == 0:
            setup.append(["config", "core.autostage", "true"])
        for words in setup:
            self.both(words, "dvc")
        for side in self.sides:
            side.apply(("write", ".dvcignore", "*.tmp\n"))
        setup = [["add", "-q", "raw.txt", "data", "images"], ["repro", "-q", "-P"]]
        for words in setup:
            answers = self.both(words, "dvc")
            if any(answer[0] for answer in answers):
                raise SystemExit(f"the beginning failed: {words}: {answers}")
        for side in self.sides:
            side.git(["add", "-A"])
            side.git(["commit", "-q", "-m", "begin"])
        self.say(f"seed {self.seed}: cache.type {kind}")
        self.compare(0)

    def say(self, text):
        self.log.write(text + "\n")
        self.log.flush()
        if self.options.verbose:
            print(text, flush=True)

    def step(self, number):
        chance = random.Random(f"{self.seed}/{number}")
        self.shadow.peer.send({"load": f"{self.shadow.root}/dvc.yaml"})
        manifest = self.shadow.peer.answer()["value"] or {}
        scene = operations.Scene(self.shadow.root, manifest, chance, number)
        name, acts = operations.choose(scene)
        tool = self.options.pipe if chance.random() < self.options.share else "dvc"
        word = "dvc" if tool == "dvc" else "pipe"
        self.say(f"step {number} {name} [{word}] {acts}")
        self.counts[name] = self.counts.get(name, 0) + 1
        for act in acts:
            if act[0] == "tool":
                mixed, shadow = self.both(list(act[1]), tool)
                self.say(f"  {' '.join(act[1])} → mixed {mixed[0]} shadow {shadow[0]}")
                if (mixed[0] == 0) != (shadow[0] == 0) and self.checking(number) and not said_by_both(mixed, shadow):
                    raise Difference(
                        f"`{word} {' '.join(act[1])}` ends with {mixed[0]}, dvc in the shadow with {shadow[0]}\n"
                        f"--- {word}\n{mixed[1][-1500:]}{mixed[2][-1500:]}\n--- shadow\n{shadow[1][-1500:]}{shadow[2][-1500:]}")
                if "unexpected error" in shadow[2]:
                    self.say("  DVC failed with an error of its own: " + shadow[2].strip().splitlines()[-1])
            elif act[0] == "git":
                codes = [side.git(list(act[1]))[0] for side in self.sides]
                if codes[0] != codes[1] and self.checking(number):
                    raise Difference(f"git {act[1]} ends with {codes}")
            else:
                for side in self.sides:
                    side.apply(act)
        if self.checking(number):
            self.compare(number)

    def checking(self, number):
        return number >= self.options.start

    def compare(self, number):
        """The shadow's own status follows from equal contents: it is asked now and then, to prove that."""
        words = ["status", "--json"]
        contents = [self.contents(side) for side in (0, 1)]
        if self.take_stale(*contents):
            contents[0] = self.contents(0)
        if contents[0] != contents[1] and not self.differ_in_spelling(*contents):
            raise Difference("the projects differ:\n" + differing(*contents, [side.root for side in self.sides]))
        if number % 10 == 0:
            mixed, shadow = map(self.status, self.both(words, "dvc"))
            if mixed != shadow:
                raise Difference(f"`dvc status` differs:\n  mixed  {mixed}\n  shadow {shadow}")
        if self.options.share > 0:
            ours = self.mixed.run(self.options.pipe, words)
            after = self.contents(0)
            if after != contents[0]:
                raise Difference("`pipe status` changed something:\n" + differing(after, contents[0], [side.root for side in self.sides]))
            theirs = self.status(self.mixed.run("dvc", words))
            if self.status(ours) != theirs:
                raise Difference(f"`pipe status` differs from DVC's:\n  pipe {self.status(ours)}\n  dvc  {theirs}\n{ours[2][-1000:]}")

    def take_stale(self, mixed, shadow):
        """Takes away data that no stage names any more and that DVC removed by its database of links, which is outside the project."""
        stale = [name for name in mixed if name.startswith("workspace/") and name not in shadow]
        paths = [name.removeprefix("workspace/") for name in stale]
        if not stale or any(self.mixed.git(["check-ignore", "-q", path])[0] for path in paths):
            return False
        for path in paths:
            self.say(f"  stale: {path}")
            os.remove(f"{self.mixed.root}/{path}")
            folder = os.path.dirname(path)
            while folder and not os.listdir(f"{self.mixed.root}/{folder}"):
                os.rmdir(f"{self.mixed.root}/{folder}")
                folder = os.path.dirname(folder)
        return True

    def differ_in_spelling(self, mixed, shadow):
        """Whether nothing differs but how manifests are written: DVC writes the whole file anew, `pipe` keeps what a person wrote."""
        names = [name for name in {*mixed, *shadow} if mixed.get(name) != shadow.get(name)]
        return all(name.endswith("/dvc.yaml") and self.value(self.mixed, name) == self.value(self.shadow, name) for name in names)

    def value(self, side, name):
        side.peer.send({"load": f"{side.root}/{name.removeprefix('workspace/')}"})
        value = side.peer.answer()["value"]
        for stage in (value or {}).get("stages", {}).values():
            for key in stage:
                if key in ("deps", "outs", "metrics", "plots", "params") and isinstance(stage[key], list):
                    stage[key].sort(key=json.dumps)
        return json.dumps(value)

    def contents(self, number):
        memory = self.memory[number]
        if len(memory) > 20000:
            memory.clear()
        return Contents(self.sides[number], memory, self.linked).values

    def status(self, answer):
        """The value that `status --json` printed, or that it failed."""
        code, out, err = answer
        if code != 0:
            return "failed"
        try:
            return json.loads(out)
        except ValueError:
            return f"no JSON: {out[-300:]} {err[-300:]}"

    def heal(self):
        """Makes the mixed project a copy of the shadow, to go on after a difference."""
        for name in ("project", "remote"):
            source, target = f"{self.shadow.folder}/{name}", f"{self.mixed.folder}/{name}"
            subprocess.run(["chmod", "-R", "u+w", target], stderr=subprocess.DEVNULL)
            shutil.rmtree(target, ignore_errors=True)
            if os.path.exists(source):
                subprocess.run(["cp", "-a", source, target], check=True)
        for entry in walk(self.mixed.root).values():
            if entry.is_symlink():
                link = os.readlink(entry.path)
                os.remove(entry.path)
                os.symlink(link.replace(self.shadow.root, self.mixed.root), entry.path)

    def close(self):
        self.log.close()


def start_peers(python):
    """One for each side. A home of their own keeps them from the settings of who runs the test."""
    home = tempfile.mkdtemp(prefix="alternate-home-")
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": home, "XDG_CONFIG_HOME": home, "DVC_NO_ANALYTICS": "1",
           "DVC_SITE_CACHE_DIR": f"{home}/site", "DVC_GLOBAL_CONFIG_DIR": home, "DVC_SYSTEM_CONFIG_DIR": home, "TMPDIR": home}
    peers = [Peer(python, env) for _ in range(2)]
    for peer in peers:
        peer.ready()
    shutil.rmtree(home)
    return peers


def one_seed(seed, options, peers):
    base = tempfile.mkdtemp(prefix=f"alternate-{seed}-", dir=options.folder)
    alternation = Alternation(base, seed, options, peers)
    start, number, differences = time.monotonic(), 0, 0
    try:
        alternation.start()
        for number in range(1, options.steps + 1):
            try:
                alternation.step(number)
            except Difference as difference:
                differences += 1
                report(difference, seed, number, base, options)
                if not options.heal:
                    return False
                alternation.heal()
            if options.progress and number % options.progress == 0:
                print(f"seed {seed}: {number} steps, {number / (time.monotonic() - start):.1f} a second", flush=True)
    except Difference as difference:
        report(difference, seed, 0, base, options)
        return False
    finally:
        alternation.close()
    seconds = time.monotonic() - start
    counts = ", ".join(f"{name} {count}" for name, count in sorted(alternation.counts.items()))
    found = f"{differences} differences" if differences else "without a difference"
    print(f"seed {seed}: {number} steps, {found}, {number / seconds:.1f} a second ({counts})", flush=True)
    if not options.keep:
        subprocess.run(["rm", "-rf", base])
    return differences == 0


def report(difference, seed, number, base, options):
    print(f"DIFFERENCE seed {seed} step {number} in {base}\n{difference}")
    with open(f"{base}/log") as file:
        tail = file.read().splitlines()
    print("\n".join(["last steps:"] + [line[:200] for line in tail[-options.tail:]]))
    print(f"replay: --seeds {seed} --steps {number} --from {number}\n", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipe", default="pipe", help="the program; `dvc` for DVC on both sides, which proves the test itself")
    parser.add_argument("--dvc", default="dvc", help="DVC's program, in whose folder its Python is")
    parser.add_argument("--seeds", default="1-10", help="`3`, `1-10` or `2,5`")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--from", dest="start", type=int, default=0, help="compare from this step on")
    parser.add_argument("--share", type=float, default=0.5, help="part of the steps that `pipe` does")
    parser.add_argument("--folder", default="/dev/shm" if os.path.isdir("/dev/shm") else None, help="where the projects are made")
    parser.add_argument("--go-on", action="store_true", help="go on with the next seed after a difference")
    parser.add_argument("--heal", action="store_true", help="go on with the same seed after a difference, the mixed project made anew")
    parser.add_argument("--avoid", default="", help="operations to leave out, by name, with commas between")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--progress", type=int, default=100)
    parser.add_argument("--tail", type=int, default=12, help="lines of the log to print after a difference")
    options = parser.parse_args()
    dvc = os.path.abspath(shutil.which(options.dvc) or sys.exit(f"no program `{options.dvc}`"))
    options.python = f"{os.path.dirname(dvc)}/python"
    if options.pipe != "dvc":
        options.pipe = os.path.abspath(shutil.which(options.pipe) or sys.exit(f"no program `{options.pipe}`"))
    operations.AVOIDED.update(filter(None, options.avoid.split(",")))
    seeds = []
    for part in options.seeds.split(","):
        first, _, last = part.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    failed = 0
    peers = start_peers(options.python)
    for seed in seeds:
        if not one_seed(seed, options, peers):
            failed += 1
            if not options.go_on:
                break
    for peer in peers:
        peer.close()
    sys.exit(1 if failed else 0)


main()
