// Closes a connection whose request takes too long, sends without end, or was meant to be its last.
// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1

/// Watches one connection: from the end of a request's header until its answer is written, at most `limit` may pass, and
/// at most `bodyBytes` of body may come. Beyond either the connection is closed without a word.
///
/// Between requests the idle timeout of the connection rules, which also bounds the time that a header may take.
/// One timer a connection ticks while requests are open; a request costs one reading of the clock.
///
/// It also closes the connection of an HTTP/1.0 client after the answer unless that asked for `keep-alive`: such a client
/// reads until the end.
final class RequestGuard: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private let limit: TimeAmount
  private let bodyBytes: Int
  /// When the oldest open request began, or the one before it was answered; meaningless while none is open.
  private var oldest = NIODeadline.distantPast
  private var openRequests = 0
  private var received = 0
  /// How many answers are to come until the connection is closed.
  private var answersLeft: Int?
  private var timer: Scheduled<Void>?

  init(limit: TimeAmount, bodyBytes: Int) {
    self.limit = limit
    self.bodyBytes = bodyBytes
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      received = 0
      if openRequests == 0 { oldest = .now() }
      openRequests += 1
      if (head.version.major, head.version.minor) < (1, 1), !head.isKeepAlive, answersLeft == nil { answersLeft = openRequests }
      watch(context)
    case .body(let part):
      received += part.readableBytes
      if received > bodyBytes { return context.close(promise: nil) }
    case .end: break
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(var head) where answersLeft == 1:
      head.headers.replaceOrAdd(name: "Connection", value: "close")
      context.write(wrapOutboundOut(.head(head)), promise: promise)
    case .end:
      let written = promise ?? context.eventLoop.makePromise(of: Void.self)
      answersLeft = answersLeft.map { $0 - 1 }
      let isLast = answersLeft == 0
      written.futureResult.assumeIsolated().whenComplete { _ in
        self.openRequests -= 1
        self.oldest = .now()
        if isLast { context.close(promise: nil) }
      }
      context.write(data, promise: written)
    default: context.write(data, promise: promise)
    }
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
