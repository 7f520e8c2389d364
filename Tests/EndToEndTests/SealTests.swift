// Nothing to do, answered from a seal: never after a change that the project itself would notice.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

@Suite(.serialized) struct `An answer from a seal` {
  /// Sixty stages in three folders, enough for a seal.
  private static func write(_ site: Site, manifest: String) throws {
    var text = "stages:\n"
    for index in 0..<60 {
      text += "  s\(index):\n    cmd: cat in\(index).txt shared/y > out\(index).txt\n"
      text += "    deps: [in\(index).txt, shared]\n    outs: [out\(index).txt]\n"
      try site.write("\(index)\n", to: "in\(index).txt")
    }
    text += "  with:\n    cmd: echo > p.txt\n    params: [a]\n    outs: [p.txt]\n"
    try site.write(text, to: manifest)
    try site.write("a: 1\n", to: "params.yaml")
    try site.write("x\n", to: "shared/deep/x")
    try site.write("y\n", to: "shared/y")
    try site.write("z\n", to: "elsewhere/z")
  }

  private func seals(_ site: Site, _ state: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: "\(site.root)/\(state)/seals")) ?? []
  }

  @Test(arguments: ["pipeline.yaml", "dvc.yaml"])
  func `is the one that looking gives, whatever was edited`(manifest: String) throws {
    let isNative = manifest == "pipeline.yaml"
    let state = isNative ? ".pipe" : ".dvc/tmp/pipe"
    try withSite { site in
      try site.git("init", "-q")
      if !isNative { #expect(try site.pipe("init", "--dvc").status == 0) }
      try Self.write(site, manifest: manifest)
      #expect(try site.pipe("repro", "-q").status == 0)
      let seed = UInt64.random(in: 0 ... .max)
      var random = SeededGenerator(seed: seed)
      var given = 0
      for round in 0..<16 {
        usleep(30_000)
        for _ in 0..<2 { _ = try site.pipe("status") }
        if !seals(site, state).isEmpty { given += 1 }
        let edit = try change(site, manifest, &random)
        let quick = try site.pipe("status")
        try? FileManager.default.removeItem(atPath: "\(site.root)/\(state)/seals")
        let slow = try site.pipe("status")
        #expect(quick.out == slow.out && quick.status == slow.status, "seed \(seed), round \(round): \(edit)")
        #expect(try site.pipe("repro", "-q").status == 0, "seed \(seed), round \(round): \(edit)")
      }
      #expect(given > 5)
    }
  }

  /// One edit that may or may not matter; says what it was.
  private func change(_ site: Site, _ manifest: String, _ random: inout SeededGenerator) throws -> String {
    let number = Int.random(in: 0..<60, using: &random)
    let files = FileManager.default
    func path(_ name: String) -> String { "\(site.root)/\(name)" }
    switch Int.random(in: 0..<12, using: &random) {
    case 0:
      try site.write("\(Int.random(in: 0..<9, using: &random))\n", to: "in\(number).txt")
      return "in\(number).txt"
    case 1:
      try? files.removeItem(atPath: path("out\(number).txt"))
      return "out\(number).txt gone"
    case 2:
      try site.write("new\n", to: "shared/deep/n\(number)")
      return "a new file in shared"
    case 3:
      try? files.removeItem(atPath: path("shared/deep/n\(number)"))
      return "a file of shared gone"
    case 4:
      try site.write("a: \(number % 3)\n", to: "params.yaml")
      return "params.yaml"
    case 5:
      let ignore = manifest == "dvc.yaml" ? ".dvcignore" : ".pipeignore"
      try site.write("/shared/deep/n\(number)\n", to: ignore)
      return "an ignore file"
    case 6:
      let more = "stages:\n  more:\n    cmd: cp ../in1.txt o\n    deps: [../in1.txt]\n    outs: [o]\n"
      try site.write(more, to: "elsewhere/\(manifest)")
      return "a manifest in another folder"
    case 7:
      try? files.removeItem(atPath: path("elsewhere/\(manifest)"))
      return "the other manifest gone"
    case 8:
      let text = try #require(site.text(manifest))
      try site.write(text + "# \(number)\n", to: manifest)
      return "a comment"
    case 9:
      try site.write("old\n", to: "out\(number).txt")
      return "out\(number).txt written over"
    case 10:
      let store = manifest == "dvc.yaml" ? ".dvc/cache/files/md5" : ".pipe/store"
      let objects = files.enumerator(atPath: path(store))?.compactMap { $0 as? String }.filter { $0.utf8.count > 20 } ?? []
      if let object = objects.sorted().first {
        try files.removeItem(atPath: path("\(store)/\(object)"))
      }
      return "an object gone"
    default:
      try site.write("\(number)\n", to: "elsewhere/z")
      return "what nothing reads"
    }
  }

  @Test func `is given by repro too, and honours who holds the workspace`() throws {
    try withSite { site in
      try Self.write(site, manifest: "pipeline.yaml")
      #expect(try site.pipe("repro", "-q").status == 0)
      usleep(30_000)
      let first = try site.pipe("repro")
      #expect(first.err == "nothing to do: 61 up to date\n")
      #expect(seals(site, ".pipe").count == 1)
      #expect(try site.pipe("repro").err == first.err)
      for name in seals(site, ".pipe") { try site.write("garbage", to: ".pipe/seals/\(name)") }
      #expect(try site.pipe("repro").err == first.err)
    }
  }

  @Test func `leaves no more than eight seals`() throws {
    try withSite { site in
      try Self.write(site, manifest: "pipeline.yaml")
      #expect(try site.pipe("repro", "-q").status == 0)
      usleep(30_000)
      for flags in [
        [], ["-q"], ["--json"], ["--check"], ["-d"], ["--json", "-d"], ["-q", "-d"], ["--check", "-d"], ["-q", "--check"],
      ] {
        #expect(try site.run(pipeBinary, ["status"] + flags).status == 0)
      }
      #expect(seals(site, ".pipe").count == 8)
    }
  }
}
