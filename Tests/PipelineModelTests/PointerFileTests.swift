// Pointer files, manifests and `.gitignore`: changed as DVC leaves them.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel
import TestSupport
import Testing

@Suite struct PointerFileTests {
  @Test func `a new pointer file has DVC's rows`() throws {
    let place = try #require(WorkspacePath("sub/sp ace é.txt"))
    let digest = Digest(.md5, hex: "60b725f10c9c85c70d97880dfe8191b3")
    let text = PointerFileText.write(PointerFile(outputs: [.init(place: place, digest: digest, size: 2, isExecutable: true)]))
    #expect(
      text == """
        outs:
        - md5: 60b725f10c9c85c70d97880dfe8191b3
          size: 2
          isexec: true
          hash: md5
          path: sp ace é.txt

        """)
    let back = try PointerFileText.read(text, file: "x.dvc", in: WorkspacePath("sub"))
    #expect(back.outputs[0].place == place)
    #expect(back.outputs[0].digest == digest)
  }

  @Test func `a native pointer file has the same form`() throws {
    let place = try #require(WorkspacePath("data"))
    let hex = String(repeating: "ab", count: 32) + ".dir"
    let pointer = PointerFile(outputs: [.init(place: place, digest: Digest(.sha256, hex: hex), size: 2, files: 1)])
    let text = PointerFileText.write(pointer)
    #expect(text == "outs:\n- sha256: \(hex)\n  size: 2\n  nfiles: 1\n  hash: sha256\n  path: data\n")
    #expect(try PointerFileText.read(text, file: "data.pipe") == pointer)
  }

  @Test func `a change leaves comments, order and annotations as DVC does`() throws {
    let before = try dvcFixture("pointer-before.yaml")
    var pointer = try PointerFileText.read(before, file: "f2.dvc")
    #expect(pointer.outputs[0].type == "model")
    #expect(pointer.outputs[0].labels == ["a", "b"])
    #expect(pointer.description == "my data")
    pointer.outputs[0].digest = Digest(.md5, hex: "c37f8bc8917fdf64a45bb6010380cdab.dir")
    pointer.outputs[0].size = 4
    pointer.outputs[0].files = 2
    #expect(try PointerFileText.updating(before, with: pointer, file: "f2.dvc") == dvcFixture("pointer-after.yaml"))
    #expect(try PointerFileText.updating(before, with: try PointerFileText.read(before, file: ""), file: "") == before)
  }

  @Test func `an import is read and written whole`() throws {
    let text = try dvcFixture("pointer-import.yaml")
    let pointer = try PointerFileText.read(text, file: "gg.dvc")
    #expect(pointer.isFrozen)
    #expect(pointer.dependencies[0].repository != nil)
    #expect(PointerFileText.write(pointer) == text)
  }

  @Test func `a path that leads out is refused`() throws {
    for path in ["/etc/passwd", "../x", "a/../../x", "", "s3://b/k", "."] {
      let error = #expect(throws: DiagnosticList.self) {
        _ = try PointerFileText.read("outs:\n- path: '\(path)'\n", file: "x.dvc")
      }
      #expect(error?.diagnostics.first?.message == "the data's path leads out of the project: `\(path)`")
      #expect(error?.diagnostics.first?.location == SourceLocation(file: "x.dvc", line: 2, column: 9))
    }
    #expect(throws: DiagnosticList.self) {
      _ = try PointerFileText.read("wdir: ../..\nouts:\n- path: x\n", file: "", in: WorkspacePath("a"))
    }
    #expect(
      try PointerFileText.read("wdir: ..\nouts:\n- path: x\n", file: "", in: WorkspacePath("a")).outputs[0].place.text == "x")
  }

  @Test func `no text brings the reader or the change down`() throws {
    let seed: UInt64 = 42
    print("seed \(seed)")
    let place = try #require(WorkspacePath("new"))
    let other = PointerFile(outputs: [.init(place: place, digest: Digest(.md5, hex: String(repeating: "1", count: 32)), size: 3)])
    for text in mutations(of: try dvcFixture("pointer-before.yaml"), count: 1500, seed: seed) {
      guard let known = try? PointerFileText.read(text, file: "x.dvc") else { continue }
      #expect(
        try PointerFileText.read(PointerFileText.updating(text, with: known, file: "x"), file: "x") == known, "of:\n\(text)")
      #expect(
        try PointerFileText.read(PointerFileText.updating(text, with: other, file: "x"), file: "x") == other, "of:\n\(text)")
    }
  }
}

@Suite struct YAMLEditTests {
  private static func draft() -> StageDraft {
    var draft = StageDraft(commands: ["echo 'hi' > zo && echo \"a: b\" # x"])
    draft.dependencies = ["b.txt", "a.txt"]
    draft.parameters = [("p.json", ["k"]), ("params.yaml", ["z", "lr"])]
    var kept = StageDraft.Output(path: "zo")
    kept.isPersistent = true
    var metrics = StageDraft.Output(path: "m.json", kind: .metrics)
    metrics.isCached = false
    draft.outputs = [kept, metrics, .init(path: "a o")]
    return draft
  }

  @Test func `a manifest is left as DVC leaves it`() throws {
    let text = try dvcFixture("manifest.yaml")
    let file = "dvc.yaml"
    #expect(try YAMLEdit.adding(Self.draft(), named: "new", to: text, file: file) == dvcFixture("manifest-added.yaml"))
    #expect(try YAMLEdit.replacing("a", with: Self.draft(), in: text, file: file) == dvcFixture("manifest-forced.yaml"))
    #expect(try YAMLEdit.settingFrozen(true, stage: "a", in: text, file: file) == dvcFixture("manifest-frozen.yaml"))
    #expect(try YAMLEdit.settingFrozen(false, stage: "a", in: dvcFixture("manifest-frozen.yaml"), file: file) == text)
    #expect(try YAMLEdit.removing("a", from: text, file: file) == dvcFixture("manifest-removed.yaml"))
  }

  @Test func `comments stay where they are`() throws {
    let text = """
      # head
      stages:
        a:
          cmd: x   # run

        # second
        b: {cmd: y}
        c:
          foreach: [1]
          do:
            cmd: z
          # of c
      # end
      """
    let frozen = try YAMLEdit.settingFrozen(true, stage: "a", in: text, file: "")
    #expect(frozen == text.replacing("  # run\n", with: "  # run\n    frozen: true\n"))
    #expect(
      try YAMLEdit.settingFrozen(true, stage: "c", in: text, file: "")
        == text.replacing("cmd: z\n", with: "cmd: z\n      frozen: true\n"))
    let removed = try YAMLEdit.removing("b", from: text, file: "")
    #expect(removed == text.replacing("  b: {cmd: y}\n", with: ""))
    #expect(try YAMLEdit.adding(StageDraft(commands: ["w"]), named: "d", to: text, file: "") == text + "\n  d:\n    cmd: w\n")
  }

  @Test func `an unknown or a taken name is said`() {
    let text = "stages:\n  train:\n    cmd: x\n"
    let unknown = #expect(throws: DiagnosticList.self) { _ = try YAMLEdit.removing("trian", from: text, file: "dvc.yaml") }
    #expect(unknown?.diagnostics.first?.hints == ["did you mean `train`?"])
    #expect(throws: DiagnosticList.self) { _ = try YAMLEdit.adding(Self.draft(), named: "train", to: text, file: "dvc.yaml") }
  }

  @Test func `no text brings a change down, and what it says else stays`() throws {
    let seed: UInt64 = 7
    print("seed \(seed)")
    for text in mutations(of: try dvcFixture("manifest-added.yaml"), count: 1000, seed: seed) {
      let before = YAMLReader.read(text, file: "").tree?["stages"]
      if let changed = try? YAMLEdit.settingFrozen(true, stage: "new", in: text, file: "") {
        let after = YAMLReader.read(changed, file: "").tree?["stages"]
        #expect(after?["new"]?["frozen"]?.value == .bool(true) || after?["new"]?["do"] != nil, "of:\n\(text)")
        #expect(after?["b"]?.value == before?["b"]?.value, "of:\n\(text)")
      }
      if let changed = try? YAMLEdit.removing("b", from: text, file: "") {
        let after = YAMLReader.read(changed, file: "").tree?["stages"]
        #expect(after?["b"] == nil)
        #expect(after?["new"]?.value == before?["new"]?.value, "of:\n\(text)")
      }
    }
  }
}

@Suite struct GitIgnoreTextTests {
  @Test func `a line is added once, with what Git would take for a pattern escaped`() {
    #expect(GitIgnoreText.adding("zo", to: nil) == "/zo\n")
    #expect(GitIgnoreText.adding("we[i]rd #1!?\\.txt", to: "/zo\n") == "/zo\n/we\\[i\\]rd \\#1\\!\\?\\\\.txt\n")
    #expect(GitIgnoreText.adding("b", to: "/a") == "/a\n/b\n")
    #expect(GitIgnoreText.adding("a", to: "/b\n/a") == "/b\n/a")
    #expect(GitIgnoreText.adding("a", to: " /a \r\n") == " /a \r\n")
    #expect(GitIgnoreText.adding("a", to: "/ab\n") == "/ab\n/a\n")
    #expect(GitIgnoreText.adding(["b", "a", "c", "b"], to: "/a") == "/a\n/b\n/c\n")
  }

  @Test func `a line is removed, and the file with the last one`() {
    #expect(GitIgnoreText.removing("a", from: "/a\n") == nil)
    #expect(GitIgnoreText.removing("a", from: "# keep\n/a\n/ab\n/a\n") == "# keep\n/ab\n")
    #expect(GitIgnoreText.removing("x[1]", from: "/x\\[1\\]\n/y") == "/y")
    #expect(GitIgnoreText.removing("z", from: "/a") == "/a")
    #expect(GitIgnoreText.removing("z", from: "") == nil)
  }
}
