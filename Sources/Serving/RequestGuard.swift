// Closes a connection whose request takes too long or sends without end.
// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Watches one connection: from the end of a request's header until its answer is written, at most `limit` may pass, and
/// at most `bodyBytes` of body may come. Beyond either the connection is closed without a word.
///
/// Between requests the idle timeout of the connection rules, which also bounds the time that a header may take.
/// One timer a connection ticks while requests are open; a request costs one reading of the clock.
final class RequestGuard: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private let limit: TimeAmount
  private let bodyBytes: Int
  /// When the oldest open request began; meaningless while none is open.
  private var oldest = NIODeadline.distantPast
  private var openRequests = 0
  private var received = 0
  private var timer: Scheduled<Void>?

  init(limit: TimeAmount, bodyBytes: Int) {
    self.limit = limit
    self.bodyBytes = bodyBytes
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head:
      received = 0
      if openRequests == 0 { oldest = .now() }
      openRequests += 1
      watch(context)
    case .body(let part):
      received += part.readableBytes
      if received > bodyBytes { return context.close(promise: nil) }
    case .end: break
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
    let written = promise ?? context.eventLoop.makePromise(of: Void.self)
    written.futureResult.assumeIsolated().whenComplete { _ in
      self.openRequests -= 1
      self.oldest = .now()
    }
    context.write(data, promise: written)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    timer?.cancel()
    timer = nil
  }

  private func watch(_ context: ChannelHandlerContext) {
    guard timer == nil else { return }
    timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: oldest + limit) {
      self.timer = nil
      guard self.openRequests > 0 else { return }
      if .now() >= self.oldest + self.limit { context.close(promise: nil) } else { self.watch(context) }
    }
  }
}
