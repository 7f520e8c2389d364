# A project on disk, driven by DVC in a warm process or by `pipe`, and what it holds as values that two projects can share.
# SPDX-License-Identifier: Apache-2.0
import hashlib, itertools, json, os, re, shutil, stat, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


class Peer:
    """DVC in a warm Python process."""

    def __init__(self, python):
        # A home of its own keeps it from the settings of who runs the test.
        home = tempfile.mkdtemp(prefix="alternate-home-")
        env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": home, "XDG_CONFIG_HOME": home, "DVC_NO_ANALYTICS": "1",
               "DVC_SITE_CACHE_DIR": f"{home}/site", "DVC_GLOBAL_CONFIG_DIR": home, "DVC_SYSTEM_CONFIG_DIR": home, "TMPDIR": home}
        self.process = subprocess.Popen(
            [python, f"{HERE}/peer.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True)
        if not self.process.stdout.readline():
            sys.exit("the peer did not start")
        shutil.rmtree(home)
        self.loaded = {}

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def load(self, text):
        """The value of YAML text, `None` where it is none."""
        if text not in self.loaded:
            if len(self.loaded) > 1000:
                self.loaded.clear()
            self.loaded[text] = json.dumps(self.ask({"load": text})["value"])
        return json.loads(self.loaded[text])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Side:
    """One of the two projects, with a home, a remote and a cache of hashes of its own."""

    def __init__(self, base, peer):
        self.folder, self.peer = base, peer
        self.root = f"{self.folder}/project"
        home = f"{self.folder}/home"
        for folder in (self.root, f"{home}/config/dvc", f"{self.folder}/tmp"):
            os.makedirs(folder, exist_ok=True)
        with open(f"{home}/.gitconfig", "w") as file:
            file.write("[user]\n\tname = test\n\temail = test@example.org\n[init]\n\tdefaultBranch = main\n[core]\n\tautocrlf = false\n[gc]\n\tauto = 0\n[advice]\n\tdetachedHead = false\n")
        self.env = {
            "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": home, "XDG_CONFIG_HOME": f"{home}/config", "SHELL": "/bin/sh",
            "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": f"{home}/site", "DVC_GLOBAL_CONFIG_DIR": f"{home}/config/dvc",
            "DVC_SYSTEM_CONFIG_DIR": f"{home}/system", "TMPDIR": f"{self.folder}/tmp",
            "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
        }
        # The remote is absolute, and of the user's settings: at a commit DVC takes a relative one as below the root of all files.
        with open(f"{home}/config/dvc/config", "w") as file:
            file.write(f"[core]\n    analytics = false\n    check_update = false\n    remote = store\n['remote \"store\"']\n    url = {self.folder}/remote\n")
        self.memory, self.tmp = {}, f"{self.folder}/tmp"

    def run(self, tool, words):
        """(exit code, output, errors) of `dvc` or a program."""
        out, err = f"{self.folder}/out", f"{self.folder}/err"
        if tool == "dvc":
            code = self.peer.ask({"run": words, "cwd": self.root, "env": self.env, "out": out, "err": err})["code"]
        else:
            with open(out, "wb") as outs, open(err, "wb") as errs:
                try:
                    code = subprocess.run([tool, *words], cwd=self.root, env=self.env, stdin=subprocess.DEVNULL, stdout=outs, stderr=errs, timeout=120).returncode
                except subprocess.TimeoutExpired:
                    code = "killed after 120 s"
        with open(out, errors="replace") as outs, open(err, errors="replace") as errs:
            return code, outs.read(), errs.read()

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

    def act(self, act, tool):
        """What an act ends with: (exit code, output, errors), `None` for an edit."""
        if act[0] == "tool":
            return self.run(tool, list(act[1]))
        if act[0] == "git":
            return self.git(list(act[1]))
        return self.apply(act)

    def status(self, tool):
        """The value that `status --json` printed, or that it failed, and what was said."""
        code, out, err = self.run(tool, ["status", "--json"])
        if code != 0:
            return "failed", err
        try:
            return json.loads(out), err
        except ValueError:
            return f"no JSON: {out[-300:]} {err[-300:]}", err

    def tree(self, blobs=None, git=False):
        """Path → [kind, mode, MD5 or target of the link] of all files of the project, its remote below `../remote`.

        `blobs` takes the bytes by MD5. `git` tells whether `.git` is wanted too.
        """
        found = {}
        skip = {".dvc/tmp"} if git else {".dvc/tmp", ".git"}
        for root, prefix in ((self.root, ""), (f"{self.folder}/remote", "../remote/")):
            for name, entry in walk(root, skip).items():
                info = entry.stat(follow_symlinks=False)
                if stat.S_ISLNK(info.st_mode):
                    found[prefix + name] = ["link", 0, os.readlink(entry.path).replace(self.root, "ROOT")]
                else:
                    kind = "hard" if info.st_nlink > 1 else "file"
                    found[prefix + name] = [kind, stat.S_IMODE(info.st_mode), self.digest(entry, info, blobs)]
        return found

    def digest(self, entry, info, blobs):
        key = (entry.path, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
        if key not in self.memory:
            if len(self.memory) > 40000:
                self.memory.clear()
            with open(entry.path, "rb") as file:
                content = file.read()
            self.memory[key] = hashlib.md5(content).hexdigest()
            if blobs is not None:
                blobs[self.memory[key]] = content
        return self.memory[key]

    def restore(self, tree, blobs, only=None):
        """Makes the project, or some paths, the tree that another one was seen with."""
        mine = self.tree(git=True)
        changed = {name for name in {**mine, **tree} if mine.get(name) != tree.get(name) and (only is None or name in only)}
        for name in [name for name in mine if name in changed]:
            os.remove(f"{self.root}/{name}")
        for name in sorted(tree, key=lambda name: (not name.startswith(".dvc/cache"), name)):
            kind, mode, value = tree[name]
            if name not in changed:
                continue
            path = f"{self.root}/{name}"
            for folder in parents(path):
                if os.path.islink(folder) or os.path.isfile(folder):
                    os.remove(folder)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if os.path.isdir(path):
                shutil.rmtree(path)
            if kind == "link":
                os.symlink(value.replace("ROOT", self.root), path)
                continue
            stored = f"{self.root}/.dvc/cache/files/md5/{value[:2]}/{value[2:]}"
            if kind == "hard" and os.path.exists(stored) and stored != path:
                os.link(stored, path)
                continue
            with open(path, "wb") as file:
                file.write(blobs[value])
            os.chmod(path, mode)
        for folder, below, names in os.walk(self.root, topdown=False):
            here = os.path.relpath(folder, self.root)
            # A key of the run cache without an entry makes DVC fail.
            if (here.startswith(".dvc/cache/runs/") or not here.startswith((".git/", ".dvc"))) and not os.listdir(folder):
                os.rmdir(folder)


def outputs(manifest, folder, uncached=False):
    """Paths of what the stages of a manifest's value write, those of `foreach` lists and `matrix` included; with `uncached` only what is left to Git."""
    for stage in ((manifest or {}).get("stages") or {}).values():
        turns, body = [{}], stage
        if isinstance(stage.get("foreach"), list):
            turns, body = [{"${item}": str(item)} for item in stage["foreach"]], stage["do"]
        elif isinstance(stage.get("matrix"), dict):
            axes = stage["matrix"]
            turns = [{f"${{item.{k}}}": str(v) for k, v in zip(axes, values)} for values in itertools.product(*axes.values())]
        for turn, kind in itertools.product(turns, ("outs", "metrics", "plots")):
            for entry in body.get(kind) or []:
                entry = entry if isinstance(entry, dict) else {entry: {}}
                for path in (path for path, flags in entry.items() if not uncached or (flags or {}).get("cache") is False):
                    for old, new in turn.items():
                        path = path.replace(old, new)
                    yield os.path.normpath(f"{folder}/{body.get('wdir', '.')}/{path}")


def parents(path):
    while (path := os.path.dirname(path)) != "/":
        yield path


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


def contents(tree, linked):
    """What of a tree two projects must share: path → text."""
    # With links the workspace's file is the object, and DVC makes it 0444 or executable as the last command had it.
    bits = 0 if linked else 0o111
    values = {}
    for name, (kind, mode, value) in tree.items():
        # `dvc status` itself leaves the list of a folder that a stage has just come to depend on, in the layout of DVC 2.
        if name.startswith(".git/") or re.fullmatch(r"\.dvc/cache/[0-9a-f]{2}/[0-9a-f]{30}\.dir", name):
            continue
        if name.startswith("../remote/"):
            values[name] = value
        elif name.startswith(".dvc/cache/files/"):
            values[name] = f"{mode & (0o666 | bits):o} {value}"
        elif name.startswith(".dvc/cache/runs/"):
            values[name] = value
        elif name.startswith(".dvc/cache/"):
            values[name] = "a stranger"
        elif kind == "link":
            values[name] = f"link to {value}"
        else:
            values[name] = f"{'x' if mode & bits else '-'} {value}"
    return values
