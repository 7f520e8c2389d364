// A folder that lives as long as the closure that uses it.
// SPDX-License-Identifier: Apache-2.0
package import Foundation

/// Makes an empty folder, hands it over, and removes it whatever happens.
package func withTemporaryDirectory<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = try makeTemporaryDirectory()
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

/// The same for a body that waits.
package func withTemporaryDirectory<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
  let folder = try makeTemporaryDirectory()
  defer { try? FileManager.default.removeItem(at: folder) }
  return try await body(folder)
}

private func makeTemporaryDirectory() throws -> URL {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("pipe-test-\(UUID().uuidString)").resolvingSymlinksInPath()
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  return folder
}

extension URL {
  /// Writes text at a path below this folder, making the folders between.
  package func write(_ text: String, to path: String) throws {
    let file = appendingPathComponent(path)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try text.write(to: file, atomically: false, encoding: .utf8)
  }

  /// The text of a file below this folder.
  package func text(of path: String) throws -> String {
    try String(contentsOf: appendingPathComponent(path), encoding: .utf8)
  }
}
