// What commands ask of a project: all of it at once, or its pipeline, lock and parameters alone.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel

extension Project {
  /// Everything, as the workspace has it.
  func load() throws -> LoadedProject { try ProjectReader(self, WorkspaceSource(root: root)).read() }

  /// Everything, as a commit has it.
  func load(at revision: String) throws -> LoadedProject {
    try ProjectReader(self, RevisionSource(self, revision: revision)).read()
  }

  func pipeline() throws -> Pipeline { try load().pipeline }

  func lock() throws -> LockFile { try load().lock }

  /// A parameter file's value now; `nil` when it is not there.
  func parameters(_ path: WorkspacePath) throws -> ParameterValue? {
    guard let text = try AtomicFile.readText("\(root)/\(path)") else { return nil }
    return try ParameterFile.read(text, path)
  }

  /// The patterns of paths that the project does not look at.
  var ignoreRules: IgnoreRules {
    IgnoreRules(root: root, fileName: dialect.ignoreName, markerFolder: dialect.markerFolder)
  }
}
