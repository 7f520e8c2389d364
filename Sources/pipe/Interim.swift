// Stand-ins until the real ones are in.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import PipelineModel

struct IgnoreRules {
  init(fileName: String, text: (WorkspacePath) -> String?) {}
  func isIgnored(_ path: String, isDirectory: Bool) -> Bool { false }
}

extension Workspace { func files(matching pattern: PathPattern) throws -> [WorkspacePath] { [] } }
