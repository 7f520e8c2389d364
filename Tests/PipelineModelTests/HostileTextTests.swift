// Texts that mean harm: refused with their place, within bounded time and memory.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel
import Testing

private func pointerComplaint(_ text: String) -> String {
  do {
    _ = try PointerFileText.read(text, file: "x.dvc")
    return ""
  } catch {
    return lines(error)
  }
}

@Suite struct `A text that means harm` {
  @Test(arguments: [
    (".git/hooks/pre-commit", ".git"), ("sub/.git/config", ".git"), (".dvc/config", ".dvc"), (".hg/hgrc", ".hg"),
    ("a/../.pipe/config.yaml", ".pipe"),
  ])
  func `names no data in a folder whose files are obeyed`(_ path: String, _ folder: String) {
    #expect(
      pointerComplaint("outs:\n- md5: 900150983cd24fb0d6963f7d28e17f72\n  path: \(path)\n")
        == "x.dvc:3:9: error: the data's path lies in `\(folder)`: `\(path)`\nhint: nothing that is kept as data belongs there\n")
    let written = WorkspacePath(path)?.text ?? ""
    #expect(
      complaints("stages:\n  s:\n    cmd: x\n    outs: [\(path)]\n")
        == "pipeline.yaml:4:12: error: output `\(written)` lies in `\(folder)`\nhint: nothing that a stage makes belongs there\n")
  }

  @Test func `may name data beside such folders, and read from within them`() throws {
    #expect(pointerComplaint("outs:\n- md5: 900150983cd24fb0d6963f7d28e17f72\n  path: .github/x.git/.dvcignore\n") == "")
    #expect(complaints("stages:\n  s:\n    cmd: x\n    deps: [.git/HEAD]\n    outs: [.gitattributes]\n") == "")
  }

  @Test func `with a section of the wrong kind is told of it once`() {
    #expect(
      pointerComplaint("outs: {a: b}\n") == "x.dvc:1:7: error: `outs` has to be a list, not a mapping\n")
  }

  @Test func `cannot grow beyond bounds over all its stages together`() {
    let value = String(repeating: "x", count: 1_000_000)
    let items = (0..<400).map { "\($0)" }.joined(separator: ", ")
    let text = "vars:\n- a: \(value)\nstages:\n  s:\n    foreach: [\(items)]\n    do: {cmd: 'echo ${a} ${item}'}\n"
    for dialect in [Dialect.native, .dvc] {
      let error = #expect(throws: DiagnosticList.self) {
        try reading(text, at: dialect.manifestName, dialect)
      }
      #expect(
        error?.diagnostics.first?.message
          == "what `${…}` stands for adds up to more than 64 MiB in this manifest")
    }
  }

  @Test func `whose names are long gets no hint of a near one`() {
    let long = String(repeating: "k", count: 300)
    #expect(
      complaints("stages: {s: {cmd: x}}\n\(long): 1\n").hasSuffix(
        "hint: known are stages, vars, params, metrics, plots, artifacts, datasets, title, desc, report, evaluations, models, meta, secrets\n"
      ))
  }
}
