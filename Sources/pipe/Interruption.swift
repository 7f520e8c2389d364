// Ctrl-C and SIGTERM: end the stages gently, then by force.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import Dispatch
import Glibc
import Synchronization

final class Interruption: Sendable {
  static let shared = Interruption()

  private struct State {
    var signal: Int32?
    /// Runs the stages of the build that goes on; `nil` between two builds of one process.
    var executor: ProcessExecutor?
    var isListening = false
    /// What ends a process that has nothing to wait for.
    var leave: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())

  var isRaised: Bool { state.withLock { $0.signal != nil } }

  /// 130 after SIGINT, 143 after SIGTERM.
  var exitCode: Int32 { state.withLock { $0.signal == SIGTERM ? 143 : 130 } }

  /// Passes signals on to the running stages: 10 s after the first come SIGTERM and, 5 s later, SIGKILL; a second
  /// Ctrl-C kills at once.
  func watch(_ executor: ProcessExecutor) {
    state.withLock { $0.executor = executor }
    listen()
  }

  /// No build goes on until the next `watch`: a signal in between calls `leave`.
  func rest(leaving leave: @escaping @Sendable () -> Void) {
    state.withLock { state in
      state.executor = nil
      state.leave = leave
    }
    listen()
  }

  private func listen() {
    let isFirst = state.withLock { state in
      defer { state.isListening = true }
      return !state.isListening
    }
    guard isFirst else { return }
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [self] in raise(number) }
      source.activate()
      // Lives as long as the process does.
      _ = Unmanaged.passRetained(source as AnyObject)
    }
  }

  private func raise(_ number: Int32) {
    let (isFirst, executor, leave) = state.withLock { state in
      defer { state.signal = state.signal ?? (number == SIGINT ? SIGINT : SIGTERM) }
      return (state.signal == nil, state.executor, state.leave)
    }
    guard let executor else {
      leave?()
      return
    }
    guard isFirst else { return executor.signalAll(.kill) }
    Terminal.standard.note("interrupted: waiting for running stages to end (Ctrl-C again kills them)")
    executor.signalAll(number == SIGINT ? .interrupt : .terminate)
    DispatchQueue.global().asyncAfter(deadline: .now() + 10) { executor.signalAll(.terminate) }
    DispatchQueue.global().asyncAfter(deadline: .now() + 15) { executor.signalAll(.kill) }
  }
}
