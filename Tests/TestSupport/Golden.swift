// Expected text kept in a file beside its test; rewritten with PIPE_UPDATE_GOLDEN=1.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What is wrong with `actual` against the golden file, `nil` when it is equal.
///
/// - Parameters:
///   - name: file name below the `Golden` folder beside the test file.
///   - testFile: `#filePath` of the caller.
package func goldenMismatch(_ actual: String, _ name: String, testFile: String = #filePath) -> String? {
  let file = URL(fileURLWithPath: testFile).deletingLastPathComponent().appendingPathComponent("Golden/\(name)")
  if ProcessInfo.processInfo.environment["PIPE_UPDATE_GOLDEN"] == "1" {
    try? FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try? actual.write(to: file, atomically: true, encoding: .utf8)
    return nil
  }
  guard let expected = try? String(contentsOf: file, encoding: .utf8) else {
    return "no golden file \(name); make it with PIPE_UPDATE_GOLDEN=1"
  }
  guard expected != actual else { return nil }
  let a = actual.split(separator: "\n", omittingEmptySubsequences: false)
  let e = expected.split(separator: "\n", omittingEmptySubsequences: false)
  for (number, pair) in zip(a, e).enumerated() where pair.0 != pair.1 {
    return "\(name):\(number + 1) differs\n  expected: \(pair.1)\n  actual:   \(pair.0)"
  }
  return "\(name) differs in length: expected \(e.count) lines, actual \(a.count)"
}
