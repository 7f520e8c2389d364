#!/usr/bin/env python3
# Kills `pipe` at random moments, lets its n-th write fail, fills its disk; then checks the invariants and that a plain rerun ends right.
# SPDX-License-Identifier: Apache-2.0
"""Usage: Benchmarks/faults/faults.py --pipe FILE [--kills 200] [--dialect dvc|native|both] [--only repro,gc] [--faults kill,stop,once,from,full]

Faults: `kill` SIGKILL after a random time; `stop` SIGKILL at each of the calls that change a file system; `once` one such call
fails with ENOSPC; `from` that call and all after it fail; `full` a tmpfs of too few bytes (needs root). The table is Markdown.
"""
import argparse, collections, glob, hashlib, json, os, random, re, shutil, signal, struct, subprocess, sys, tempfile, time, uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from processes import NAME, alive

# Every command is a pure function of what its stage declares; some take a moment, so that kills meet running ones.
MANIFEST = """\
stages:
  sort:
    cmd: LC_ALL=C sort raw.txt > sorted.txt
    deps: [raw.txt]
    outs: [sorted.txt]
  tree:
    cmd: mkdir -p tree/below && for f in data/*.txt; do sed s/row/line/ $f > tree/below/$(basename $f) || exit 1; done
    deps: [data]
    outs: [tree]
  slow:
    cmd: sleep 0.1; (cat raw.txt; echo STEP) > slow.txt
    deps: [raw.txt]
    params: [step]
    outs: [slow.txt]
  score:
    cmd: echo "{\\"n\\":$(cat tree/below/* | wc -l)}" > score.json
    deps: [tree]
    metrics:
    - score.json:
        cache: false
  big:
    cmd: head -c 300000 /dev/zero | tr '\\\\0' 'x' > big.txt; cat slow.txt >> big.txt
    deps: [slow.txt]
    outs: [big.txt]
  last:
    cmd: cat sorted.txt slow.txt score.json > last.txt
    deps: [sorted.txt, slow.txt, score.json]
    outs: [last.txt]
"""


class Wrong(Exception):
    pass


class Dialect:
    def __init__(self, name):
        self.name = name
        self.native = name == "native"
        self.manifest, self.lock = ("pipeline.yaml", "pipeline.lock") if self.native else ("dvc.yaml", "dvc.lock")
        self.pointer = ".pipe" if self.native else ".dvc"
        self.store = ".pipe/store" if self.native else ".dvc/cache/files/md5"
        self.state = ".pipe" if self.native else ".dvc/tmp/pipe"
        self.hash = hashlib.sha256 if self.native else hashlib.md5
        self.digest = re.compile(rf"\b([0-9a-f]{{{64 if self.native else 32}}}(?:\.dir)?)\b")


class Bench:
    def __init__(self, base, dialect, options):
        self.base, self.dialect, self.options = base, dialect, options
        self.env = {"PATH": os.environ["PATH"], "HOME": f"{base}/home", "LANG": "C.UTF-8", "SHELL": "/bin/sh", "GIT_CONFIG_NOSYSTEM": "1"}
        os.makedirs(f"{base}/home")
        with open(f"{base}/home/.gitconfig", "w") as file:
            file.write("[user]\n\tname = test\n\temail = test@example.org\n[init]\n\tdefaultBranch = main\n")

    def start(self, root, words, more={}):
        with open(f"{self.base}/log", "wb") as log:
            return subprocess.Popen([self.options.pipe, *words], cwd=root, env={**self.env, **more}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def run(self, root, words, more={}):
        process = self.start(root, words, more)
        try:
            return process.wait(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Wrong(f"`pipe {' '.join(words)}` hangs")

    def log(self):
        with open(f"{self.base}/log", errors="replace") as file:
            return file.read()

    def must(self, root, *words):
        if self.run(root, list(words)) != 0:
            sys.exit(f"cannot prepare: pipe {' '.join(words)} in {root}\n{self.log()}")

    def sources(self, place):
        root = f"{place}/project"
        os.makedirs(f"{root}/data")
        files = {"raw.txt": "pear\napple\nfig\n", "params.yaml": "step: 1\n", self.dialect.manifest: MANIFEST}
        for number in range(40):
            files[f"data/f{number:02}.txt"] = f"row {number}\n" * (number * 20 + 1)
        for name, text in files.items():
            with open(f"{root}/{name}", "w") as file:
                file.write(text)
        subprocess.run(["git", "init", "-q"], cwd=root, env=self.env, check=True)
        os.makedirs(f"{place}/remote")
        self.must(root, *(["init"] if self.dialect.native else ["init", "--dvc", "-q"]))
        with open(f"{root}/{self.dialect.manifest}", "w") as file:
            file.write(MANIFEST)
        self.must(root, "remote", "add", "-d", "store", "../remote")
        return root

    def git(self, root):
        for words in (["add", "-A"], ["commit", "-qm", "x"]):
            subprocess.run(["git", *words], cwd=root, env=self.env, check=True, stdout=subprocess.DEVNULL)


# A scenario: what is there before, and the command.

def step(root, number):
    with open(f"{root}/params.yaml", "w") as file:
        file.write(f"step: {number}\n")


def fresh(bench, place):
    bench.sources(place)


def built(bench, place):
    root = bench.sources(place)
    bench.must(root, "add", "data") if "add" in bench.options.can else None
    bench.must(root, "repro", "-q")
    return root


def emptied(bench, place):
    root = built(bench, place)
    for name in ("sorted.txt", "slow.txt", "big.txt", "last.txt"):
        os.remove(f"{root}/{name}")
    shutil.rmtree(f"{root}/tree")


def littered(bench, place):
    root = built(bench, place)
    for number in (2, 3, 4):
        step(root, number)
        bench.must(root, "repro", "-q")


def pushed(bench, place):
    root = built(bench, place)
    bench.must(root, "push")
    shutil.rmtree(f"{root}/{bench.dialect.store}")
    for name in ("sorted.txt", "slow.txt", "big.txt", "last.txt"):
        os.remove(f"{root}/{name}")
    shutil.rmtree(f"{root}/tree")


SCENARIOS = {
    "repro": (fresh, ["repro", "-j2"]),
    "add": (fresh, ["add", "data", "raw.txt"]),
    "checkout": (emptied, ["checkout"]),
    "gc": (littered, ["gc", "-w", "-f"]),
    "push": (built, ["push"]),
    "pull": (pushed, ["pull"]),
}


# What is seen of a project afterwards.

def files(root, skip=()):
    found = {}
    for folder, below, names in os.walk(root):
        here = os.path.relpath(folder, root)
        below[:] = [n for n in below if os.path.normpath(f"{here}/{n}") not in skip]
        for name in names:
            path = os.path.normpath(f"{here}/{name}")
            with open(f"{root}/{path}", "rb") as file:
                found[path] = file.read()
    return found


def name_of(path):
    """`ab/cdef.dir` → `abcdef.dir`; `None` for what is no object."""
    text = path.replace("/", "")
    return text if re.fullmatch(r"[0-9a-f]{32,64}(\.dir)?", text) else None


def objects(folder):
    return {name_of(path): content for path, content in files(folder).items() if name_of(path)} if os.path.isdir(folder) else {}


def listed(dialect, content):
    """Digests of the files of a tree."""
    text = content.decode()
    if dialect.native:
        return [line.split(" ")[0] for line in text.splitlines()[1:]]
    return [row["md5"] for row in json.loads(text)]


def blocks(text):
    """Stage → its part of a lock file."""
    return dict(re.findall(r"(?m)^  (\S+):\n((?:    .*\n?)*)", text))


class View:
    def __init__(self, bench, place):
        dialect, root = bench.dialect, f"{place}/project"
        self.dialect = dialect
        self.workspace = files(root, skip=(".git", ".pipe", ".dvc", "reports"))
        self.lock = self.workspace.get(dialect.lock, b"").decode()
        self.store = objects(f"{root}/{dialect.store}")
        self.remote = {k: v for k, v in files(f"{place}/remote").items() if not k.endswith(".tmp")}
        # Which stage ended first decides the order of entries and lines, and a fault changes that.
        for path in self.workspace:
            if path.endswith((dialect.lock, ".gitignore")):
                text = self.workspace[path].decode()
                parts = [f"{k}:{v}" for k, v in blocks(text).items()] if path.endswith(dialect.lock) else text.splitlines()
                self.workspace[path] = "\n".join(sorted(parts)).encode()
        self.strays = [p for p in self.workspace if p.endswith((".tmp", ".part", "~"))]
        self.traces = {}
        for path in glob.glob(f"{root}/{'.pipe/traces' if dialect.native else '.dvc/cache/runs'}/**", recursive=True):
            if os.path.isfile(path) and not path.endswith(".tmp"):
                with open(path) as file:
                    self.traces[os.path.basename(path)] = file.read()
        self.runs = {}
        for path in glob.glob(f"{root}/{dialect.state}/runs/*.json"):
            with open(path) as file:
                self.runs[os.path.basename(path)] = file.read()
        self.records = {os.path.basename(p).removesuffix(".json") for p in glob.glob(f"{root}/{dialect.state}/traces/*/*.json")}

    def kept(self, digests):
        """Digests that the store lacks, of these and of what their trees list."""
        lost = [d for d in digests if d not in self.store]
        for digest in digests:
            if digest.endswith(".dir") and digest in self.store:
                lost += [d for d in listed(self.dialect, self.store[digest]) if d not in self.store]
        return lost

    def outputs(self, text):
        return self.dialect.digest.findall(text.split("outs:", 1)[1]) if "outs:" in text else []


def check(bench, view, before, calm, scenario):
    """The five invariants of docs/design.md, and that nothing of a person's is lost."""
    dialect = bench.dialect
    for name, content in view.store.items():
        if dialect.hash(content).hexdigest() != name.removesuffix(".dir"):
            raise Wrong(f"invariant 1: object {name} holds other bytes")
    for path, content in view.remote.items():
        name = name_of("/".join(path.split("/")[-2:]))
        if name and "runs/" not in path and "trace" not in path and dialect.hash(content).hexdigest() != name.removesuffix(".dir"):
            raise Wrong(f"invariant 1: the remote's object {path} holds other bytes")
    if scenario not in ("gc", "pull"):
        for name, text in view.traces.items():
            digests = [out["sha256"] for out in json.loads(text)["entry"]["outs"]] if dialect.native else view.outputs(text)
            if lost := view.kept(digests):
                raise Wrong(f"invariant 2: trace {name} names {lost}, which the store lacks")
    allowed = [blocks(before.lock), blocks(calm.lock)]
    for stage, text in blocks(view.lock).items():
        if text not in [known.get(stage) for known in allowed]:
            raise Wrong(f"invariant 3: the lock file's entry of {stage} is of no finished stage:\n{text}")
    for name, text in view.runs.items():
        record = json.loads(text)
        if record["outcome"] == "finished":
            # A pointer, and a stage that was up to date, are named by what the lock file says of them.
            for stage in (s for s in record["stages"] if s["outcome"] in ("ran", "restored")):
                if (trace := stage.get("trace")) and trace not in view.records:
                    raise Wrong(f"invariant 4: run {name} names trace {trace}, which is not there")
    if scenario in ("gc", "push", "checkout"):
        # What Git keeps goes from DVC's cache.
        needed = [d for stage, text in blocks(before.lock).items() for d in view.outputs(text) if stage != "score" or dialect.native]
        if lost := [d for d in needed if d in before.store and d not in view.store]:
            raise Wrong(f"invariant 5: objects that the lock file names are gone: {lost}")
    for path in ("raw.txt", "params.yaml", dialect.manifest, *(p for p in before.workspace if p.startswith("data/"))):
        if view.workspace.get(path) != before.workspace.get(path):
            raise Wrong(f"the person's file {path} is lost or changed")
    for path, content in view.workspace.items():
        if path not in view.strays and content not in (before.workspace.get(path), calm.workspace.get(path)) \
                and not path.endswith((".gitignore", dialect.lock)) and not bench.running:
            raise Wrong(f"{path} holds neither the old nor the new bytes")


def same(view, calm):
    differing = [p for p in {**view.workspace, **calm.workspace} if view.workspace.get(p) != calm.workspace.get(p)]
    if differing:
        raise Wrong(f"files differ from the undisturbed run's: {sorted(differing)}")
    if set(view.store) != set(calm.store):
        raise Wrong(f"objects differ: {sorted(set(view.store) ^ set(calm.store))}")
    if set(view.traces) != set(calm.traces):
        raise Wrong(f"traces differ: {sorted(set(view.traces) ^ set(calm.traces))}")
    left, right = [{k for k in v.remote if "runs" not in k and "trace" not in k} for v in (view, calm)]
    if left != right:
        raise Wrong(f"the remote differs: {sorted(left ^ right)}")


class Row:
    """What one fault did to one command, over all its moments."""

    def __init__(self):
        self.codes, self.done, self.leftovers = collections.Counter(), 0, 0


def settle(mark):
    end = time.monotonic() + 10
    while left := alive(mark):
        if time.monotonic() > end:
            raise Wrong(f"processes are left: {left}")
        time.sleep(0.005)


class Trial:
    """One scenario: before, undisturbed, and then again and again with a fault."""

    def __init__(self, bench, name):
        self.bench, self.name = bench, name
        prepare, self.words = SCENARIOS[name]
        self.prepared = f"{bench.base}/{name}"
        os.makedirs(self.prepared)
        prepare(bench, self.prepared)
        self.before = View(bench, self.prepared)
        calm = self.copy("calm")
        lengths = []
        started = time.monotonic()
        if bench.run(f"{calm}/project", self.words) != 0:
            sys.exit(f"undisturbed: pipe {' '.join(self.words)}\n{bench.log()}")
        lengths.append(time.monotonic() - started)
        self.length = max(lengths)
        self.calm = View(bench, calm)
        self.writes = self.count()

    def copy(self, label):
        place = f"{self.bench.base}/now"
        subprocess.run(["rm", "-rf", place], check=True)
        subprocess.run(["cp", "-a", self.prepared, place], check=True)
        return place

    def shim(self, **more):
        counter = f"{self.bench.base}/count"
        with open(counter, "wb") as file:
            file.write(bytes(4096))
        return {"LD_PRELOAD": self.bench.options.shim, "FAULT_COUNT": counter, **{k: str(v) for k, v in more.items()}}

    def count(self):
        if not self.bench.options.shim:
            return 0
        self.bench.run(f"{self.copy('count')}/project", self.words, self.shim())
        with open(f"{self.bench.base}/count", "rb") as file:
            return struct.unpack("i", file.read(4))[0]

    def after(self, place, code, row, story):
        bench = self.bench
        row.codes[code] += 1
        row.done += 1
        said = bench.log()
        try:
            view = View(bench, place)
            row.leftovers += len(view.strays)
            bench.running = self.name == "repro"
            check(bench, view, self.before, self.calm, self.name)
            if code == 0:
                same(view, self.calm)
            if code in (70, -11, -6, -4, -5):
                raise Wrong(f"ended with {code}")
            if bench.run(f"{place}/project", self.words) != 0:
                raise Wrong("the rerun failed:\n" + bench.log()[-2000:])
            view = View(bench, place)
            check(bench, view, self.before, self.calm, self.name)
            same(view, self.calm)
            if view.strays:
                raise Wrong(f"left after the rerun: {view.strays}")
        except Wrong as wrong:
            kept = f"{bench.base}/wrong-{uuid.uuid4().hex[:6]}"
            shutil.copytree(place, kept, symlinks=True)
            print(f"WRONG {bench.dialect.name} {self.name} {story} (exit {code}) in {kept}: {wrong}\n--- pipe said\n{said[-1500:]}\n", flush=True)
            return False
        return True

    def kill(self, number, chance, row):
        place, delay, mark = self.copy("kill"), chance.uniform(0, self.length * 1.05), uuid.uuid4().hex
        process = self.bench.start(f"{place}/project", self.words, {NAME: mark})
        time.sleep(delay)
        process.kill()
        code = process.wait()
        settle(mark)
        return self.after(place, code, row, f"killed after {delay:.3f} s")

    def write(self, mode, at, row):
        place, mark = self.copy(mode), uuid.uuid4().hex
        code = self.bench.run(f"{place}/project", self.words, {**self.shim(FAULT_AT=at, FAULT_MODE=mode), NAME: mark})
        settle(mark)
        return self.after(place, code, row, f"{mode} at write {at} of {self.writes}")

    def full(self, share, row):
        """A file system that has only a share of the space that the command takes."""
        place = self.copy("full")
        def used():
            info = os.statvfs(mount)
            return (info.f_blocks - info.f_bfree) * info.f_bsize
        mount = f"{self.bench.base}/mount"
        os.makedirs(mount, exist_ok=True)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", mount], stderr=subprocess.DEVNULL).returncode:
            return None
        try:
            subprocess.run(["cp", "-a", f"{place}/.", mount], check=True)
            start = used()
            if not hasattr(self, "appetite"):
                self.bench.run(f"{mount}/project", self.words)
                self.appetite = used() - start
                subprocess.run(f"rm -rf {mount}/* && cp -a {place}/. {mount}", shell=True, check=True)
            size = start + max(4096, int(self.appetite * share) // 4096 * 4096)
            subprocess.run(["mount", "-o", f"remount,size={size}", mount], check=True)
            code = self.bench.run(f"{mount}/project", self.words)
            subprocess.run(["mount", "-o", "remount,size=64m", mount], check=True)
            return self.after(mount, code, row, f"a disk with {share:.0%} of the space it takes")
        finally:
            subprocess.run(["umount", "-l", mount])


def compiled(base):
    target = f"{base}/shim.so"
    try:
        done = subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", target, f"{HERE}/shim.c", "-ldl"], capture_output=True, text=True)
    except FileNotFoundError:
        return None
    if done.returncode:
        print(done.stderr)
    return target if done.returncode == 0 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipe", required=True)
    parser.add_argument("--kills", type=int, default=200, help="random moments, shared out among the commands")
    parser.add_argument("--writes", type=int, default=40, help="at most so many places a command and mode, spread evenly")
    parser.add_argument("--dialect", default="both", choices=["dvc", "native", "both"])
    parser.add_argument("--only", default=",".join(SCENARIOS))
    parser.add_argument("--faults", default="kill,stop,once,from,full")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--folder", default="/dev/shm" if os.path.isdir("/dev/shm") else None)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    # The shim knows the program by its name.
    base = tempfile.mkdtemp(prefix="faults-", dir=options.folder)
    os.makedirs(f"{base}/bin")
    shutil.copy2(options.pipe, f"{base}/bin/pipe")
    options.pipe = f"{base}/bin/pipe"
    options.shim = compiled(base)
    if not options.shim:
        print("no C compiler: failing writes and kills at writes are left out")
    print(f"seed {options.seed}, in {base}", flush=True)
    chance = random.Random(options.seed)
    help_text = subprocess.run([options.pipe, "--help"], capture_output=True, text=True).stdout
    options.can = {name for name in SCENARIOS if re.search(rf"(?m)^  {name}\b", help_text)}
    table, wrong = [], 0
    for dialect in ("dvc", "native") if options.dialect == "both" else (options.dialect,):
        place = f"{base}/{dialect}"
        os.makedirs(place)
        bench = Bench(place, Dialect(dialect), options)
        names = [n for n in options.only.split(",") if n in options.can]
        for name in names:
            trial = Trial(bench, name)
            for fault in options.faults.split(","):
                row, failures = Row(), 0
                if fault == "kill":
                    share = options.kills // len(names) + (1 if names.index(name) < options.kills % len(names) else 0)
                    results = (trial.kill(number, chance, row) for number in range(share))
                elif fault == "full":
                    results = (trial.full(share / 10, row) for share in range(10))
                else:
                    mode = {"stop": "kill"}.get(fault, fault)
                    pace = max(1, -(-trial.writes // options.writes))
                    first = chance.randrange(pace) + 1
                    results = (trial.write(mode, at, row) for at in range(first, trial.writes + 1, pace))
                    if not options.shim:
                        continue
                skipped = False
                for result in results:
                    if result is None:
                        skipped = True
                        break
                    failures += result is False
                if skipped:
                    print("no file system can be mounted here: a full disk is left out")
                    continue
                wrong += failures
                codes = ", ".join(f"{code}: {count}" for code, count in sorted(row.codes.items()))
                table.append((dialect, name, fault, row.done, codes, row.leftovers, failures))
                print(table[-1], flush=True)
    print("\n| dialect | command | fault | runs | exit codes (negative: signal) | stray files before the rerun | wrong |\n|---|---|---|---|---|---|---|")
    for line in table:
        print("| " + " | ".join(map(str, line)) + " |")
    if not options.keep and not wrong:
        subprocess.run(["rm", "-rf", base])
    sys.exit(1 if wrong else 0)


main()
