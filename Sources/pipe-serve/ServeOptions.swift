// What `pipe-serve` is asked on its command line.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Diagnostics
import Foundation
import Logging
import Serving
import Tabular

/// The options, each checked as far as it can be without touching the disk.
struct ServeOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The model's bundle.", valueName: "dir"))
  var bundle: String

  @Option(help: ArgumentHelp("Refuse the bundle unless its files have the digests listed here.", valueName: "file"))
  var manifest: String?

  @Option(help: ArgumentHelp("Numeric address to listen on.", valueName: "address"))
  var host = "127.0.0.1"

  @Option(help: ArgumentHelp("Port to listen on; 0 takes a free one, the ready line says which.", valueName: "n"))
  var port = 8080

  @Option(
    help: ArgumentHelp(
      "Hold the clock still at this time, e.g. 2026-06-30T00:00:00Z (default: the system's clock).", valueName: "time"))
  var clock: String?

  @Option(
    help: ArgumentHelp("trace, debug, info, notice, warning, error or critical; debug logs every request.", valueName: "level"))
  var logLevel = "info"

  @Option(help: ArgumentHelp("Open connections at most.", valueName: "n"))
  var maxConnections = ServingLimits().connections

  @Option(help: ArgumentHelp("Longest request body in bytes.", valueName: "n"))
  var maxBody = ServingLimits().bodyBytes

  @Option(help: ArgumentHelp("Seconds that a request may take, sending included.", valueName: "s"))
  var requestTimeout = Int(ServingLimits().request.components.seconds)

  @Option(help: ArgumentHelp("Seconds that a connection may be silent between requests.", valueName: "s"))
  var idleTimeout = Int(ServingLimits().idle.components.seconds)

  @Option(help: ArgumentHelp("Seconds that open requests get after SIGTERM.", valueName: "s"))
  var drainTimeout = Int(ServingLimits().drain.components.seconds)

  func validate() throws {
    guard isNumericAddress(host) else {
      throw ValidationError("`--host \(host)` is not a numeric address such as `127.0.0.1` or `::1`; names are not looked up")
    }
    guard (0...65_535).contains(port) else { throw ValidationError("`--port` is between 0 and 65535") }
    guard clock == nil || standingTime != nil else {
      throw ValidationError("`--clock` is a time in UTC such as `2026-06-30T00:00:00Z`")
    }
    guard level != nil else { throw ValidationError("`--log-level \(logLevel)` is no level: try `info`") }
    for (name, value) in [
      ("max-connections", maxConnections), ("max-body", maxBody), ("request-timeout", requestTimeout),
      ("idle-timeout", idleTimeout), ("drain-timeout", drainTimeout),
    ] where value < 1 || value > 1 << 30 {
      throw ValidationError("`--\(name)` is between 1 and \(1 << 30)")
    }
  }

  var level: Logger.Level? { Logger.Level(rawValue: logLevel) }

  var standingTime: Int64? { clock.flatMap { Timestamp.epochSeconds($0) } }

  var limits: ServingLimits {
    var limits = ServingLimits()
    limits.connections = maxConnections
    limits.bodyBytes = maxBody
    limits.request = .seconds(requestTimeout)
    limits.idle = .seconds(idleTimeout)
    limits.drain = .seconds(drainTimeout)
    return limits
  }
}

/// Whether a text is an IPv4 or IPv6 address in numbers.
private func isNumericAddress(_ text: String) -> Bool {
  var storage = in6_addr()
  return inet_pton(AF_INET, text, &storage) == 1 || inet_pton(AF_INET6, text, &storage) == 1
}
