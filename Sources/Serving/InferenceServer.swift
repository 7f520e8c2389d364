// The HTTP server around a model host: endpoints, limits, threads.
// SPDX-License-Identifier: Apache-2.0
package import Hummingbird
package import HummingbirdCore
package import Logging
import NIOCore

/// Where the server listens, and under which bounds.
package struct InferenceServer: Sendable {
  package let host: ModelHost
  package let metrics: ServingMetrics
  package let clock: ServingClock
  package let limits: ServingLimits

  package init(host: ModelHost, clock: ServingClock, limits: ServingLimits = ServingLimits()) {
    self.host = host
    self.clock = clock
    self.limits = limits
    metrics = ServingMetrics()
  }

  /// The server as a service that runs until it is told to stop, then drains.
  ///
  /// - Parameters:
  ///   - address: a numeric address: no name is looked up.
  ///   - onReady: called once with the port that the server listens on.
  package func application(
    address: BindAddress, logger: Logger, onReady: @escaping @Sendable (Int) -> Void = { _ in }
  ) -> Application<InferenceResponder> {
    Application(
      responder: InferenceResponder(host: host, metrics: metrics, clock: clock, limits: limits),
      server: connections(),
      configuration: ApplicationConfiguration(
        address: address, backlog: limits.backlog,
        availableConnectionsDelegate: .maximum(limits.connections, logger: logger)),
      onServerRunning: { channel in onReady(channel.localAddress?.port ?? 0) },
      logger: logger)
  }

  private func connections() -> HTTPServerBuilder {
    let limits = limits
    var configuration = HTTP1Channel.Configuration(idleTimeout: TimeAmount(limits.idle))
    configuration.httpDecoder = .init(
      maxHeaderFieldSize: limits.headerBytes, maxHeaderListSize: limits.headerBytes, maxHeaderFieldCount: limits.headerFields)
    return HTTPServerBuilder { [configuration] responder in
      LoopBoundChannel(base: HTTP1Channel(responder: responder, configuration: configuration), limits: limits)
    }
  }
}
