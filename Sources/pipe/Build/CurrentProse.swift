// Woven notebooks under the prose of today: what a person edits without changing what runs shows without a run.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Foundation
import Notebooks

struct CurrentProse {
  private let root: String
  private let redaction: Redaction

  /// - Parameter secrets: names of variables whose values stand in no page, also when they stand in the prose.
  init(_ project: Project, secrets: [String]) {
    root = project.root
    redaction = Redaction(environment: ProcessInfo.processInfo.environment, declared: secrets)
  }

  /// The outputs of a run under the notebook as it reads now; as it ran where its code is another, or cannot be read.
  func woven(_ ran: WovenNotebook) -> WovenNotebook {
    guard let text = (try? AtomicFile.readText("\(root)/\(ran.file)")) ?? nil,
      let notebook = try? NotebookParser.parse(redaction.applied(to: text), file: ran.file)
    else { return ran }
    return ran.rewoven(as: notebook) ?? ran
  }
}
