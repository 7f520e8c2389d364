// Sets up each connection, and handles it on the event loop that owns its socket.
// SPDX-License-Identifier: Apache-2.0
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypesHTTP1

/// A connection whose task runs on its own event loop's thread, so that a request costs no change of thread.
///
/// A request is a few tens of microseconds of computing and waits for nothing but its own socket, so nothing is gained by
/// carrying it to another thread (docs/serving.md has the figures).
struct LoopBoundChannel: ServerChildChannel {
  let base: HTTP1Channel
  let limits: ServingLimits

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
    base.setup(channel: channel, logger: logger).flatMapThrowing { value in
      let pipeline = channel.pipeline.syncOperations
      let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
      let guardian = RequestGuard(
        limit: TimeAmount(limits.request), bodyBytes: limits.bodyBytes + limits.drainedBytes)
      try pipeline.addHandler(guardian, position: .before(codec))
      return value
    }
  }

  func handle(value: HTTP1Channel.Value, logger: Logger) async {
    await withTaskExecutorPreference(EventLoopTaskExecutor(loop: value.channel.eventLoop)) {
      await base.handle(value: value, logger: logger)
    }
  }
}

/// Runs a task's jobs on one event loop.
final class EventLoopTaskExecutor: TaskExecutor {
  private let loop: any EventLoop

  init(loop: any EventLoop) { self.loop = loop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
