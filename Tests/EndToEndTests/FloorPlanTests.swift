// The import graph of `Sources/` is the floor plan: arrows point down, and the world is touched only where it may be.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Floors from the ground up; a target may import what lies on a lower floor (docs/architecture.md).
private let floors: [[String]] = [
  ["CYAML", "CGit2", "CCrypto", "CXGBoost", "CLinux"],
  ["Diagnostics", "Hashing"],
  ["ContentStore", "SourceControl", "Tabular", "KitCatalog"],
  ["PipelineModel", "Tracking", "Notebooks", "Evaluation", "Scoring"],
  ["BuildEngine", "Learning", "FeatureStore", "Monitoring"],
  ["Verification", "Reporting", "Serving"],
  ["pipe", "pipe-kit", "pipe-serve"],
]

/// Modules of the toolchain, and packages from outside with the only targets that may use them.
private let toolchain: Set<String> = ["Foundation", "FoundationEssentials", "Glibc", "Dispatch", "Synchronization"]
private let packages: [String: Set<String>] = [
  "GRDB": ["Tracking", "Notebooks", "FeatureStore"], "GRDBSQLite": ["Tracking", "Notebooks", "FeatureStore"],
  "ArgumentParser": ["pipe", "pipe-kit", "pipe-serve"],
  "Hummingbird": ["Serving", "pipe-serve"], "HummingbirdCore": ["Serving"], "HTTPTypes": ["Serving"],
  "Logging": ["Serving", "pipe-serve"],
  "NIOCore": ["Serving", "pipe-serve"], "NIOPosix": ["Serving"], "NIOHTTP1": ["Serving"], "NIOHTTPTypes": ["Serving"],
  "NIOHTTPTypesHTTP1": ["Serving"], "NIOFoundationCompat": ["Serving"], "ServiceLifecycle": ["Serving", "pipe-serve"],
  "UnixSignals": ["Serving", "pipe-serve"],
]

private struct Source {
  var target: String
  var file: String
  /// Lines of code, with comments and the contents of strings taken out.
  var lines: [Substring]

  var imports: [String] {
    lines.compactMap { line in
      let words = line.split(separator: " ")
      guard let index = words.firstIndex(of: "import"), index + 1 < words.count,
        words[..<index].allSatisfy({
          ["package", "internal", "private", "public", "fileprivate", "@preconcurrency", "@testable"].contains($0)
        })
      else { return nil }
      return String(words[index + 1].split(separator: ".")[0])
    }
  }
}

private let sources: [Source] = {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Sources")
  var found: [Source] = []
  for case let file as URL in FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil) ?? .init()
  where file.pathExtension == "swift" {
    guard let text = try? String(contentsOf: file, encoding: .utf8) else { continue }
    let relative = file.path.dropFirst(root.path.count + 1)
    found.append(Source(target: String(relative.split(separator: "/")[0]), file: String(relative), lines: code(of: text)))
  }
  return found
}()

/// Cuts comments and strings away; enough of Swift's grammar for sources in our format.
private func code(of text: String) -> [Substring] {
  var isInside = false
  return text.split(separator: "\n", omittingEmptySubsequences: false).map { line -> Substring in
    if line.components(separatedBy: "\"\"\"").count % 2 == 0 {
      defer { isInside.toggle() }
      return isInside ? "" : line.prefix { $0 != "\"" }
    }
    if isInside { return "" }
    var kept = ""
    var isString = false
    var previous: Character = " "
    for character in line {
      if character == "\"", previous != "\\" {
        isString.toggle()
      } else if !isString {
        if character == "/", previous == "/" { break }
        kept.append(character)
      }
      previous = character
    }
    return Substring(kept)
  }
}

private func floor(of target: String) -> Int? { floors.firstIndex { $0.contains(target) } }

@Suite struct `The floor plan` {
  @Test func `is read from sources that are there`() {
    #expect(sources.count > 100)
    #expect(Set(sources.map(\.target)).isSuperset(of: ["pipe", "BuildEngine", "ContentStore", "Diagnostics"]))
    #expect(sources.first { $0.file == "BuildEngine/Build.swift" }?.imports == ["ContentStore", "Diagnostics", "PipelineModel"])
  }

  @Test func `gives every target a floor`() {
    for target in Set(sources.map(\.target)).sorted() {
      #expect(floor(of: target) != nil, "Sources/\(target) is on no floor")
    }
  }

  @Test func `lets a target import only from lower floors, so there is no circle`() {
    for source in sources {
      guard let own = floor(of: source.target) else { continue }
      for name in source.imports where name != source.target {
        guard let other = floor(of: name) else { continue }
        #expect(other < own, "\(source.file) on floor \(own - 1) imports \(name), which is on floor \(other - 1)")
      }
    }
  }

  @Test func `names every package from outside with the targets that may use it`() {
    for source in sources {
      for name in source.imports where floor(of: name) == nil && !toolchain.contains(name) {
        guard let users = packages[name] else {
          Issue.record("\(source.file) imports \(name), which is on no list")
          continue
        }
        #expect(users.contains(source.target), "\(source.file) imports \(name)")
      }
    }
  }

  @Test func `keeps pipelines from learners and learners from pipelines`() {
    let build: Set = ["BuildEngine", "PipelineModel", "Verification", "ContentStore", "SourceControl", "Tracking", "Notebooks"]
    let learning: Set = ["Learning", "FeatureStore", "Scoring", "Serving", "Monitoring", "CXGBoost"]
    for source in sources {
      if build.contains(source.target) { #expect(learning.isDisjoint(with: source.imports), "\(source.file)") }
      if learning.contains(source.target) { #expect(build.isDisjoint(with: source.imports), "\(source.file)") }
    }
  }
}

@Suite struct `Effects` {
  /// Files below floor 5 that may use `FileManager`, by the effectful type of the floor plan that they are part of.
  /// Nothing below floor 5 prints, exits, or reads arguments or the environment.
  private static let files: [String: [String]] = [
    "CellRunner": [
      "Notebooks/CellRunner.swift", "Notebooks/PythonInterpreter.swift", "Notebooks/SQLInterpreter.swift",
      "Notebooks/TableCatalog.swift", "Notebooks/ProcessTree.swift",
    ],
    "ModelBundle": ["Learning/BundleWriter.swift", "Scoring/ModelBundle.swift"],
    "ModelHost": ["Serving/BundleFiles.swift", "Serving/ModelHost.swift"],
  ]
  private static let allowed = Set(files.values.joined())

  @Test(arguments: ["FileManager", "print(", "exit(", "ProcessInfo", "CommandLine"])
  func `live in executables and in the named types`(word: String) {
    for source in sources where !["pipe", "pipe-kit", "pipe-serve"].contains(source.target) {
      for (number, line) in source.lines.enumerated()
      where uses(line, word) && !(word == "FileManager" && Self.allowed.contains(source.file)) {
        Issue.record("\(source.file):\(number + 1) has `\(word)`: \(line)")
      }
    }
  }

  /// The word as a whole: `_exit(` and `debugPrint(` are others.
  private func uses(_ line: Substring, _ word: String) -> Bool {
    var rest = line
    while let range = rest.range(of: word) {
      let before = rest[..<range.lowerBound].last
      if before.map({ !$0.isLetter && !$0.isNumber && $0 != "_" && $0 != "." }) ?? true { return true }
      rest = rest[range.upperBound...]
    }
    return false
  }
}
