// Blocking work off the threads that Swift's tasks share.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Runs a body on a thread of its own and waits for it without blocking.
///
/// Not a dispatch queue: that starts as many threads as there are cores and adds to them only after a while when they
/// block, and a stage blocks its thread as long as its process runs.
func onOwnThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
  await withCheckedContinuation { continuation in
    startThread { continuation.resume(returning: body()) }
  }
}

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Starts a thread that ends with its body; where there is no thread to be had, the caller's runs it.
package func startThread(_ body: @escaping @Sendable () -> Void) {
  var thread = pthread_t()
  let box = Unmanaged.passRetained(ThreadBody(body))
  let code = pthread_create(
    &thread, nil,
    { pointer in
      if let pointer { Unmanaged<ThreadBody>.fromOpaque(pointer).takeRetainedValue().run() }
      return nil
    }, box.toOpaque())
  guard code == 0 else {
    box.takeRetainedValue().run()
    return
  }
  pthread_detach(thread)
}
