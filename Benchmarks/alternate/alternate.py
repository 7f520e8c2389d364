#!/usr/bin/env python3
# Random operations on one project by `dvc` and `pipe` in turn, beside a shadow project where DVC alone does every step.
# SPDX-License-Identifier: Apache-2.0
"""Usage: Benchmarks/alternate/alternate.py --pipe FILE --dvc FILE [--seeds 1-10] [--steps 500]

After each step both projects must have the same status, manifests, locks, pointers, ignore files, workspace, cache, run cache
and remote, byte for byte. See README.md beside this file for what is compared and which deviations are wanted.
"""
import argparse, difflib, json, os, random, re, shutil, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import operations, shadow, sides


class Difference(Exception):
    pass


def differing(mixed, wanted, blobs, mine):
    """A report of paths with different values; `mine` gives the bytes of a path of the mixed project."""
    lines, limit = [], 12
    for name in sorted({*mixed, *wanted}):
        if mixed.get(name) != wanted.get(name):
            lines.append(f"  {name}: mixed {mixed.get(name)} shadow {wanted.get(name)}")
            if name in mixed and name in wanted:
                texts = [mine(name), blobs.get(wanted[name].split(" ")[-1], b"")]
                lines += list(difflib.unified_diff(*[text.decode(errors="replace").splitlines() for text in texts], "mixed", "shadow", lineterm=""))[:30]
    if len(lines) > limit * 4:
        lines[limit * 4:] = [f"  … and {len(lines) - limit * 4} more lines"]
    return "\n".join(lines)


def said_by_both(mixed, shadow):
    """Objects that are nowhere: DVC warns and ends with 0, `pipe` calls the push or fetch incomplete."""
    # A recording has the end of what was said: of a long list no more than its last lines.
    is_warned = "Some of the cache files do not exist" in shadow[2] or re.search(r"^md5: [0-9a-f]{32}(\.dir)?$", shadow[2], re.M)
    return re.search("could not be (pushed|fetched)", mixed[2]) and is_warned


def lacks_output(words, mixed, shadow):
    """An output that a stage reads is not there: `repro --allow-missing` of DVC fails at that stage, `pipe` brings it back."""
    return words[0] == "repro" and "--allow-missing" in words and mixed[0] == 0 and re.search(r"failed to reproduce '.*': \[Errno 2\]", shadow[2])


def stumbles(words, mixed, shadow):
    """`repro --dry` of DVC fails at a stage whose inputs do not exist yet; `pipe` says that it will run."""
    return words[0] == "repro" and "--dry" in words and mixed[0] == 0 and re.search(r"failed to reproduce '.*': \[Errno 2\]", shadow[2])


def is_lost(words, mixed, shadow):
    """`checkout` of an output whose object is nowhere: DVC ends with 0 where it finds nothing to compare with, `pipe` ends with 4."""
    return words[0] in ("checkout", "pull") and mixed[0] == 4 and shadow[0] == 0 and re.search("is not in the store|the store has no", mixed[2])


def breaks(mixed, shadow):
    """DVC ends with what it calls an unexpected error, `pipe` with success."""
    return mixed[0] == 0 and "Having any troubles?" in shadow[2]


class Alternation:
    """The mixed project of a seed, led along the recording of its shadow."""

    def __init__(self, base, seed, options, peer, shadow):
        self.seed, self.options, self.shadow = seed, options, shadow
        self.mixed = sides.Side(base, peer)
        self.linked = False
        self.log = open(f"{base}/log", "w")
        self.counts, self.accounted = {}, {}
        # Outputs that were named at some step; values of manifests by MD5.
        self.ever, self.manifests = set(), {}

    def say(self, text):
        self.log.write(text + "\n")
        self.log.flush()
        if self.options.verbose:
            print(text, flush=True)

    def account(self, deviation):
        """A wanted deviation, which the README names."""
        self.say(f"  accounted: {deviation}")
        self.accounted[deviation] = self.accounted.get(deviation, 0) + 1

    def step(self, number):
        self.shadow.next()
        ours = number > 0 and random.Random(f"{self.seed}/{number}/tool").random() < self.options.share
        tool = self.options.pipe if ours else "dvc"
        word = "pipe" if ours else "dvc"
        self.say(f"step {number} {self.shadow.name} [{word}] {self.shadow.acts if number else ''}")
        if number:
            key = (self.shadow.name, word if any(act[0] == "tool" for act in self.shadow.acts) else "edit")
            self.counts[key] = self.counts.get(key, 0) + 1
        failed, asked = [], []
        for act, wanted in zip(self.shadow.acts, self.shadow.answers):
            got = self.mixed.act(act, tool)
            if got is None:
                continue
            self.say(f"  {' '.join(act[1])} → mixed {got[0]} shadow {wanted[0]}")
            if (got[0] == 0) != (wanted[0] == 0) and self.checking(number):
                if said_by_both(got, wanted):
                    self.account("push or fetch without an object")
                    continue
                if ours and stumbles(act[1], got, wanted):
                    self.account("repro --dry tells what DVC fails at")
                    continue
                if ours and lacks_output(act[1], got, wanted):
                    self.account("repro --allow-missing brings back what a stage reads, where DVC fails")
                    return self.heal()
                if ours and is_lost(act[1], got, wanted) and (self.lost() or self.dangles()):
                    self.account("checkout of what nobody has any more")
                    return self.heal()
                if ours and act[1][0] == "move" and "there is no folder" in got[2]:
                    self.account("an empty folder, which no recording has")
                    return self.heal()
                if ours and breaks(got, wanted):
                    self.account("DVC ends with an unexpected error")
                    return self.heal()
                if ours and act[1][0] == "repro" and got[0] == 0 and self.dangles():
                    self.account("dvc repro fails at a link whose object is gone")
                    return self.heal()
                if ours and act[1][0] in ("checkout", "pull") and got[0] == 0 and self.lost():
                    self.account("checkout of what is intact here and lost in the cache")
                    return self.heal()
                raise Difference(
                    f"`{word} {' '.join(act[1])}` ends with {got[0]}, dvc in the shadow with {wanted[0]}\n"
                    f"--- {word}\n{got[1][-1500:]}{got[2][-1500:]}\n--- shadow\n{wanted[1]}{wanted[2]}")
            if act[0] == "tool":
                asked.append(act[1])
            if act[0] == "tool" and got[0] != 0 and wanted[0] != 0:
                failed.append(act[1][0])
                self.say(f"--- {word}\n{got[1][-1500:]}{got[2][-1500:]}\n--- shadow\n{wanted[1]}{wanted[2]}")
            if "unexpected error" in wanted[2]:
                self.say("  DVC failed with an error of its own: " + wanted[2].strip().splitlines()[-1])
        if self.checking(number):
            self.compare(number, failed, asked if ours else [], asked)

    def checking(self, number):
        return number >= self.options.start

    def compare(self, number, failed, asked, commands):
        """`failed` names the commands that failed on both sides: what they did before may differ, also between two runs of DVC, which goes
        through the files in the order in which the file system lists them. `asked` has the words of the commands that `pipe` did, `commands` those of either.

        DVC's own status of the mixed project follows from equal contents: it is asked now and then, to prove that.
        """
        self.linked = shadow.link_type(self.seed) != "copy"
        wanted, mixed = sides.contents(self.shadow.tree, self.linked), self.contents()
        if self.even_stale(mixed, wanted):
            mixed = self.contents()
        if mixed != wanted and not self.differ_in_spelling(mixed, wanted):
            deviation = f"{failed[-1]} failed in both and left other things done" if failed else (
                self.taken_in(mixed, wanted) or self.left_out(mixed, wanted, asked) or self.recorded_frozen(mixed, wanted)
                or self.kept_modes(mixed, wanted, asked) or self.kept_lock(mixed, wanted, asked) or self.kept_files(mixed, wanted)
                or self.ran_in_any_order(mixed, wanted, commands))
            if deviation:
                self.say(differing(mixed, wanted, self.shadow.blobs, self.bytes))
                self.account(deviation)
                self.heal()
                mixed = self.contents()
        if mixed != wanted and not self.differ_in_spelling(mixed, wanted):
            raise Difference("the projects differ:\n" + differing(mixed, wanted, self.shadow.blobs, self.bytes))
        if number % 10 == 0:
            status, _ = self.mixed.status("dvc")
            if status != self.shadow.status:
                raise Difference(f"`dvc status` differs:\n  mixed  {status}\n  shadow {self.shadow.status}")
        if self.options.share > 0:
            status, said = self.mixed.status(self.options.pipe)
            after = self.contents()
            if after != mixed:
                raise Difference("`pipe status` changed something:\n" + differing(after, mixed, self.shadow.blobs, self.bytes))
            if status != self.shadow.status and self.shadow.status == "failed" and self.dangles():
                self.account("dvc status crashes at a link whose object is gone")
            elif status != self.shadow.status:
                raise Difference(f"`pipe status` differs from DVC's:\n  pipe {status}\n  dvc  {self.shadow.status}\n{said[-1000:]}")

    def taken_in(self, mixed, wanted):
        """Whether `pipe` took an object in again that a lock file names and the cache had lost, where DVC ran the stage."""
        before, known = self.shadow.before, re.compile(rb"\bmd5: ([0-9a-f]{32}(?:\.dir)?)$", re.M)
        locks = [value for name, (_, _, value) in before.items() if os.path.basename(name) == "dvc.lock"]
        named = {digest.decode() for value in locks for digest in known.findall(self.shadow.blobs[value])}
        places = {f".dvc/cache/files/md5/{digest[:2]}/{digest[2:]}" for digest in named}
        again = [place for place in places if place not in before and place in mixed]
        return "an object that was lost is taken in again" if again else None

    def lost(self, *kinds):
        """The outputs that DVC's status of the shadow calls so."""
        if not isinstance(self.shadow.status, dict):
            return set()
        found = set()
        for address, changes in self.shadow.status.items():
            folder = os.path.dirname(address.split(":")[0]) if ":" in address or address.endswith(".dvc") else ""
            for change in changes:
                if isinstance(change, dict):
                    outs = change.get("changed outs", {})
                    found.update(os.path.normpath(os.path.join(folder, path)) for path, kind in outs.items() if kind in (kinds or ("not in cache",)))
        return found

    def recorded_frozen(self, mixed, wanted):
        """Whether DVC wrote the outputs of a frozen stage into the run cache, under a command that never made them."""
        names = [name for name in {*mixed, *wanted} if mixed.get(name) != wanted.get(name)]
        if not all(name.startswith(".dvc/cache/runs/") and name not in mixed for name in names):
            return None
        frozen = set()
        for name, (_, _, value) in self.shadow.tree.items():
            if os.path.basename(name) == "dvc.yaml" and not name.startswith(".git/"):
                manifest = self.mixed.peer.load(self.shadow.blobs[value].decode()) or {}
                frozen.update(json.dumps(stage.get("cmd")) for stage in manifest.get("stages", {}).values() if stage.get("frozen"))
        commands = [self.mixed.peer.load(self.shadow.blobs[wanted[name].split(" ")[-1]].decode())["cmd"] for name in names]
        return "a frozen stage is not written into the run cache" if all(json.dumps(cmd) in frozen for cmd in commands) else None

    def kept_modes(self, mixed, wanted, asked):
        """Whether `unprotect` kept executable bits, which DVC drops."""
        names = [name for name in {*mixed, *wanted} if mixed.get(name) != wanted.get(name)]
        same = all(mixed.get(name, "").replace("x ", "- ", 1) == wanted.get(name) for name in names)
        return "unprotect keeps executable bits" if same and any(words[0] == "unprotect" for words in asked) else None

    def kept_files(self, mixed, wanted):
        """Whether nothing differs but outputs that are left to Git and that DVC made links into its cache."""
        names = [name for name in {*mixed, *wanted} if mixed.get(name) != wanted.get(name)]
        linked = all(wanted.get(name, "").startswith("link to ") and name in mixed
                     and mixed[name].split(" ")[-1] == "".join(wanted[name].split("/")[-2:]) for name in names)
        return "an output left to Git stays a file" if linked and set(names) <= self.named(uncached=True) else None

    def ran_in_any_order(self, mixed, wanted, commands):
        """Whether nothing differs but an order: DVC runs stages that were asked for together as Python's set of their random hashes has them,
        so that two runs of it differ."""
        names = [name for name in {*mixed, *wanted} if mixed.get(name) != wanted.get(name)]
        if not any(words[0] == "repro" and "--glob" in words for words in commands):
            return None

        def plain(name, text):
            if os.path.basename(name) == ".gitignore":
                return sorted(text.splitlines())
            return json.dumps(self.mixed.peer.load(text.decode()), sort_keys=True) if os.path.basename(name) == "dvc.lock" else text

        same = all(name in mixed and name in wanted and plain(name, self.bytes(name)) == plain(name, self.shadow.blobs[wanted[name].split(" ")[-1]])
                   for name in names)
        return "the order in which stages asked for by a pattern run" if same else None

    def kept_lock(self, mixed, wanted, asked):
        """Whether nothing differs but executable bits of dependencies, which DVC's `repro --pull` writes into the lock of what it pulled."""
        names = [name for name in {*mixed, *wanted} if mixed.get(name) != wanted.get(name)]
        if not any("--pull" in words for words in asked) or any(os.path.basename(name) != "dvc.lock" or name not in mixed for name in names):
            return None

        def plain(text):
            return [line for line in text.splitlines() if line.strip() != b"isexec: true"]

        same = all(plain(self.bytes(name)) == plain(self.shadow.blobs[wanted[name].split(" ")[-1]]) for name in names)
        return "repro --pull leaves the lock of what it pulled" if same else None

    def left_out(self, mixed, wanted, asked):
        """Whether nothing differs but outputs that DVC leaves out though it was asked for them, or whose objects nobody has."""
        if not any(words[0] in ("checkout", "pull") or "--pull" in words for words in asked):
            return None
        lost = self.lost("not in cache", "deleted")
        names = [name for name in {*mixed, *wanted} if mixed.get(name) != wanted.get(name)]
        within = all(any(name == path or name.startswith(path + "/") for path in lost) for name in names)
        return "outputs that nobody has, or that DVC leaves out" if within else None

    def dangles(self):
        """Whether an output of the shadow is a link to an object that is not there."""
        tree = self.shadow.tree
        return any(kind == "link" and value.removeprefix("ROOT/") not in tree for kind, _, value in tree.values())

    def contents(self):
        return sides.contents(self.mixed.tree(), self.linked)

    def bytes(self, path):
        if not os.path.exists(f"{self.mixed.root}/{path}"):
            return b""
        with open(f"{self.mixed.root}/{path}", "rb") as file:
            return file.read()

    def named(self, uncached=False):
        """What manifests and pointer files of the shadow name as outputs now; with `uncached` only what is left to Git."""
        found = set()
        for name, (_, _, value) in self.shadow.tree.items():
            folder, base = os.path.split(name)
            if base == "dvc.yaml" and not name.startswith(".git/"):
                if value not in self.manifests:
                    self.manifests[value] = self.mixed.peer.load(self.shadow.blobs[value].decode())
                found.update(sides.outputs(self.manifests[value], folder or ".", uncached))
            elif not uncached and base.endswith(".dvc") and not name.startswith((".git/", ".dvc/")):
                found.add(name[:-4])
        return found

    def even_stale(self, mixed, wanted):
        """Makes even what a stage or pointer file named once and none names now, and one tool took away and the other left.

        DVC takes away what it linked, by a database outside the project, `pipe` what it placed.
        """
        now = self.named()
        self.ever |= now

        def within(path, names):
            return path in names or any(path.startswith(name + "/") for name in names)

        stale = [name for name in {*mixed, *wanted} if (name in mixed) != (name in wanted) and not name.startswith((".dvc/", "../remote/"))]
        if not stale or not all(within(path, self.ever) and not within(path, now) for path in stale):
            return False
        self.mixed.restore(self.shadow.tree, self.shadow.blobs, only=set(stale))
        self.account("data that no stage names is left, or taken away")
        return True

    def differ_in_spelling(self, mixed, wanted):
        """Whether nothing differs but how manifests are written: DVC writes the whole file anew, `pipe` keeps what a person wrote."""
        names = [name for name in {*mixed, *wanted} if mixed.get(name) != wanted.get(name)]
        same = all(os.path.basename(name) == "dvc.yaml" and name in mixed and name in wanted
                   and self.value(self.bytes(name)) == self.value(self.shadow.blobs[wanted[name].split(" ")[-1]]) for name in names)
        if same:
            self.accounted["dvc.yaml spelled differently (steps)"] = self.accounted.get("dvc.yaml spelled differently (steps)", 0) + 1
        return same

    def value(self, text):
        value = self.mixed.peer.load(text.decode())
        for stage in (value or {}).get("stages", {}).values():
            for key in stage:
                if key in ("deps", "outs", "metrics", "plots", "params") and isinstance(stage[key], list):
                    stage[key].sort(key=json.dumps)
        return json.dumps(value)

    def heal(self):
        """Makes the mixed project a copy of the shadow, to go on after a difference."""
        self.mixed.restore(self.shadow.tree, self.shadow.blobs)

    def close(self):
        self.log.close()


def one_seed(seed, options, peer):
    """(steps, differences, operations by kind, accounted deviations) of a seed."""
    path = shadow.record(seed, options, peer)
    if options.record_only:
        return 0, 0, {}, {}
    base = tempfile.mkdtemp(prefix=f"alternate-{seed}-", dir=options.folder)
    alternation = Alternation(base, seed, options, peer, shadow.Shadow(path))
    start, number, differences = time.monotonic(), 0, 0
    try:
        for number in range(options.steps + 1):
            try:
                alternation.step(number)
            except Difference as difference:
                differences += 1
                report(difference, seed, number, base, options)
                if not options.heal:
                    break
                alternation.heal()
            if options.progress and number and number % options.progress == 0:
                print(f"seed {seed}: {number} steps, {differences} differences, {number / (time.monotonic() - start):.1f} a second", flush=True)
    finally:
        alternation.close()
    print(f"seed {seed}: {number} steps, {differences} differences, {number / (time.monotonic() - start):.1f} a second\n"
          f"  operations: {told(alternation.counts)}\n  accounted: {told(alternation.accounted)}", flush=True)
    if not options.keep and not differences:
        subprocess.run(["rm", "-rf", base])
    return number, differences, alternation.counts, alternation.accounted


def told(counts):
    """How often, by name; a pair counts below its first part."""
    names = sorted({key if isinstance(key, str) else key[0] for key in counts})
    parts = []
    for name in names:
        pairs = {key[1]: count for key, count in sorted(counts.items()) if not isinstance(key, str) and key[0] == name}
        parts.append(f"{name} {counts[name]}" if name in counts else f"{name} " + (str(pairs["edit"]) if "edit" in pairs else "/".join(f"{pairs.get(k, 0)}" for k in ("pipe", "dvc"))))
    return ", ".join(parts) or "none"


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
    parser.add_argument("--shadows", default=os.path.join(tempfile.gettempdir(), "alternate-shadows"), help="where DVC's side of each seed is recorded")
    parser.add_argument("--record-only", action="store_true", help="record DVC's side, and no more")
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
    peer = sides.Peer(options.python)
    steps, found, counts, accounted, done = 0, 0, {}, {}, []
    for seed in seeds:
        number, differences, some, others = one_seed(seed, options, peer)
        steps, found, done = steps + number, found + differences, done + [seed]
        for total, part in ((counts, some), (accounted, others)):
            for key, count in part.items():
                total[key] = total.get(key, 0) + count
        if differences and not options.go_on:
            break
    peer.close()
    print(f"seeds {done}: {steps} steps, {found} differences\n  operations (pipe/dvc where a command): {told(counts)}\n  accounted: {told(accounted)}")
    sys.exit(1 if found else 0)


main()
