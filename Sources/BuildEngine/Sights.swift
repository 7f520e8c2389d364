// What was found in the workspace while nothing in it changes.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import PipelineModel
internal import Synchronization

/// Remembers looks: what one stage makes and others read is looked at once.
///
/// For as long as nobody changes the workspace.
package final class Sights: Sendable {
  private struct Key: Hashable {
    var path: String
    var algorithm: Digest.Algorithm?
  }
  private let found = Mutex<[Key: Content]>([:])

  package init() {}

  /// What is at a path, by `look` when it is not known yet.
  package func content(
    of path: WorkspacePath, as algorithm: Digest.Algorithm?, look: () throws(StoreError) -> Content
  ) throws(StoreError) -> Content {
    let key = Key(path: path.text, algorithm: algorithm)
    if let known = found.withLock({ $0[key] }) { return known }
    let content = try look()
    found.withLock { $0[key] = content }
    return content
  }
}

extension Inspector {
  /// `content(of:as:)`, remembered for the workspace's own paths.
  package func look(
    at place: Dependency.Place, as algorithm: Digest.Algorithm?, _ sights: Sights?
  ) throws(StoreError) -> Content {
    guard let sights, case .workspace(let path) = place else { return try content(of: place, as: algorithm) }
    return try sights.content(of: path, as: algorithm) { () throws(StoreError) in try content(of: place, as: algorithm) }
  }
}
