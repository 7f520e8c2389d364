// Ctrl-C and SIGTERM while cells run.
// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// Remembers the first SIGINT or SIGTERM and wakes whoever waits for it. One per process; made by the executable.
package final class InterruptionWatch: Sendable {
  /// Readable from the moment of the signal on.
  let descriptor: Int32

  /// The signal that came, if one did.
  package var signal: Int32? {
    let value = arrived.load(ordering: .sequentiallyConsistent)
    return value == 0 ? nil : value
  }

  /// The signal, if it came or comes within this time.
  func wait(_ limit: Duration) -> Int32? {
    if signal == nil {
      var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      poll(&wait, 1, Int32(limit / .milliseconds(1)))
    }
    return signal
  }

  /// Takes over SIGINT and SIGTERM for the rest of the process's life.
  package init() {
    var ends: [Int32] = [-1, -1]
    _ = pipe(&ends)
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    descriptor = ends[0]
    wakeDescriptor.store(ends[1], ordering: .sequentiallyConsistent)
    for signal in [SIGINT, SIGTERM] { Glibc.signal(signal, remember) }
  }
}

private let arrived = Atomic<Int32>(0)
private let wakeDescriptor = Atomic<Int32>(-1)

/// The signal handler: two atomics and one write, all of them safe there.
private func remember(_ signal: Int32) {
  _ = arrived.compareExchange(expected: 0, desired: signal, ordering: .sequentiallyConsistent)
  var byte: UInt8 = 1
  _ = write(wakeDescriptor.load(ordering: .sequentiallyConsistent), &byte, 1)
}
