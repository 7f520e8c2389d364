// `pipe params diff`, `pipe metrics show` and `pipe metrics diff`.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import Diagnostics
import Foundation
import PipelineModel
import SourceControl
import Tracking

struct ParamsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "params", abstract: "Compare parameters.", subcommands: [Diff.self])

  struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "diff",
      abstract: "Compare parameters between two revisions, or a revision and the workspace.",
      discussion: """
        Examples:
          pipe params diff                the last commit and the workspace
          pipe params diff v1 v2 --json
        """)

    @OptionGroup var options: DiffOptions

    func run() throws {
      let project = try Project.find()
      let files = Set(try project.pipeline().stages.flatMap(\.parameters).map(\.file.text)).union(["params.yaml"])
      try options.compare(project, files: files.sorted(), unit: "parameter")
    }
  }
}

struct MetricsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics", abstract: "Show and compare metrics.", subcommands: [Show.self, Diff.self])

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show",
      abstract: "Print the metrics in the workspace.",
      discussion: """
        Example:
          pipe metrics show --json
        """)

    @Flag(help: "Print JSON in DVC's shape.") var json = false

    func run() throws {
      let project = try Project.find()
      let documents = try Documents(project).read(files: metricsFiles(of: project.pipeline()), revision: nil)
      if json {
        let data = documents.mapValues { JSONValue.object(["data": $0]) }
        Terminal.standard.out(JSONValue.object(["": .object(["data": .object(data)])]).canonicalText)
        return
      }
      let rows = documents.sorted { $0.key < $1.key }.flatMap { file, document in
        document.flattened.sorted { $0.key < $1.key }.map { [file, $0.key, $0.value.plainText] }
      }
      Terminal.standard.out(
        rows.isEmpty ? "no metrics yet: `pipe repro` makes them" : columns([["file", "metric", "value"]] + rows))
    }
  }

  struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "diff",
      abstract: "Compare metrics between two revisions, or a revision and the workspace.",
      discussion: """
        Examples:
          pipe metrics diff               the last commit and the workspace
          pipe metrics diff main --json
        """)

    @OptionGroup var options: DiffOptions

    func run() throws {
      let project = try Project.find()
      try options.compare(project, files: metricsFiles(of: project.pipeline()), unit: "metric")
    }
  }
}

private func metricsFiles(of pipeline: Pipeline) -> [String] {
  pipeline.stages.flatMap(\.outputs).filter { $0.kind == .metrics }.map(\.path.text).sorted()
}

struct DiffOptions: ParsableArguments {
  @Argument(help: "The older revision. Default: HEAD.") var old: String?
  @Argument(help: "The newer revision. Default: the workspace.") var new: String?
  @Flag(help: "Print JSON in DVC's shape.") var json = false
  @Flag(help: "Also what is equal.") var all = false

  func compare(_ project: Project, files: [String], unit: String) throws {
    let documents = Documents(project)
    let diff = DocumentDiff(
      old: try documents.read(files: files, revision: old ?? "HEAD"), new: try documents.read(files: files, revision: new),
      includingUnchanged: all)
    if json { return Terminal.standard.out(diff.json.canonicalText) }
    let rows = diff.files.sorted { $0.key < $1.key }.flatMap { file, keys in
      keys.sorted { $0.key < $1.key }.map { key, change in
        [file, key, change.old?.plainText ?? "-", change.new?.plainText ?? "-", change.difference?.plainText ?? "-"]
      }
    }
    Terminal.standard.out(rows.isEmpty ? "no \(unit) differs" : columns([["file", unit, "old", "new", "change"]] + rows))
  }
}

/// Parameter and metrics files as JSON values, from the workspace or from Git.
struct Documents {
  private let project: Project

  init(_ project: Project) { self.project = project }

  /// Files that are not there are left out; so is what the store has of outputs that Git does not track.
  ///
  /// - Throws: a `Diagnostic` for an unknown revision or a file that cannot be read.
  func read(files: [String], revision: String?) throws -> [String: JSONValue] {
    var documents: [String: JSONValue] = [:]
    let source = try Source(project, revision: revision)
    for file in files {
      guard let text = try source.text(of: file) else { continue }
      let (tree, mistakes) = YAMLReader.read(text, file: revision.map { "\($0):\(file)" } ?? file)
      try mistakes.throwIfErrors()
      documents[file] = JSONValue(tree?.value ?? .mapping([]))
    }
    return documents
  }

  private struct Source {
    let project: Project
    let revision: String?
    let repository: GitRepository?
    let lock: LockFile

    init(_ project: Project, revision: String?) throws {
      self.project = project
      self.revision = revision
      guard let revision else {
        repository = nil
        lock = try project.lock()
        return
      }
      guard let opened = try GitRepository.open(at: project.root) else {
        throw Diagnostic(.input, "`\(revision)` cannot be looked up: the project is not in a Git repository")
      }
      repository = opened
      let bytes = try opened.fileContents(at: Self.path(Project.lockName, project, opened), revision: revision)
      lock =
        try bytes.map { try LockFileText.read(String(decoding: $0, as: UTF8.self), file: "\(revision):\(Project.lockName)") }
        ?? LockFile()
    }

    private static func path(_ file: String, _ project: Project, _ repository: GitRepository) -> String {
      let folder = repository.path(below: project.root) ?? ""
      return folder.isEmpty || folder == "." ? file : "\(folder)/\(file)"
    }

    func text(of file: String) throws -> String? {
      if let repository, let revision {
        if let bytes = try repository.fileContents(at: Self.path(file, project, repository), revision: revision) {
          return String(decoding: bytes, as: UTF8.self)
        }
      } else if let text = try AtomicFile.readText("\(project.root)/\(file)") {
        return text
      }
      // An output that Git does not keep: the lock file of that revision says which object it was.
      let output = lock.entries.values.lazy.flatMap(\.outputs).first { $0.path == file }
      guard let output, try project.store.contains(output.digest) else { return nil }
      return String(decoding: try project.store.bytes(of: output.digest), as: UTF8.self)
    }
  }
}

extension JSONValue {
  init(_ value: ParameterValue) {
    switch value {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .integer(let value): self = .number("\(value)")
    case .double(let value):
      self = .number(value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : "\(value)")
    case .text(let text): self = .string(text)
    case .list(let items): self = .array(items.map { JSONValue($0) })
    case .mapping(let pairs):
      self = .object(Dictionary(pairs.map { ($0.0, JSONValue($0.1)) }, uniquingKeysWith: { first, _ in first }))
    }
  }

  /// Text without quotes, all else as JSON.
  var plainText: String { stringValue ?? canonicalText }
}
