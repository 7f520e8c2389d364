// What went wrong, where, why, and what to do: one value for every message.
// SPDX-License-Identifier: Apache-2.0

/// A message to a person about something that is wrong.
package struct Diagnostic: Error, Sendable, Hashable {
  /// Whose move it is; decides the exit code.
  package enum Category: String, Sendable {
    /// A stage failed, a gate was missed, a result did not reproduce. Exit 1.
    case work
    /// Arguments, YAML, parameters or targets need mending. Exit 2.
    case input
    /// Something is out of date, and `--check` asked. Exit 3.
    case drift
    /// The store, a remote, the database or Git is unreadable, full or corrupt. Exit 4.
    case storage
    /// Another `pipe` holds the workspace. Exit 5.
    case locked
    /// A broken invariant of ours. Exit 70.
    case bug
    /// Something worth knowing that stops nothing.
    case warning
  }

  package var category: Category
  /// One lower-case sentence in the user's words, literals in backticks, no full stop.
  package var message: String
  package var location: SourceLocation?
  /// What led to it, outermost first.
  package var causes: [String]
  /// What to do about it.
  package var hints: [String]

  package init(
    _ category: Category, _ message: String, at location: SourceLocation? = nil, causes: [String] = [],
    hints: [String] = []
  ) {
    self.category = category
    self.message = message
    self.location = location
    self.causes = causes
    self.hints = hints
  }

  /// The process exit code that the category stands for (docs/design.md, "Exit codes").
  package var exitCode: Int32 {
    switch category {
    case .work: 1
    case .input: 2
    case .drift: 3
    case .storage: 4
    case .locked: 5
    case .bug: 70
    case .warning: 0
    }
  }
}

/// An error that knows how to say itself to a person.
package protocol DiagnosticConvertible: Error {
  var diagnostic: Diagnostic { get }
}

extension Diagnostic: DiagnosticConvertible {
  package var diagnostic: Diagnostic { self }
}

/// Several mistakes found in one pass, so that a person mends them in one go.
package struct DiagnosticList: Error, Sendable {
  package private(set) var diagnostics: [Diagnostic]

  package init(_ diagnostics: [Diagnostic] = []) { self.diagnostics = diagnostics }

  package mutating func add(_ diagnostic: Diagnostic) { diagnostics.append(diagnostic) }

  package var hasErrors: Bool { diagnostics.contains { $0.category != .warning } }

  /// The exit code of the first error, 0 when there are only warnings.
  package var exitCode: Int32 { diagnostics.first { $0.category != .warning }?.exitCode ?? 0 }

  /// Ends here when anything but a warning was collected.
  package func throwIfErrors() throws(DiagnosticList) {
    if hasErrors { throw self }
  }
}
