// What every command that changes data begins and ends with: the project held, read once, and what was learned kept.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel

extension Project {
  /// Runs work while this process alone may change the project.
  ///
  /// - Parameter body: gets the project as it is under the lock, and its workspace.
  func holdingWorkspace<Result>(_ body: (LoadedProject, Workspace) throws -> Result) throws -> Result {
    try makeStateFolders()
    let holding = try takeLock()
    defer { withExtendedLifetime(holding) {} }
    announceHolder()
    let workspace = workspace()
    // What was hashed before a failure need not be hashed again.
    defer { try? workspace.saveStatCache() }
    return try body(try load(), workspace)
  }
}

extension Digest.Algorithm {
  /// What data is looked at with that has this digest on record; DVC 2 had a hash of its own.
  static func of(_ agreed: Digest?, in project: Project) -> Digest.Algorithm { agreed?.algorithm ?? project.dialect.algorithm }
}
