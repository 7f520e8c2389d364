# Runs DVC's commands in forks of one warm Python process, so that each starts as a fresh program does but without its imports.
# SPDX-License-Identifier: Apache-2.0
"""Started by alternate.py with DVC's own Python. One JSON request a line on standard input, one JSON answer a line on standard output.

{"run": ["status", "--json"], "cwd": FOLDER, "env": {...}, "out": FILE, "err": FILE}  →  {"code": 0, "seconds": 0.05, "cpu": 0.04}
{"load": TEXT}                                                                        →  {"value": ...} the value of YAML, or null

The parent process only imports modules. It never calls a command, so no cache, no configuration and no open database
reaches a fork. Which modules are worth importing, and which regular expressions compiling, is learned from a first fork that runs a few commands and tells their names.
"""
import gc, importlib, json, os, re, subprocess, sys, tempfile, time


# What the first fork tries: a use of each kind of file and template.
MANIFEST = """\
vars: [{v: 1}]
stages:
  s:
    cmd: cat a.txt > b
    deps: [a.txt]
    params:
    - x
    - p.json: [x]
    - p.toml: [x]
    - p.py: [x]
    outs: [b]
  e:
    foreach: [1, 2]
    do:
      cmd: echo ${item} ${v} > e${item}
      outs:
      - e${item}:
          persist: true
  m:
    matrix: {a: [1]}
    cmd: echo ${item.a} > m${item.a}
    metrics:
    - m${item.a}:
        cache: false
"""


def command(argv, cwd, env, out, err):
    """What the child does: becomes the program `dvc` as far as DVC can see. Never returns."""
    code = 70
    try:
        gc.disable()  # a collection would touch, and so copy, every page of the parent
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(env)
        for path, number in ((out, 1), (err, 2)):
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.dup2(file, number)
            os.close(file)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        # The old objects stay referenced: collecting them would close the descriptors again.
        before = sys.stdin, sys.stdout, sys.stderr
        sys.stdin, sys.stdout, sys.stderr = open(0, closefd=False), open(1, "w", closefd=False), open(2, "w", buffering=1, closefd=False)
        sys.argv = ["dvc", *argv]
        from dvc.cli import main
        try:
            code = main(argv)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException as error:
        os.write(2, f"peer: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(code or 0)


def learned(env):
    """Names of the modules that a handful of commands load, and the regular expressions that they compile."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "init", "-q", folder], check=True)
        listing = os.path.join(folder, "modules")
        pid = os.fork()
        if pid == 0:
            try:
                os.chdir(folder)
                os.environ.update(env)
                nothing = os.open(os.devnull, os.O_RDWR)
                os.dup2(nothing, 1)
                os.dup2(nothing, 2)
                from dvc.cli import main
                with open("a.txt", "w") as file:
                    file.write("a")
                main(["init", "-q"])
                main(["remote", "add", "-d", "store", folder + "/remote"])
                main(["add", "-q", "a.txt"])
                with open("dvc.yaml", "w") as file:
                    file.write(MANIFEST)
                for name, text in {"params.yaml": "x: 1\n", "p.json": '{"x": 1}', "p.toml": "x = 1\n", "p.py": "x = 1\n"}.items():
                    with open(name, "w") as file:
                        file.write(text)
                for words in (["repro", "-q"], ["status", "--json"], ["push", "-q"], ["pull", "-q"], ["checkout", "-q"], ["commit", "-f"],
                              ["gc", "-w", "-f"], ["stage", "add", "-n", "t", "-d", "b", "-o", "c", "cat b > c"], ["freeze", "s"],
                              ["unfreeze", "s"], ["dag", "--dot"], ["move", "a.txt", "z.txt"], ["remove", "t"], ["gc", "-a", "-f"]):
                    main(words)
                with open(listing, "w") as file:
                    patterns = [(key[1], key[2]) for key in re._cache if isinstance(key[1], str)]
                    json.dump({"modules": list(sys.modules), "patterns": patterns}, file)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        with open(listing) as file:
            return json.load(file)


def load(text):
    from ruamel.yaml import YAML
    try:
        return YAML(typ="safe", pure=True).load(text)
    except Exception:
        return None


def main():
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    known = learned(dict(os.environ))
    for name in known["modules"]:
        if name.split(".")[0] == "__main__":
            continue
        try:
            importlib.import_module(name)
        except BaseException:
            pass
    # Pure functions of DVC's code: its parser of arguments is built once, and the grammar of `${…}`.
    from dvc.cli.parser import get_main_parser
    from dvc.parsing.interpolate import parse_expr
    get_main_parser()
    re._MAXCACHE = 4096
    for pattern, flags in known["patterns"]:
        re.compile(pattern, flags)
    parse_expr("a.b[0]")
    gc.collect()
    gc.freeze()
    answers.write('{"ready": true}\n')
    for line in sys.stdin:
        request = json.loads(line)
        if "load" in request:
            answers.write(json.dumps({"value": load(request["load"])}, default=str) + "\n")
            continue
        start = time.monotonic()
        pid = os.fork()
        if pid == 0:
            command(request["run"], request["cwd"], request["env"], request["out"], request["err"])
        _, status, usage = os.wait4(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        answers.write(json.dumps({"code": code, "seconds": time.monotonic() - start, "cpu": usage.ru_utime + usage.ru_stime}) + "\n")


main()
