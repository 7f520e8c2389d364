// Running one command: the seam between the engine and the world of processes.
// SPDX-License-Identifier: Apache-2.0

/// One process to run.
package struct Command: Sendable, Equatable {
  /// The program's absolute path, then its arguments.
  package var arguments: [String]
  package var environment: [String: String]
  /// Absolute.
  package var folder: String
  /// The command is ended when it takes longer; `nil` is for ever.
  package var timeoutSeconds: Double?

  package init(arguments: [String], environment: [String: String], folder: String, timeoutSeconds: Double? = nil) {
    self.timeoutSeconds = timeoutSeconds
    self.arguments = arguments
    self.environment = environment
    self.folder = folder
  }
}

/// How a command ended.
package struct CommandResult: Sendable, Equatable {
  package enum End: Sendable, Equatable {
    case exited(Int32)
    case signalled(Int32)
    /// The program could not be started; `errno`.
    case notStarted(Int32)
    /// It took longer than `Command.timeoutSeconds` and was ended.
    case timedOut
  }

  package var end: End
  package var userSeconds: Double
  package var systemSeconds: Double
  /// Largest resident set of one process among those the command started.
  package var peakMemoryBytes: Int

  package init(end: End, userSeconds: Double = 0, systemSeconds: Double = 0, peakMemoryBytes: Int = 0) {
    self.end = end
    self.userSeconds = userSeconds
    self.systemSeconds = systemSeconds
    self.peakMemoryBytes = peakMemoryBytes
  }

  package var succeeded: Bool { end == .exited(0) }
}

/// Runs commands. Blocks the calling thread; may be called from several at once.
package protocol Executor: Sendable {
  /// - Parameter onOutput: standard output and error as they come.
  func run(_ command: Command, onOutput: (UnsafeRawBufferPointer) -> Void) -> CommandResult
}
