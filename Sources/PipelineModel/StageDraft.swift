// A stage as `stage add` writes it into a manifest.
// SPDX-License-Identifier: Apache-2.0

/// Sorted and spelled as DVC does when `tree` is taken.
package struct StageDraft: Sendable {
  package struct Output: Sendable {
    package var path: String
    package var kind: PipelineModel.Output.Kind
    package var isCached = true
    package var isPersistent = false
    package var description: String?
    package var remote: String?
    package var isPushed = true
    /// `template`, `x`, `y` … of a plot, as a mapping; `null` when there are none.
    package var plotOptions = ParameterValue.null

    package init(path: String, kind: PipelineModel.Output.Kind = .data) {
      self.path = path
      self.kind = kind
    }
  }

  package var commands: [String]
  package var isCommandList: Bool
  package var description: String?
  package var workingDirectory: String?
  package var dependencies: [String] = []
  /// File, as written, with keys; without keys the whole file.
  package var parameters: [(file: String, keys: [String])] = []
  package var outputs: [Output] = []
  package var isFrozen = false
  package var alwaysChanged = false
  package var meta = ParameterValue.null

  package init(commands: [String], isCommandList: Bool = false) {
    self.commands = commands
    self.isCommandList = isCommandList
  }

  /// `desc`, `cmd`, `wdir`, `deps`, `params`, `outs`, `metrics`, `plots`, `frozen`, `always_changed`, `meta`.
  package var pairs: [(String, ParameterValue)] {
    var pairs: [(String, ParameterValue)] = []
    if let description, !description.isEmpty { pairs.append(("desc", .text(description))) }
    let isOne = !isCommandList && commands.count == 1
    pairs.append(("cmd", isOne ? .text(commands[0]) : .list(commands.map { .text($0) })))
    if let workingDirectory, workingDirectory != "." { pairs.append(("wdir", .text(workingDirectory))) }
    let lists: [(String, [ParameterValue])] = [
      ("deps", dependencies.sorted(by: Self.precedes).map { .text($0) }), ("params", parameterRows),
      ("outs", rows(.data)), ("metrics", rows(.metrics)), ("plots", rows(.plot)),
    ]
    pairs += lists.filter { !$0.1.isEmpty }.map { ($0.0, .list($0.1)) }
    if isFrozen { pairs.append(("frozen", .bool(true))) }
    if alwaysChanged { pairs.append(("always_changed", .bool(true))) }
    if meta != .null { pairs.append(("meta", meta)) }
    return pairs
  }

  private static func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

  /// Keys of `params.yaml` first, as they are; other files with their keys below them.
  private var parameterRows: [ParameterValue] {
    var first: [ParameterValue] = []
    var others: [ParameterValue] = []
    for (file, keys) in parameters.sorted(by: { Self.precedes($0.file, $1.file) }) {
      let sorted = keys.sorted(by: Self.precedes).map { ParameterValue.text($0) }
      if file == "params.yaml", !keys.isEmpty {
        first = sorted
      } else {
        others.append(.mapping([(file, keys.isEmpty ? .null : .list(sorted))]))
      }
    }
    return first + others
  }

  private func rows(_ kind: PipelineModel.Output.Kind) -> [ParameterValue] {
    outputs.filter { $0.kind == kind }.sorted { Self.precedes($0.path, $1.path) }.map(\.row)
  }
}

extension StageDraft.Output {
  fileprivate var row: ParameterValue {
    var flags: [(String, ParameterValue)] = []
    if let description { flags.append(("desc", .text(description))) }
    if !isCached { flags.append(("cache", .bool(false))) }
    if isPersistent { flags.append(("persist", .bool(true))) }
    if case .mapping(let options) = plotOptions { flags += options }
    if let remote { flags.append(("remote", .text(remote))) }
    if !isPushed { flags.append(("push", .bool(false))) }
    return flags.isEmpty ? .text(path) : .mapping([(path, .mapping(flags))])
  }
}
