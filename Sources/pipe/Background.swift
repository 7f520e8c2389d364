// Work beside the command's own thread.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import Dispatch
import Synchronization

/// A value that is made on a thread of its own, for whoever asks for it later.
///
/// Nobody has to ask: a process that ends leaves the work where it stands, so the work changes nothing.
final class Background<Value: Sendable>: Sendable {
  private let value = Mutex<Value?>(nil)
  private let done = DispatchGroup()

  init(_ body: @escaping @Sendable () -> Value) {
    done.enter()
    startThread { [self] in
      let made = body()
      value.withLock { $0 = made }
      done.leave()
    }
  }

  /// Waits for the value.
  func wait() -> Value {
    done.wait()
    guard let made = value.withLock({ $0 }) else { preconditionFailure("the group is left once the value is there") }
    return made
  }
}

/// Something that one thread says once and others see.
final class Announcement: Sendable {
  private let state = Atomic(false)

  var isMade: Bool { state.load(ordering: .relaxed) }

  func make() { state.store(true, ordering: .relaxed) }
}
