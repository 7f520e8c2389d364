// Data under add, commit, checkout, move and remove, in both dialects.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

private func withDVCSite(_ body: (Site) throws -> Void) throws {
  try withSite { site in
    try site.git("init", "-q")
    #expect(try site.pipe("init", "--dvc").status == 0)
    try site.git("commit", "-qm", "empty")
    try body(site)
  }
}

extension Site {
  /// Digits of all objects, sorted; directory lists end in `.dir`.
  fileprivate func objects() -> [String] {
    (FileManager.default.enumerator(atPath: "\(root)/.dvc/cache/files/md5")?.compactMap { $0 as? String } ?? [])
      .filter { $0.contains("/") }.map { $0.replacingOccurrences(of: "/", with: "") }.sorted()
  }

  fileprivate func refuses(_ arguments: String..., saying words: String) throws {
    let ended = try run(pipeBinary, arguments)
    #expect(ended.status == 2, "\(arguments): \(ended.err)")
    #expect(ended.err.contains(words), "\(ended.err)")
  }

  fileprivate func succeeds(_ arguments: String...) throws {
    let ended = try run(pipeBinary, arguments)
    #expect(ended.status == 0, "\(arguments): \(ended.err)")
  }

  fileprivate func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
  }
}

private let one = "b026324c6904b2a9cb4b88d6d61c81d1"
private let two = "26ab0db90d72e28ad0ba1e22ee510510"

@Suite(.serialized) struct `Data in a DVC project` {
  @Test func `a file is kept, with the pointer and the ignore line that DVC writes`() throws {
    try withDVCSite { site in
      try site.write("1\n", to: "f")
      try site.succeeds("add", "f")
      #expect(site.text("f.dvc") == "outs:\n- md5: \(one)\n  size: 2\n  hash: md5\n  path: f\n")
      #expect(site.text(".gitignore") == "/f\n")
      #expect(site.objects() == [one])
      #expect(try site.git("ls-files").out == ".dvc/.gitignore\n.dvc/config\n.dvcignore\n")
    }
  }

  @Test func `a part of a folder goes in and out of its pointer, the size only while it is known`() throws {
    try withDVCSite { site in
      try site.makeFolder("d/s")
      try site.write("1\n", to: "d/a")
      try site.write("2\n", to: "d/s/b")
      try site.succeeds("add", "d")
      #expect(
        site.text("d.dvc")
          == "outs:\n- md5: 2f83d11e62144c050f1158231deb8507.dir\n  size: 4\n  nfiles: 2\n  hash: md5\n  path: d\n")
      try site.write("3\n", to: "d/s/c")
      try site.write("changed, but not named\n", to: "d/a")
      try site.succeeds("add", "d/s/c")
      #expect(
        site.text("d.dvc")
          == "outs:\n- md5: ed61ee6430b2da1ad5e1dc7155176b96.dir\n  size: 6\n  nfiles: 3\n  hash: md5\n  path: d\n")
      try site.remove("d/s/b")
      try site.succeeds("add", "d/s/b")
      #expect(site.text("d.dvc") == "outs:\n- md5: cfa109c37dcf6c2796c722596a67e491.dir\n  nfiles: 2\n  hash: md5\n  path: d\n")
      try site.refuses("add", "d/s/b", saying: "neither in the workspace nor in what `d` was")
    }
  }

  @Test func `several targets are all looked at before one is added`() throws {
    try withDVCSite { site in
      try site.write("1\n", to: "f")
      try site.write("*.log\n", to: ".dvcignore")
      try site.write("1\n", to: "x.log")
      try site.makeFolder("d")
      try site.write("1\n", to: "d/x")
      try site.refuses("add", "f", "nosuch", saying: "there is no `nosuch`")
      try site.refuses("add", "f", "x.log", saying: "`x.log` is ignored\ncause: by .dvcignore:1:*.log")
      try site.refuses("add", "d", "d/x", saying: "`d/x` lies in `d`: add one of the two")
      try site.refuses("add", "f", "/etc/hostname", saying: "`/etc/hostname` lies outside the project")
      try site.git("add", "f")
      try site.refuses("add", "d/x", "f", saying: "Git tracks `f`, or files in it")
      #expect(!site.exists("f.dvc") && !site.exists("d/x.dvc") && !site.exists(".gitignore"))
      #expect(site.objects() == [])
    }
  }

  @Test func `what a stage makes, and what lies in it, is not added`() throws {
    try withDVCSite { site in
      try site.write("stages:\n  s:\n    cmd: mkdir o && echo 1 > o/x\n    outs:\n    - o\n", to: "dvc.yaml")
      try site.succeeds("repro")
      try site.refuses("add", "o", saying: "`o` is made by stage `s`")
      try site.refuses("add", "o/x", saying: "`o/x` is made by stage `s`")
      try site.refuses("add", "dvc.yaml", saying: "`dvc.yaml` is a file of the project itself, not data")
    }
  }

  @Test func `links become copies, and nothing is added from behind one`() throws {
    try withDVCSite { site in
      try site.write("1\n", to: "real")
      try site.makeFolder("rd")
      try site.write("2\n", to: "rd/x")
      try FileManager.default.createSymbolicLink(atPath: "\(site.root)/link", withDestinationPath: "real")
      try FileManager.default.createSymbolicLink(atPath: "\(site.root)/ld", withDestinationPath: "rd")
      try site.succeeds("add", "link")
      #expect((try? FileManager.default.destinationOfSymbolicLink(atPath: "\(site.root)/link")) == nil)
      #expect(site.text("link") == "1\n")
      try site.refuses("add", "ld", saying: "`ld` is a link to a folder")
      try site.refuses("add", "ld/x", saying: "`ld/x` lies behind the link `ld`")
    }
  }

  @Test func `out copies data from elsewhere and replaces only when told to`() throws {
    try withDVCSite { site in
      let source = "\(site.folder.path)/source"
      try "1\n".write(toFile: source, atomically: true, encoding: .utf8)
      try site.makeFolder("sub")
      try site.succeeds("add", source, "--out", "sub")
      #expect(site.text("sub/source.dvc") == "outs:\n- md5: \(one)\n  size: 2\n  hash: md5\n  path: source\n")
      #expect(site.text("sub/source") == "1\n")
      try "2\n".write(toFile: source, atomically: true, encoding: .utf8)
      try site.refuses("add", source, "-o", "sub/source", saying: "`sub/source` is there already")
      try site.succeeds("add", source, "-o", "sub/source", "--force")
      #expect(site.text("sub/source") == "2\n")
      #expect(try String(contentsOfFile: source, encoding: .utf8) == "2\n")
      try site.refuses("add", "--to-remote", "f", saying: "--to-remote is not there yet")
    }
  }

  @Test func `without a commit only the pointer is written, and commit keeps the object`() throws {
    try withDVCSite { site in
      try site.write("1\n", to: "f")
      try site.succeeds("add", "--no-commit", "f")
      #expect(site.objects() == [])
      // The object alone is missing: that is no change to ask about.
      try site.succeeds("commit")
      #expect(site.objects() == [one])
      try site.write("2\n", to: "f")
      try site.refuses("commit", saying: "`f.dvc` changed: `f`\nhint: --force records it as it is now")
      #expect(site.text("f.dvc")?.contains(one) == true)
      try site.succeeds("commit", "--force", "f")
      #expect(site.text("f.dvc") == "outs:\n- md5: \(two)\n  size: 2\n  hash: md5\n  path: f\n")
    }
  }

  @Test func `commit records a stage that never ran, which repro then leaves alone`() throws {
    try withDVCSite { site in
      try site.write("stages:\n  s:\n    cmd: cat in > out; false\n    deps:\n    - in\n    outs:\n    - out\n", to: "dvc.yaml")
      try site.write("1\n", to: "in")
      try site.refuses("commit", "-f", saying: "`out` of `s` is not there")
      try site.write("2\n", to: "out")
      try site.succeeds("commit", "-f")
      #expect(
        site.text("dvc.lock") == """
          schema: '2.0'
          stages:
            s:
              cmd: cat in > out; false
              deps:
              - path: in
                hash: md5
                md5: \(one)
                size: 2
              outs:
              - path: out
                hash: md5
                md5: \(two)
                size: 2

          """)
      #expect(site.text(".gitignore") == "/out\n")
      try site.succeeds("repro")
      #expect(site.text("out") == "2\n")
    }
  }

  @Test func `checkout changes a folder file by file and leaves what is not its own`() throws {
    try withDVCSite { site in
      try site.write("*.log\n", to: ".dvcignore")
      try site.makeFolder("d/s")
      try site.write("1\n", to: "d/a")
      try site.write("2\n", to: "d/s/b")
      try site.succeeds("add", "d")
      try site.write("mine\n", to: "d/own.log")
      try site.remove("d/s")
      let ended = try site.pipe("checkout")
      #expect(ended.status == 0)
      #expect(ended.out == "M       d/\n")
      #expect(site.text("d/s/b") == "2\n" && site.text("d/own.log") == "mine\n")
      try site.remove("d/s/b")
      try site.remove("d/a")
      try site.succeeds("checkout", "d/s")
      #expect(site.exists("d/s/b") && !site.exists("d/a"))
      #expect(try site.pipe("checkout", "--summary").out == "1 file added\n")
      #expect(try site.pipe("checkout", "--summary").out == "No changes.\n")
    }
  }

  @Test func `checkout refuses as a whole to lose what nobody has a copy of`() throws {
    try withDVCSite { site in
      try site.write("1\n", to: "f")
      try site.write("2\n", to: "g")
      try site.succeeds("add", "f", "g")
      try site.write("mine\n", to: "f")
      try site.remove("g")
      try site.refuses("checkout", saying: "`f` was changed and the store has no copy of it")
      #expect(site.text("f") == "mine\n" && !site.exists("g"))
      let ended = try site.pipe("checkout", "--force", "--json")
      #expect(
        ended.out
          == #"{"modified": ["f"], "added": ["g"], "deleted": [], "failed": [], "stats": {"modified": 1, "added": 1, "deleted": 0}}"#
          + "\n")
      #expect(site.text("f") == "1\n" && site.text("g") == "2\n")
    }
  }

  @Test func `checkout restores what it can, says what it cannot, and may do without`() throws {
    try withDVCSite { site in
      try site.write("1\n", to: "f")
      try site.write("2\n", to: "g")
      try site.succeeds("add", "f", "g")
      try site.remove("f")
      try site.remove("g")
      try site.remove(".dvc/cache/files/md5/b0/26324c6904b2a9cb4b88d6d61c81d1")
      let ended = try site.pipe("checkout")
      #expect(ended.status == 4)
      #expect(ended.err.contains("error: the store has no `f` (b026324c6904…)\n"))
      #expect(site.text("g") == "2\n")
      try site.succeeds("checkout", "--allow-missing")
    }
  }

  @Test func `checkout of a stage that never ran fails beside DVC, as it does there, and leaves the file of its output`() throws {
    try withDVCSite { site in
      try site.write("stages:\n  a:\n    cmd: echo 1 > o\n    outs: [o]\n", to: "dvc.yaml")
      #expect(try site.pipe("checkout", "--force").status == 2)
      try site.write("mine\n", to: "o")
      try site.refuses("checkout", "--force", saying: "nothing was agreed on `o` yet")
      #expect(site.text("o") == "mine\n")
      try site.succeeds("checkout", "--force", "--allow-missing")
    }
  }

  @Test func `checkout takes away what it placed and nothing names any more, but not what was changed since`() throws {
    try withDVCSite { site in
      try site.write("1\n", to: "f")
      try site.write("2\n", to: "g")
      try site.succeeds("add", "f", "g")
      try site.succeeds("remove", "f.dvc", "g.dvc")
      #expect(site.exists("f") && site.exists("g") && !site.exists(".gitignore"))
      try site.write("mine\n", to: "g")
      #expect(try site.pipe("checkout").out == "D       f\n")
      #expect(!site.exists("f") && site.text("g") == "mine\n")
    }
  }

  @Test func `a list whose names lead outside writes nothing there`() throws {
    try withDVCSite { site in
      try site.makeFolder("d")
      try site.write("1\n", to: "d/a")
      try site.succeeds("add", "d")
      let bytes = #"[{"md5": "\#(one)", "relpath": "../../evil"}]"#
      let hostile = "e6b11cea0d1f8ad6657869f0efb6d853.dir"
      try site.makeFolder(".dvc/cache/files/md5/\(hostile.prefix(2))")
      try site.write(bytes, to: ".dvc/cache/files/md5/\(hostile.prefix(2))/\(hostile.dropFirst(2))")
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o444],
        ofItemAtPath: "\(site.root)/.dvc/cache/files/md5/\(hostile.prefix(2))/\(hostile.dropFirst(2))")
      try site.write("outs:\n- md5: \(hostile)\n  hash: md5\n  path: d\n", to: "d.dvc")
      #expect(try site.pipe("checkout", "--force").status != 0)
      #expect(!FileManager.default.fileExists(atPath: "\(site.folder.path)/evil"))
      #expect(!site.exists("evil"))
    }
  }

  @Test func `move takes data, pointer and ignore line along, and overwrites nothing`() throws {
    try withDVCSite { site in
      try site.makeFolder("sub")
      try site.write("1\n", to: "f")
      try site.write("mine\n", to: "own")
      try site.succeeds("add", "f")
      try site.refuses("move", "f", "own", saying: "`own` is there already, and the store has no copy of it")
      try site.refuses("move", "own", "f2", saying: "`own` is not tracked")
      try site.succeeds("mv", "f", "sub")
      #expect(site.text("sub/f") == "1\n" && !site.exists("f") && !site.exists("f.dvc") && !site.exists(".gitignore"))
      #expect(site.text("sub/f.dvc") == "outs:\n- md5: \(one)\n  size: 2\n  hash: md5\n  path: f\n")
      #expect(site.text("sub/.gitignore") == "/f\n")
      // The record moves as it is: data that was changed is still changed.
      try site.write("2\n", to: "sub/f")
      try site.succeeds("mv", "sub/f", "g")
      #expect(site.text("g.dvc")?.contains(one) == true)
      #expect(site.objects() == [two, one])
    }
  }

  @Test func `remove takes a stage out of manifest, lock and ignore file, and with its last stage the manifest`() throws {
    try withDVCSite { site in
      let first = "stages:\n  a:\n    cmd: echo 1 > a\n    outs:\n    - a\n"
      try site.write(first + "  # about b\n  b:\n    cmd: echo 2 > b\n    outs:\n    - b\n", to: "dvc.yaml")
      try site.succeeds("repro")
      try site.refuses("remove", "a.txt", saying: "no stage and no output is named `a.txt`")
      try site.refuses("rm", "./a", saying: "`./a` is data, not a stage or a pointer file")
      try site.succeeds("rm", "b", "--outs")
      #expect(!site.exists("b") && site.exists("a"))
      #expect(site.text("dvc.yaml")?.hasPrefix(first) == true)
      #expect(site.text("dvc.lock")?.contains("b:") == false)
      #expect(site.text(".gitignore") == "/a\n")
      try site.succeeds("rm", "a")
      #expect(!site.exists("dvc.yaml") && !site.exists("dvc.lock") && !site.exists(".gitignore"))
      #expect(site.exists("a"))
    }
  }

  @Test func `remove refuses what was made from a template`() throws {
    try withDVCSite { site in
      try site.write("v: 1\n", to: "params.yaml")
      let text =
        "stages:\n  a:\n    cmd: echo ${v} > a\n    outs:\n    - a\n  m:\n    foreach: [x]\n    do:\n      cmd: echo ${item}\n"
      try site.write(text, to: "dvc.yaml")
      try site.refuses("remove", "a", saying: "stage `a` has `${…}` in it and cannot be removed by a command")
      try site.refuses("remove", "m@x", saying: "`m@x` is made from the template `m`")
      try site.refuses("remove", "m", saying: "`m` is made from the template `m`")
      #expect(site.text("dvc.yaml") == text)
    }
  }

  @Test func `links to the store are made and unmade as the configuration says`() throws {
    try withDVCSite { site in
      func names(_ file: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: "\(site.root)/\(file)")[.referenceCount] as? Int ?? 0
      }
      try site.succeeds("config", "cache.type", "hardlink")
      try site.write("1\n", to: "f")
      try site.succeeds("add", "f")
      #expect(try names("f") == 2)
      try site.succeeds("unprotect", "f")
      #expect(try names("f") == 1)
      try site.refuses("unprotect", "nosuch", saying: "there is no `nosuch`")
      #expect(try site.pipe("checkout", "--relink").out == "Relinked successfully\n")
      #expect(try names("f") == 2)
      try site.succeeds("config", "cache.type", "copy")
      try site.succeeds("checkout", "--relink")
      #expect(try names("f") == 1)
    }
  }

  @Test func `a link whose object is gone is a file that is missing, and not kept`() throws {
    try withDVCSite { site in
      try site.makeFolder("d")
      try site.write("1\n", to: "d/a")
      try site.write("2\n", to: "d/b")
      try site.succeeds("add", "d")
      try site.remove("d/a")
      try FileManager.default.createSymbolicLink(atPath: "\(site.root)/d/a", withDestinationPath: "\(site.root)/nowhere")
      #expect(try site.pipe("status", "--json").out.contains(#"{"d": "modified"}"#))
      let refused = try site.pipe("commit", "--force")
      #expect(refused.status == 4 && refused.err.contains("cannot follow the link"))
      try site.succeeds("checkout", "--force")
      #expect(site.text("d/a") == "1\n" && site.text("d/b") == "2\n")
    }
  }

  @Test(arguments: ["[o]", "[{o: {persist: true}}]"])
  func `a stage does not write through a link whose object is gone`(outputs: String) throws {
    try withDVCSite { site in
      try site.succeeds("config", "cache.type", "symlink")
      try site.write("stages:\n  a:\n    cmd: echo 1 > o\n    outs: \(outputs)\n", to: "dvc.yaml")
      try site.succeeds("repro")
      let object = ".dvc/cache/files/md5/b0/26324c6904b2a9cb4b88d6d61c81d1"
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(site.root)/o").hasSuffix(object))
      try site.remove(object)
      try site.write("stages:\n  a:\n    cmd: echo 2 > o\n    outs: \(outputs)\n", to: "dvc.yaml")
      try site.succeeds("repro")
      #expect(site.text("o") == "2\n" && !site.exists(object))
    }
  }

  @Test func `a result that is restored over an equal copy becomes a link, where links are configured`() throws {
    try withDVCSite { site in
      func manifest(_ text: String) throws {
        try site.write("stages:\n  a:\n    cmd: echo \(text) > o\n    deps: [d]\n    outs: [o]\n", to: "dvc.yaml")
      }
      try site.write("", to: "d")
      try site.succeeds("config", "cache.type", "symlink")
      for text in ["1", "2"] {
        try manifest(text)
        try site.succeeds("repro")
      }
      try site.remove("o")
      try site.write("1\n", to: "o")
      try manifest("1")
      #expect(try site.pipe("repro").err.contains("a restored"))
      #expect(
        try FileManager.default.destinationOfSymbolicLink(atPath: "\(site.root)/o").hasSuffix("26324c6904b2a9cb4b88d6d61c81d1"))
    }
  }

  @Test func `a copy made anew keeps the executable bit that somebody gave the file`() throws {
    try withDVCSite { site in
      try site.write("1\n", to: "f")
      try site.succeeds("add", "f")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(site.root)/f")
      try site.succeeds("checkout", "--relink", "--force")
      #expect(FileManager.default.isExecutableFile(atPath: "\(site.root)/f"))
    }
  }

  @Test func `repro --pull takes a result whose input nobody has any more for done`() throws {
    try withDVCSite { site in
      try site.write("1\n", to: "input")
      try site.write("stages:\n  a:\n    cmd: cat input > o; echo ran >> log\n    deps: [input]\n    outs: [o]\n", to: "dvc.yaml")
      try site.succeeds("repro")
      try site.remove("input")
      try site.remove("o")
      try site.refuses("repro", saying: "`input`, a dependency of stage `a`, is not there and no stage makes it")
      try site.succeeds("repro", "--pull")
      #expect(site.text("o") == "1\n" && site.text("log") == "ran\n")
    }
  }
}

@Suite(.serialized) struct `Data in a native project` {
  @Test func `add, change, commit, checkout, move and remove work with pointer files of its own`() throws {
    try withSite { site in
      try site.git("init", "-q")
      try site.succeeds("init")
      try site.makeFolder("d")
      try site.write("1\n", to: "d/a")
      try site.succeeds("add", "d")
      #expect(site.text("d.pipe")?.contains("  hash: sha256\n  path: d\n") == true)
      #expect(site.text(".gitignore")?.contains("/d\n") == true)
      let first = site.text("d.pipe")
      try site.write("2\n", to: "d/b")
      try site.succeeds("commit", "--force", "d.pipe")
      let second = site.text("d.pipe")
      #expect(first != second && second?.contains("nfiles: 2") == true)
      try site.remove("d")
      try site.succeeds("checkout", "d/b")
      #expect(site.text("d/b") == "2\n" && !site.exists("d/a"))
      try site.write(first ?? "", to: "d.pipe")
      try site.succeeds("checkout")
      #expect(site.text("d/a") == "1\n" && !site.exists("d/b"))
      try site.succeeds("move", "d", "e")
      #expect(site.text("e/a") == "1\n" && site.exists("e.pipe") && !site.exists("d.pipe"))
      try site.succeeds("remove", "e.pipe")
      #expect(site.exists("e/a"))
      try site.succeeds("checkout")
      #expect(!site.exists("e"))
    }
  }
}
