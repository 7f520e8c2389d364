// A lineage tree as lines of text, and as JSON.
// SPDX-License-Identifier: Apache-2.0
import Foundation

extension LineageTree {
  /// Lines with branches drawn, each ending in a newline.
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
  steps.flatMap { step in
    let below = step.inputs.map { input in
      let isRaw = input.madeBy.isEmpty
      return Branch("\(input.path)  \(shortened(input.digest))" + (isRaw ? "  raw data" : ""), branches(input.madeBy))
    }
    let one = Branch("made by \(words(step.execution))" + (step.isFolded ? "  (see above)" : ""), below)
    return [one] + (step.others == 0 ? [] : [Branch("and by \(counted(step.others, "other execution")) with the same result")])
  }
}

private func branches(_ uses: [LineageUse]) -> [Branch] {
  uses.flatMap { use in
    let below = use.outputs.map { Branch("\($0.path)  \(shortened($0.digest))", branches($0.usedBy)) }
    let one = Branch("used by \(words(use.execution))" + (use.isFolded ? "  (see above)" : ""), below)
    let others = "and by \(counted(use.others, "other execution")) of `\(use.execution.stage)`"
    return [one] + (use.others == 0 ? [] : [Branch(others)])
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
