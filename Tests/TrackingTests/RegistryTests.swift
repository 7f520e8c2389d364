// Versions and aliases of models, as files.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import TestSupport
import Testing
import Tracking

@Suite struct RegistryTests {
  private let noon = Timestamp(milliseconds: 1_795_262_400_000)

  private func document(_ name: String = "eta", mae: String = "2.10") -> [UInt8] {
    Array(#"{"schema": "pipe.model-version/1", "name": "\#(name)", "bundle": "models/eta", "metrics": {"mae": \#(mae)}}"#.utf8)
  }

  private func origin(_ bundle: Int) -> VersionOrigin {
    VersionOrigin(bundleDigest: digest(bundle, dir: true), trace: digest(9), commit: "c0ffee", run: "r", registeredAt: noon)
  }

  private func registry(_ folder: URL) -> Registry { Registry(folder: folder.path + "/registry") }

  /// A registry with versions 1 to 3 and these moves of `production`.
  private func filled(_ folder: URL, moves: [Int]) throws -> Registry {
    let registry = registry(folder)
    for bundle in 1...3 { _ = try registry.apply(versionDocument: document(), origin: origin(bundle)) }
    for number in moves {
      try registry.move(alias: "production", of: "eta", to: number, expecting: .anything, at: noon, reason: "better")
    }
    return registry
  }

  @Test func `a version's file says what was registered and where it came from`() throws {
    try withTemporaryDirectory { folder in
      let outcome = try registry(folder).apply(versionDocument: document(), origin: origin(1))
      #expect(outcome.version.reference == "eta/1")
      // printf '%s' '{"bundle":"models/eta","metrics":{"mae":2.10},"name":"eta","schema":"pipe.model-version/1"}' | sha256sum
      #expect(
        try folder.text(of: "registry/eta/versions/1.json") == """
          {
            "bundle": {
              "digest": "\(digest(1, dir: true))",
              "path": "models/eta"
            },
            "commit": "c0ffee",
            "document": {
              "bundle": "models/eta",
              "metrics": {
                "mae": 2.10
              },
              "name": "eta",
              "schema": "pipe.model-version/1"
            },
            "documentDigest": "sha256:45f7de48ad42554158268e2d7c4c7d78351eadcbf3dc672ad79ce461abec3a1e",
            "name": "eta",
            "number": 1,
            "registeredAt": "2026-11-21T12:00:00.000Z",
            "run": "r",
            "schema": "pipe.registered-version/1",
            "trace": "\(digest(9))"
          }

          """)
      #expect(try registry(folder).resolve("eta") == outcome.version)
    }
  }

  @Test func `the same document with the same bundle is one version; either changed is another`() throws {
    try withTemporaryDirectory { folder in
      let registry = registry(folder)
      let first = try registry.apply(versionDocument: document(), origin: origin(1))
      var later = origin(1)
      later.registeredAt = Timestamp(milliseconds: 0)
      later.run = "another"
      #expect(try registry.apply(versionDocument: document() + [10], origin: later) == .alreadyThere(first.version))
      #expect(try registry.apply(versionDocument: document(), origin: origin(2)).version.number == 2)
      #expect(try registry.apply(versionDocument: document(mae: "2.2"), origin: origin(2)).version.number == 3)
      #expect(try registry.apply(versionDocument: document(), origin: origin(1)) == .alreadyThere(first.version))
    }
  }

  @Test func `many at once register each bundle once, without gaps`() async throws {
    try await withTemporaryDirectory { folder in
      let registry = registry(folder)
      let outcomes = try await withThrowingTaskGroup(of: [RegistrationOutcome].self) { group in
        for task in 0..<16 {
          group.addTask {
            try (1...5).map { try registry.apply(versionDocument: document(), origin: origin(1 + ($0 + task) % 5)) }
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      let registered = outcomes.filter { if case .registered = $0 { true } else { false } }
      #expect(registered.map(\.version.number).sorted() == [1, 2, 3, 4, 5])
      let versions = try registry.show("eta").versions
      #expect(versions.map(\.number) == [1, 2, 3, 4, 5])
      #expect(Set(versions.map(\.bundleDigest)).count == 5)
      #expect(try registry.verify() == [])
    }
  }

  @Test func `names, numbers and aliases resolve, and mistyped ones are corrected`() throws {
    try withTemporaryDirectory { folder in
      let registry = try filled(folder, moves: [2])
      #expect(try registry.resolve("eta").number == 3)
      #expect(try registry.resolve("eta/1").number == 1)
      #expect(try registry.resolve("eta@production").number == 2)
      #expect(throws: TrackingError.unknownModel(name: "eat", nearest: "eta")) { try registry.resolve("eat") }
      #expect(throws: TrackingError.unknownVersion(name: "eta", number: 4, newest: 3)) { try registry.resolve("eta/4") }
      #expect(
        throws: TrackingError.unknownAlias(name: "eta", alias: "prodution", nearest: "production", known: ["production"])
      ) { try registry.resolve("eta@prodution") }
      for text in ["eta@", "eta/x", "/1", "eta/1/2"] {
        #expect(throws: TrackingError.badReference(text)) { try registry.resolve(text) }
      }
      #expect(throws: TrackingError.unknownModel(name: "..", nearest: nil)) { try registry.resolve("..@a") }
    }
  }

  @Test func `a document that names no proper model is refused`() throws {
    try withTemporaryDirectory { folder in
      let registry = registry(folder)
      #expect(throws: TrackingError.badName("../eta")) {
        try registry.apply(versionDocument: document("../eta"), origin: origin(1))
      }
      #expect(throws: TrackingError.self) { try registry.apply(versionDocument: Array("{}".utf8), origin: origin(1)) }
      #expect(!FileManager.default.fileExists(atPath: registry.folder))
    }
  }

  @Test func `an alias moves only from where the caller thinks it stands`() throws {
    try withTemporaryDirectory { folder in
      let registry = try filled(folder, moves: [])
      let first = try registry.move(alias: "production", of: "eta", to: 1, expecting: .unset, at: noon)
      #expect(first?.from == nil)
      #expect(throws: TrackingError.aliasMoved(name: "eta", alias: "production", expected: nil, actual: 1)) {
        try registry.move(alias: "production", of: "eta", to: 2, expecting: .unset, at: noon)
      }
      #expect(throws: TrackingError.aliasMoved(name: "eta", alias: "production", expected: 3, actual: 1)) {
        try registry.move(alias: "production", of: "eta", to: 2, expecting: .version(3), at: noon)
      }
      #expect(try registry.move(alias: "production", of: "eta", to: 2, expecting: .version(1), at: noon)?.from == 1)
      let nothing = try registry.move(alias: "production", of: "eta", to: 2, expecting: .anything, at: noon)
      #expect(nothing == nil)
      #expect(throws: TrackingError.unknownVersion(name: "eta", number: 7, newest: 3)) {
        try registry.move(alias: "production", of: "eta", to: 7, expecting: .anything, at: noon)
      }
      try registry.move(alias: "production", of: "eta", to: nil, expecting: .version(2), at: noon)
      #expect(try registry.show("eta").aliases == [:])
      #expect(try registry.show("eta").history.map(\.to) == [1, 2, nil])
    }
  }

  @Test func `two hundred moves at once leave one unbroken chain`() async throws {
    try await withTemporaryDirectory { folder in
      let registry = try filled(folder, moves: [])
      await withTaskGroup(of: Void.self) { group in
        for task in 0..<20 {
          group.addTask {
            for move in 0..<10 {
              _ = try? registry.move(alias: "a\(move % 3)", of: "eta", to: 1 + (task + move) % 3, expecting: .anything, at: noon)
            }
          }
        }
      }
      let history = try registry.show("eta").history
      #expect(history.map(\.sequence) == Array(1...history.count))
      #expect(history.count > 20)
      #expect(try registry.verify() == [])
    }
  }

  @Test func `where an alias stood at a moment is known`() throws {
    try withTemporaryDirectory { folder in
      let registry = try filled(folder, moves: [])
      for (number, second) in [(1, 10), (2, 20)] {
        let moment = Timestamp(milliseconds: Int64(second) * 1000)
        try registry.move(alias: "production", of: "eta", to: number, expecting: .anything, at: moment)
      }
      let model = try registry.show("eta")
      #expect(model.version(of: "production", at: Timestamp(milliseconds: 9_999)) == nil)
      #expect(model.version(of: "production", at: Timestamp(milliseconds: 10_000)) == 1)
      #expect(model.version(of: "production", at: Timestamp(milliseconds: 25_000)) == 2)
    }
  }

  @Test func `each line of the list has the digest of the one before`() throws {
    try withTemporaryDirectory { folder in
      _ = try filled(folder, moves: [1, 2])
      let lines = try folder.text(of: "registry/eta/aliases.jsonl").split(separator: "\n").map(String.init)
      // printf 'pipe.aliases/1 eta' | sha256sum
      #expect(lines[0].contains(#""previous":"sha256:dd3e88c804eb00b17dc2890c942a2b11010a3ce250accb765f7426a1526da116""#))
      #expect(lines[0].hasPrefix(#"{"alias":"production","at":"2026-11-21T12:00:00.000Z","previous":"#))
      let command = Process()
      command.executableURL = URL(fileURLWithPath: "/usr/bin/sha256sum")
      let (input, output) = (Pipe(), Pipe())
      command.standardInput = input
      command.standardOutput = output
      try command.run()
      input.fileHandleForWriting.write(Data(lines[0].utf8))
      input.fileHandleForWriting.closeFile()
      let sum = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).prefix(64)
      #expect(lines[1].contains(#""previous":"sha256:\#(sum)""#))
    }
  }

  @Test(arguments: 0..<4)
  func `any flipped byte is found, and named by its line`(_ line: Int) throws {
    try withTemporaryDirectory { folder in
      let registry = try filled(folder, moves: [1, 2, 3, 2, 1])
      let list = "registry/eta/aliases.jsonl"
      let whole = try folder.text(of: list)
      var lines = whole.split(separator: "\n").map { Array($0.utf8) }
      var missed: [Int] = []
      for position in 0..<lines[line].count {
        lines[line][position] ^= 1
        try folder.write(lines.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n") + "\n", to: list)
        let named = try registry.verify().compactMap(\.line)
        if !named.contains(line + 1) { missed.append(position) }
        lines[line][position] ^= 1
      }
      #expect(missed == [])
      try folder.write(whole, to: list)
      #expect(try registry.verify() == [])
    }
  }

  @Test func `in the last line only the moment and the reason can change unseen`() throws {
    try withTemporaryDirectory { folder in
      let registry = try filled(folder, moves: [1, 2])
      let list = "registry/eta/aliases.jsonl"
      let whole = try folder.text(of: list)
      let changes = [
        ("\"to\":2", "\"to\":3"), ("\"from\":1", "\"from\":3"), ("\"sequence\":2", "\"sequence\":3"),
        ("\"version\":\"sha256:", "\"version\":\"sha256:0"), ("\"alias\":\"production\"", "\"alias\":\"staging\""),
      ]
      let start = String(whole.split(separator: "\n")[0]) + "\n"
      for (old, new) in changes {
        let last = String(whole.dropFirst(start.count)).replacing(old, with: new)
        #expect(start + last != whole)
        try folder.write(start + last, to: list)
        #expect(try registry.verify().contains { $0.line == 2 }, "\(new)")
      }
      try folder.write(start + String(whole.dropFirst(start.count)).replacing("better", with: "because"), to: list)
      #expect(try registry.verify() == [])
    }
  }

  @Test func `a dropped, doubled or moved line is found where the order breaks`() throws {
    try withTemporaryDirectory { folder in
      let registry = try filled(folder, moves: [1, 2, 3, 2, 1])
      let list = "registry/eta/aliases.jsonl"
      let lines = try folder.text(of: list).split(separator: "\n").map(String.init)
      func found(_ changed: [String]) throws -> [Int?] {
        try folder.write(changed.joined(separator: "\n") + "\n", to: list)
        return try registry.verify().map(\.line)
      }
      for drop in 0..<4 {
        #expect(try found(lines.enumerated().filter { $0.offset != drop }.map(\.element)) == [drop + 1])
        #expect(try found(Array(lines[...drop]) + lines[drop...]) == [drop + 2])
        var swapped = lines
        swapped.swapAt(drop, drop + 1)
        #expect(try found(swapped) == [drop + 1])
      }
      #expect(try found(lines) == [])
      #expect(throws: TrackingError.self) {
        _ = try found([lines[1]] + lines[1...])
        _ = try registry.resolve("eta@production")
      }
    }
  }

  @Test func `lines of another model do not pass`() throws {
    try withTemporaryDirectory { folder in
      let registry = try filled(folder, moves: [1])
      for bundle in 1...3 { _ = try registry.apply(versionDocument: document("fraud"), origin: origin(bundle)) }
      try folder.write(try folder.text(of: "registry/eta/aliases.jsonl"), to: "registry/fraud/aliases.jsonl")
      let problems = try registry.verify()
      #expect(problems.map(\.path).contains(folder.path + "/registry/fraud/aliases.jsonl"))
      #expect(problems.allSatisfy { $0.path.contains("fraud") })
    }
  }

  @Test func `a half-written last line is a move that did not happen, and the next move mends it`() throws {
    try withTemporaryDirectory { folder in
      let registry = try filled(folder, moves: [1, 2])
      let list = "registry/eta/aliases.jsonl"
      let whole = try folder.text(of: list)
      let last = whole.split(separator: "\n").last.map { "\($0)" } ?? ""
      for length in 1..<last.utf8.count {
        try folder.write(whole + String(decoding: Array(last.utf8.prefix(length)), as: UTF8.self), to: list)
        #expect(try registry.resolve("eta@production").number == 2)
        #expect(try registry.verify().map(\.line) == [3])
      }
      #expect(try registry.show("eta").problem?.line == 3)
      try registry.move(alias: "production", of: "eta", to: 3, expecting: .version(2), at: noon)
      #expect(try registry.verify() == [])
      #expect(try folder.text(of: list).hasPrefix(whole))
      #expect(try registry.resolve("eta@production").number == 3)
    }
  }

  @Test func `a last line that only lost its newline counts, and the next move gives it back`() throws {
    try withTemporaryDirectory { folder in
      let registry = try filled(folder, moves: [1, 2])
      let list = "registry/eta/aliases.jsonl"
      let whole = try folder.text(of: list)
      try folder.write(String(whole.dropLast()), to: list)
      #expect(try registry.resolve("eta@production").number == 2)
      try registry.move(alias: "production", of: "eta", to: 1, expecting: .version(2), at: noon)
      #expect(try registry.verify() == [])
      #expect(try registry.show("eta").history.map(\.to) == [1, 2, 1])
    }
  }

  @Test func `a changed version file is found, as is a missing one`() throws {
    try withTemporaryDirectory { folder in
      let registry = try filled(folder, moves: [1])
      let path = "registry/eta/versions/1.json"
      let text = try folder.text(of: path)
      try folder.write(text.replacing("2.10", with: "1.10"), to: path)
      let problems = try registry.verify()
      #expect(
        problems.map(\.message) == [
          "its document was changed after it was registered",
          "version 1 is not the one that the alias was pointed at, or the line was changed",
        ])
      try folder.write(text.replacing("c0ffee", with: "decafe"), to: path)
      #expect(try registry.verify().map(\.line) == [1])
      try folder.write(text, to: path)
      try FileManager.default.removeItem(atPath: folder.path + "/registry/eta/versions/2.json")
      #expect(try registry.verify().map(\.message) == ["version 2 is missing"])
    }
  }
}
