// Stand-ins until the real ones are in.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import PipelineModel

struct IgnoreRules {
  init(fileName: String, text: (WorkspacePath) -> String?) {}
  func isIgnored(_ path: String, isDirectory: Bool) -> Bool { false }
}

enum GitIgnoreText {
  static func adding(_ name: String, to text: String) -> String {
    text + (text.isEmpty || text.hasSuffix("\n") ? "" : "\n") + "/\(name)\n"
  }
  static func removing(_ name: String, from text: String) -> String? {
    let kept = text.split(separator: "\n", omittingEmptySubsequences: false).filter { $0 != "/\(name)" }.joined(separator: "\n")
    return kept.isEmpty ? nil : kept
  }
}

extension Workspace { func files(matching pattern: PathPattern) throws -> [WorkspacePath] { [] } }
