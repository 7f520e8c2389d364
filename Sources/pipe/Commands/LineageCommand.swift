// `pipe lineage`: where a file comes from, and what was made from it.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import PipelineModel
import Tracking

struct LineageCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lineage",
    abstract: "Say where a file comes from, up to raw data and commit, and what was made from it.",
    discussion: """
      Examples:
        pipe lineage models/eta
        pipe lineage sha256:3f9a12
      """)

  @Argument(help: "A path in the project, or a digest or its beginning.", completion: .file()) var query: String
  @Flag(help: "Also earlier executions that used it, not only each stage's newest.") var all = false
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let project = try Project.find()
    let ledger = try IndexedLedger.open(project)
    let tree =
      if let output = try agreed(project) {
        try ledger.lineage(ofPath: output.path, digest: "\(output.digest)", everyUse: all)
      } else {
        try ledger.lineage(of: query, everyUse: all)
      }
    Terminal.standard.out(json ? tree.json : tree.text)
  }

  /// A path stands for what is agreed for it now: what the lock file says.
  private func agreed(_ project: Project) throws -> Trace.Result? {
    let outputs = try project.lock().entries.values.flatMap(\.outputs)
    let paths = [project.path(query), WorkspacePath(query)].compactMap { $0 }
    return paths.lazy.compactMap { path in outputs.first { $0.path == path.text } }.first
  }
}
