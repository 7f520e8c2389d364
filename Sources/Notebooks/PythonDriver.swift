// The Python program that runs the Python cells of one stage.
// SPDX-License-Identifier: Apache-2.0

/// Reads one JSON object a line from descriptor 61: first the stage, then a cell at a time. Answers `display` (which
/// the host acknowledges, so that output and displays keep their order), `done` or `failed`.
///
/// A cell is parsed behind as many empty lines as precede it in the notebook: every line number is the notebook's.
let pythonDriver = #"""
  import __future__
  import ast, base64, builtins, json, linecache, os, re, signal, sys, threading, traceback, types

  CHANNEL = 61
  os.set_inheritable(CHANNEL, False)
  requests = os.fdopen(os.dup(CHANNEL), "rb")
  lock = threading.RLock()
  PROCESS = os.getpid()
  current = {"cell": 0, "figures": 0, "styles": 0, "running": False}
  LARGEST = 16 * 1024 * 1024


  def clean(value):
      """Text that UTF-8 can hold: half a surrogate pair as its escape."""
      if isinstance(value, str):
          return value.encode("utf-8", "backslashreplace").decode()
      if isinstance(value, dict):
          return {str(key): clean(entry) for key, entry in value.items()}
      return value


  def answer(message):
      data = (json.dumps(clean(message), sort_keys=True) + "\n").encode()
      while data:
          data = data[os.write(CHANNEL, data):]


  start = json.loads(requests.readline())
  NOTEBOOK = start["notebook"]
  STAGE = start["stage"]
  os.chdir(start["folder"])
  sys.path[0] = start["folder"]
  sys.argv = [NOTEBOOK]
  sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
  sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


  # What the cells see of their stage.

  class UndeclaredName(KeyError, AttributeError):
      def __str__(self):
          return self.args[0]


  def undeclared(kind, name, known):
      import difflib
      near = difflib.get_close_matches(name, known, 1)
      hint = f"; did you mean `{near[0]}`?" if near else ""
      return UndeclaredName(f"{kind} `{name}` is not declared by stage `{STAGE}`{hint}")


  def flatten(path, value, declared, leaves):
      if isinstance(value, dict) and value:
          for key, entry in value.items():
              flatten(f"{path}.{key}", entry, declared, leaves)
      else:
          leaves[path] = (value, declared)


  LEAVES = {}
  for key, value in json.loads(start["params"]).items():
      flatten(key, value, key, LEAVES)
  READ = set()


  class Parameters:
      """The stage's parameters: `params["train.lr"]` or `params.train.lr`."""
      __slots__ = ("_prefix",)

      def __init__(self, prefix=""):
          object.__setattr__(self, "_prefix", prefix)

      def __getitem__(self, name):
          path = self._prefix + name
          if path in LEAVES:
              value, declared = LEAVES[path]
              READ.add(declared)
              return value
          if any(leaf.startswith(path + ".") for leaf in LEAVES):
              return Parameters(path + ".")
          raise undeclared("parameter", path, LEAVES)

      def __getattr__(self, name):
          if name.startswith("__"):
              raise AttributeError(name)
          return self[name]

      def __setattr__(self, name, value):
          raise TypeError("parameters are read only: change them in params.yaml")

      __setitem__ = __setattr__

      def keys(self):
          return [leaf[len(self._prefix):] for leaf in LEAVES if leaf.startswith(self._prefix)]

      def __iter__(self):
          return iter(self.keys())

      def __len__(self):
          return len(self.keys())

      def __contains__(self, name):
          path = self._prefix + name
          return path in LEAVES or any(leaf.startswith(path + ".") for leaf in LEAVES)

      def items(self):
          return [(name, self[name]) for name in self.keys()]

      def values(self):
          return [self[name] for name in self.keys()]

      def __repr__(self):
          return repr(dict(self.items()))


  class Paths(dict):
      def __init__(self, kind, entries):
          super().__init__(entries)
          self._kind = kind

      def __missing__(self, name):
          raise undeclared(self._kind, name, list(self))


  # What the cells show.

  REPRS = [("_repr_html_", "text/html"), ("_repr_markdown_", "text/markdown"), ("_repr_svg_", "image/svg+xml"),
           ("_repr_png_", "image/png"), ("_repr_jpeg_", "image/jpeg"), ("_repr_latex_", "text/latex"),
           ("_repr_json_", "application/json")]
  ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


  def as_text(value):
      if isinstance(value, bytes):
          return base64.b64encode(value).decode()
      if isinstance(value, str):
          return value
      return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)


  def plain(value):
      """`repr`, laid out over several lines when long, without addresses, which differ from run to run."""
      if type(value) not in (dict, list, tuple, set):
          return ADDRESS.sub("", repr(value))
      import pprint
      return ADDRESS.sub("", pprint.pformat(value, width=88, sort_dicts=False))


  def call(value, name):
      method = getattr(value, name, None)
      if isinstance(value, type) or not callable(method):
          return None
      try:
          result = method()
          return result[0] if isinstance(result, tuple) else result
      except Exception as error:
          kind = type(value).__name__
          print(f"{NOTEBOOK}: warning: `{name}` of {kind} failed: {type(error).__name__}: {error}", file=sys.stderr)
          return None


  def cell_text(value):
      if value is None or value != value:
          return None
      return number_text(float(value)) if isinstance(value, float) else str(value)


  def number_text(value):
      """With six decimals where more would be written, as pandas and polars show numbers."""
      text = repr(value)
      if len(text) <= 10:
          return text
      if 1e-3 <= abs(value) < 1e12:
          near = f"{value:.6f}".rstrip("0")
          return near + "0" if near.endswith(".") else near
      return f"{value:.6e}"


  def data_frame(value):
      """A data frame of pandas or polars as a table; `None` for anything else."""
      library = type(value).__module__.split(".")[0]
      if library not in ("pandas", "polars") or type(value).__name__ != "DataFrame":
          return None
      if library == "polars":
          rows = [[cell_text(entry) for entry in row] for row in value.head(50).rows()]
          return {"columns": value.columns, "rows": rows, "totalRows": value.height}
      try:
          import pandas
          shown = value.head(50)
          if not isinstance(value.index, pandas.RangeIndex) or value.index.name:
              shown = shown.reset_index()
          rows = [[cell_text(None if pandas.api.types.is_scalar(entry) and pandas.isna(entry) else entry) for entry in row]
                  for row in shown.itertuples(index=False, name=None)]
          return {"columns": [str(column) for column in shown.columns], "rows": rows, "totalRows": len(value)}
      except Exception:
          return None


  IMAGES = [(b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg")]


  def bundle(value):
      if isinstance(value, bytes):
          for start, mime in IMAGES:
              if value.startswith(start):
                  return {mime: as_text(value), "text/plain": f"<{len(value)} bytes of {mime}>"}
      if type(value).__module__ == "pandas.io.formats.style" and type(value).__name__ == "Styler":
          # It names itself at random.
          current["styles"] += 1
          value.set_uuid(f"{current['cell']}-{current['styles']}")
      data = call(value, "_repr_mimebundle_")
      data = {mime: as_text(entry) for mime, entry in data.items()} if isinstance(data, dict) else {}
      # Who gives a bundle has said all; the HTML of charts beside it would load scripts, under a random id.
      is_whole = any(mime != "text/plain" for mime in data)
      for name, mime in REPRS:
          if mime not in data and not is_whole:
              entry = call(value, name)
              if entry is not None:
                  data[mime] = as_text(entry)
      if any(mime.startswith("application/vnd.vegalite.") for mime in data):
          # Altair's own text says that something went wrong.
          data["text/plain"] = f"<altair.{type(value).__name__}>"
      table = data_frame(value)
      if table is not None:
          data["application/vnd.pipe.table+json"] = as_text(table)
      if "text/plain" not in data:
          try:
              data["text/plain"] = plain(value)
          except Exception as error:
              print(f"{NOTEBOOK}: warning: `repr` of {type(value).__name__} failed: {error}", file=sys.stderr)
              data["text/plain"] = f"<{type(value).__name__}>"
      for mime in [mime for mime, text in data.items() if len(text) > LARGEST]:
          print(f"{NOTEBOOK}: warning: a display of {len(data[mime])} bytes as {mime} was left out", file=sys.stderr)
          del data[mime]
      return data


  def show(data):
      with lock:
          # A thread that outlives its cell, and a forked child, have no cell to show in.
          if not current["running"] or os.getpid() != PROCESS:
              return
          flush()
          answer({"event": "display", "data": data})
          requests.readline()


  def flush():
      for stream in (sys.stdout, sys.stderr):
          try:
              stream.flush()
          except Exception:
              pass


  # What libraries of charts do otherwise: open a browser, or show HTML with random ids that loads scripts from elsewhere.

  def after_altair(module):
      module.renderers.enable("mimetype")
      module.TopLevelMixin.show = module.TopLevelMixin.display = lambda self, *arguments, **options: display(self)


  def after_plotly_renderers(module):
      module.renderers.default = "plotly_mimetype"


  def after_plotly_figures(module):
      module.BaseFigure.show = lambda self, *arguments, **options: display(self)


  def after_ipython_display(module):
      module.display = ipython_display
      module.clear_output = lambda *arguments, **options: None


  AFTER_IMPORT = {
      "altair": after_altair, "plotly.io": after_plotly_renderers, "plotly.basedatatypes": after_plotly_figures,
      "IPython.core.display_functions": after_ipython_display,
  }


  class AfterImport:
      """Finds the modules above as they are found anyway, and does what is due once they are loaded."""

      def find_spec(self, name, path=None, target=None):
          if name not in AFTER_IMPORT:
              return None
          for finder in sys.meta_path:
              spec = None if finder is self else finder.find_spec(name, path, target)
              if spec is not None and spec.loader is not None:
                  load = spec.loader.exec_module

                  def loaded(module):
                      load(module)
                      try:
                          AFTER_IMPORT[name](module)
                      except Exception:
                          pass
                  spec.loader.exec_module = loaded
                  return spec
          return None


  sys.meta_path.insert(0, AfterImport())


  def ipython_display(*values, raw=False, include=None, exclude=None, metadata=None, transient=None, display_id=None,
                      clear=False, **options):
      for value in values:
          if raw and isinstance(value, dict):
              show({mime: as_text(entry) for mime, entry in value.items()})
          else:
              display(value)


  def display(*values):
      """Shows values below the cell, each as its richest form."""
      for value in values:
          if is_figure(value):
              show_figure(value)
          else:
              show(bundle(value))


  def displayhook(value):
      if value is None or (drawn(value) and figures_open()):
          return
      builtins._ = value
      display(value)


  # Figures of matplotlib.

  def is_figure(value):
      return type(value).__module__.startswith("matplotlib.") and type(value).__name__ == "Figure"


  def drawn(value):
      """Whether a value is a piece of a figure, such as what `plot` returns."""
      if isinstance(value, (list, tuple)) or type(value).__name__ in ("ndarray", "BarContainer", "silent_list"):
          try:
              return any(drawn(entry) for entry in list(value)[:100])
          except Exception:
              return False
      return type(value).__module__.startswith("matplotlib.") and not is_figure(value)


  def figures_open():
      plot = sys.modules.get("matplotlib.pyplot")
      return plot.get_fignums() if plot is not None else []


  def show_figure(figure):
      import io, matplotlib
      current["figures"] += 1
      buffer = io.StringIO()
      # The salt makes ids repeat from run to run, and differ from figure to figure of one page.
      with matplotlib.rc_context({"svg.hashsalt": f"{current['cell']}-{current['figures']}"}):
          figure.savefig(buffer, format="svg", metadata={"Date": None})
      text = buffer.getvalue()
      show({"image/svg+xml": text[text.index("<svg"):], "text/plain": plain(figure)})
      plot = sys.modules.get("matplotlib.pyplot")
      if plot is not None and getattr(figure, "number", None) is not None:
          plot.close(figure)


  def show_figures(*arguments, **options):
      for number in figures_open():
          show_figure(sys.modules["matplotlib.pyplot"].figure(number))


  # Running.

  main = types.ModuleType("__main__")
  pipe = types.ModuleType("pipe")
  pipe.params = Parameters()
  pipe.deps = Paths("dependency", start["deps"])
  pipe.outs = Paths("output", start["outs"])
  pipe.stage, pipe.root, pipe.tmp = STAGE, start["root"], start["tmp"]
  pipe.display = display
  pipe._show_figures = show_figures
  sys.modules["pipe"] = pipe
  sys.modules["__main__"] = main
  main.pipe, main.display, main.__builtins__ = pipe, display, builtins
  sys.displayhook = displayhook
  texts = {}
  flags = 0


  def remember(source, file, first):
      """Lets tracebacks and `inspect.getsource` find the cell's lines."""
      cell = source.split("\n")
      lines = texts.setdefault(file, [])
      lines.extend([""] * (first - 1 + len(cell) - len(lines)))
      lines[first - 1:first - 1 + len(cell)] = cell
      text = [line + "\n" for line in lines]
      linecache.cache[file] = (sum(map(len, text)), None, text, file)


  def compiled(tree, file, mode):
      global flags
      code = compile(tree, file, mode, flags, dont_inherit=True)
      for name in __future__.all_feature_names:
          flags |= code.co_flags & getattr(__future__, name).compiler_flag
      return code


  # Lines of IPython. What only sets the scene is left out; what does something is an error.

  warnings = []
  SCENERY = {"matplotlib", "config", "load_ext", "reload_ext", "autoreload", "precision", "xmode", "pdb", "colors", "pinfo"}
  TIMING = {"time", "prun", "memit", "mprun", "lprun"}
  SHOWN = {"html": "text/html", "markdown": "text/markdown", "latex": "text/latex", "svg": "image/svg+xml", "SVG": "image/svg+xml"}
  LINE_MAGIC = re.compile(r"^(\s*)%([A-Za-z_]\w*)(.*)$")
  ASSIGNED = re.compile(r"^\s*[\w.,\s\[\]]*=\s*[!%]")


  def warn(line, text):
      warnings.append({"line": line, "text": text})


  def foreign(file, line, text, what):
      advice = "a `%%bash` cell runs commands" if "!" in text.split("=")[-1].strip()[:1] else "write it in plain Python"
      return SyntaxError(f"`{what}` is for IPython, which does not run here; {advice}", (file, line, 1, text + "\n"))


  def without_cell_magic(source, file, first):
      """The source behind a `%%` line; `None` when nothing is left to run."""
      lines = source.split("\n")
      start = next((index for index, line in enumerate(lines) if line.strip() and not line.startswith("#")), None)
      if start is None or not lines[start].startswith("%%"):
          return source
      name = (lines[start][2:].split() or [""])[0]
      rest = "\n".join(lines[start + 1:])
      if name in TIMING:
          warn(first + start, f"`%%{name}` measures nothing here: the cell runs as it is")
          lines[start] = ""
          return "\n".join(lines)
      if name == "timeit":
          warn(first + start, "`%%timeit` measures nothing here: the cell is left out")
          return None
      if name in SHOWN:
          show({SHOWN[name]: rest, "text/plain": rest})
          return None
      raise foreign(file, first + start, lines[start], f"%%{name}") from None


  def without_line_magic(line, number, file):
      """A line of IPython as Python; `None` when it is none."""
      found = LINE_MAGIC.match(line)
      if found:
          space, name, rest = found.groups()
          if name in SCENERY:
              warn(number, f"`%{name}` means nothing here and is left out")
              return space + "pass"
          if name in TIMING and rest.strip():
              warn(number, f"`%{name}` measures nothing here: the statement runs as it is")
              return space + rest.strip()
          if name == "timeit":
              warn(number, "`%timeit` measures nothing here and is left out")
              return space + "pass"
          raise foreign(file, number, line, f"%{name}") from None
      text = line.strip()
      if text.startswith("!") or ASSIGNED.match(line):
          raise foreign(file, number, line, text) from None
      if text.startswith("?") or text.endswith("?"):
          warn(number, f"`{text}` asks IPython for help and is left out")
          return line[:len(line) - len(line.lstrip())] + "pass"
      return None


  def parsed(source, file, first):
      source = without_cell_magic(source, file, first)
      if source is None:
          return ast.Module(body=[], type_ignores=[])
      lines = source.split("\n")
      while True:
          try:
              text = "\n" * (first - 1) + "\n".join(lines)
              return compile(text, file, "exec", ast.PyCF_ONLY_AST | flags, dont_inherit=True)
          except SyntaxError as error:
              index = (error.lineno or 0) - first
              # Only a line that Python refuses can be IPython's: `%` may begin the second half of a calculation.
              plain = without_line_magic(lines[index], error.lineno, file) if 0 <= index < len(lines) else None
              if plain is None or plain == lines[index]:
                  raise
              lines[index] = plain


  def run(source, file, first):
      tree = parsed(source, file, first)
      last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
      if tree.body:
          exec(compiled(tree, file, "exec"), main.__dict__)
      if last is not None:
          value = eval(compiled(ast.Expression(last.value), file, "eval"), main.__dict__)
          if not source.rstrip().endswith(";"):
              sys.displayhook(value)
      show_figures()


  def without_driver(text):
      text.stack = traceback.StackSummary.from_list([frame for frame in text.stack if frame.filename != __file__])
      for other in (text.__cause__, text.__context__):
          if other is not None:
              without_driver(other)
      return text


  # Where libraries lie differs from machine to machine: `/usr/lib/python3.11/json/decoder.py` is `json/decoder.py`.
  LIBRARIES = sorted((path.rstrip("/") + "/" for path in sys.path[1:] if os.path.isabs(path)), key=len, reverse=True)


  def without_libraries(text):
      for path in LIBRARIES:
          text = text.replace(f'File "{path}', 'File "')
      return text


  def failure(error, file):
      text = "".join(without_driver(traceback.TracebackException.from_exception(error)).format())
      text = without_libraries(text)
      frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
      line = frames[-1] if frames else None
      if isinstance(error, SyntaxError) and error.filename == file:
          line = error.lineno
      if not frames:
          text = text.replace("Traceback (most recent call last):\n", "", 1)
      undeclared = isinstance(error, UndeclaredName)
      message = str(error) if undeclared else traceback.format_exception_only(type(error), error)[-1].strip()
      return {"event": "failed", "line": line, "text": text, "message": message, "undeclared": undeclared}


  def attempt(request):
      current.update(cell=request["cell"], figures=0, styles=0)
      del warnings[:]
      remember(request["source"], request["file"], request["line"])
      try:
          run(request["source"], request["file"], request["line"])
      except SystemExit as error:
          if error.code not in (None, 0):
              result = failure(error, request["file"])
              result["message"] = f"the cell called `sys.exit({error.code!r})`"
              return result
      except KeyboardInterrupt:
          signal.signal(signal.SIGINT, signal.SIG_DFL)
          os.kill(os.getpid(), signal.SIGINT)
      except BaseException as error:
          return failure(error, request["file"])
      return {"event": "done"}


  def serve():
      while True:
          line = requests.readline()
          if not line:
              return
          current["running"] = True
          result = attempt(json.loads(line))
          flush()
          if os.getpid() != PROCESS:
              os._exit(0)
          with lock:
              current["running"] = False
              result["read"] = sorted(READ)
              result["warnings"] = warnings
              answer(result)


  try:
      serve()
  except KeyboardInterrupt:
      pass

  """#

/// The matplotlib backend that hands figures to the driver.
let pythonFigureBackend = #"""
  from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas
  from matplotlib.backend_bases import FigureManagerBase as FigureManager


  def show(*arguments, **options):
      import sys
      # A program that a cell starts inherits the choice of backend, and has no driver.
      show_figures = getattr(sys.modules.get("pipe"), "_show_figures", None)
      if show_figures is not None:
          show_figures()

  """#
