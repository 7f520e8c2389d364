// A lineage tree as lines of text, and as JSON.
// SPDX-License-Identifier: Apache-2.0
import Foundation

extension LineageTree {
  /// Lines with branches drawn, each ending in a newline. Of several uses by one stage only the newest is drawn.
  package var text: String {
    var out = "\(path)  \(shortened(digest))" + (inside.map { "  (holds \($0))" } ?? "") + "\n"
    let up = madeBy.isEmpty ? [Branch("raw data: no known stage made it")] : branches(madeBy)
    draw(up + branches(usedBy), "", &out)
    return out
  }

  /// Pretty JSON, keys sorted, a newline at the end.
  package var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else { preconditionFailure("a lineage tree holds only what JSON can say") }
    return String(decoding: data, as: UTF8.self) + "\n"
  }
}

/// A line and those below it.
private struct Branch {
  var line: String
  var below: [Branch]

  init(_ line: String, _ below: [Branch] = []) {
    self.line = line
    self.below = below
  }
}

private func draw(_ branches: [Branch], _ margin: String, _ out: inout String) {
  for (index, branch) in branches.enumerated() {
    let isLast = index == branches.count - 1
    out += margin + (isLast ? "└─ " : "├─ ") + branch.line + "\n"
    draw(branch.below, margin + (isLast ? "   " : "│  "), &out)
  }
}

private func branches(_ steps: [LineageStep]) -> [Branch] {
  guard let first = steps.first else { return [] }
  let below = first.inputs.map { input in
    let isRaw = input.madeBy.isEmpty
    return Branch("\(input.path)  \(shortened(input.digest))" + (isRaw ? "  raw data" : ""), branches(input.madeBy))
  }
  var found = [Branch("made by \(words(first.execution))" + (first.isFolded ? "  (see above)" : ""), below)]
  if steps.count > 1 { found.append(Branch("and \(counted(steps.count - 1, "other execution")) with the same result")) }
  return found
}

private func branches(_ uses: [LineageUse]) -> [Branch] {
  var stages: [String] = []
  for use in uses where !stages.contains(use.execution.stage) { stages.append(use.execution.stage) }
  return stages.flatMap { stage -> [Branch] in
    let same = uses.filter { $0.execution.stage == stage }
    guard let newest = same.first else { return [] }
    let below = newest.outputs.map { Branch("\($0.path)  \(shortened($0.digest))", branches($0.usedBy)) }
    var found = [Branch("used by \(words(newest.execution))" + (newest.isFolded ? "  (see above)" : ""), below)]
    if same.count > 1 { found.append(Branch("and by \(counted(same.count - 1, "other execution")) of `\(stage)`")) }
    return found
  }
}

private func words(_ execution: LineageExecution) -> String {
  var parts = [execution.stage]
  if let commit = execution.commit { parts.append("commit \(commit.prefix(7))") }
  if let startedAt = execution.startedAt { parts.append("\(startedAt)") }
  if let run = execution.run { parts.append("run \(run)") }
  return parts.joined(separator: "  ")
}

private func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

/// `sha256:3f9a1c2b4d5e` with `.dir` kept.
private func shortened(_ digest: String) -> String {
  let name = digest.hasSuffix(".dir") ? String(digest.dropLast(4)) : digest
  return String(name.prefix("sha256:".count + 12)) + (digest.hasSuffix(".dir") ? ".dir" : "")
}
