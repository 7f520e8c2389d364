// What a page leaves out, for the one at the terminal and for the one who reads the page.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics

extension DiagnosticConvertible {
  /// Says the mistake as a warning.
  ///
  /// - Parameter consequence: what the page is without, such as "drift of `a.csv` is left out".
  /// - Returns: the line that the page says it with.
  func omission(_ consequence: String) -> String {
    var diagnostic = diagnostic
    diagnostic.category = .warning
    diagnostic.message = "\(consequence): \(diagnostic.message)"
    Terminal.standard.say(diagnostic)
    return (diagnostic.location.map { "\($0): " } ?? "") + diagnostic.message
  }
}
