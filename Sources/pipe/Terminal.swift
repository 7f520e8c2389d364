// What a person sees: data on standard output, all else on standard error, colour only where it is wanted.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import Glibc
import Synchronization

/// Writes whole pieces, one at a time, from any thread.
final class Terminal: Sendable {
  static let standard = Terminal()

  private let lock = Mutex(())
  let isInteractive = isatty(STDERR_FILENO) == 1
  let usesColor: Bool
  private let isSilent = Atomic(false)

  private init() {
    let refuses = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
    usesColor = isInteractive && !refuses && getenv("TERM").map { strcmp($0, "dumb") != 0 } ?? true
  }

  func write(_ text: String, to descriptor: Int32) {
    write(Array(text.utf8), to: descriptor)
  }

  func write(_ bytes: [UInt8], to descriptor: Int32) {
    lock.withLock { _ in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        if count <= 0 { return }
        rest = rest.dropFirst(count)
      }
    }
  }

  /// Data that was asked for.
  func out(_ text: String) { write(text.hasSuffix("\n") ? text : text + "\n", to: STDOUT_FILENO) }

  /// A line about what is going on.
  func note(_ text: String) { if !isSilenced { write(text + "\n", to: STDERR_FILENO) } }

  var isSilenced: Bool { isSilent.load(ordering: .relaxed) }

  /// No more notes; data and problems are printed as ever.
  func silence() { isSilent.store(true, ordering: .relaxed) }

  func say(_ diagnostic: Diagnostic) {
    let renderer = DiagnosticRenderer(useColor: usesColor) { try? String(contentsOfFile: $0, encoding: .utf8) }
    write(renderer.text(diagnostic), to: STDERR_FILENO)
  }

  func paint(_ text: String, _ code: String) -> String { usesColor ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
  func dim(_ text: String) -> String { paint(text, "2") }
  func bold(_ text: String) -> String { paint(text, "1") }
}

/// Rows as columns that line up; the last column is not padded.
func columns(_ rows: [[String]], gap: Int = 2) -> String {
  let count = rows.map(\.count).max() ?? 0
  let widths = (0..<count).map { column in rows.compactMap { $0.count > column ? width($0[column]) : nil }.max() ?? 0 }
  var text = ""
  for row in rows {
    for (index, cell) in row.enumerated() {
      text += cell
      if index < row.count - 1 { for _ in 0..<(widths[index] - width(cell) + gap) { text += " " } }
    }
    text += "\n"
  }
  return text
}

/// Characters; of ASCII text as many as bytes, but for the two that end a line on other systems.
private func width(_ text: String) -> Int {
  text.utf8.allSatisfy { $0 < 128 && $0 != 13 } ? text.utf8.count : text.count
}
