// The server's composition root: opens the bundle, starts the server, turns what went wrong into an exit code.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Diagnostics
import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Serving
import UnixSignals

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pipe-serve",
    abstract: "Answers predictions over HTTP from a model's bundle.",
    discussion: """
      POST /predictions/NAME   a prediction for one request, NAME being the model's
      GET  /predictions/models/info   /health   /metrics

      SIGTERM or SIGINT: open requests are answered, then the server ends with 0.
      """,
    version: "pipe-serve 0.1.0")

  @OptionGroup var options: ServeOptions

  func run() async throws {
    signal(SIGPIPE, SIG_IGN)
    raiseFileLimit(to: options.maxConnections + 64)
    let level = options.level ?? .info
    LoggingSystem.bootstrap { _ in JSONLogHandler(level: level) }
    let logger = Logger(label: "pipe-serve")
    let model = try ServedModel.open(
      bundle: URL(fileURLWithPath: options.bundle), manifest: options.manifest.map { URL(fileURLWithPath: $0) })
    let server = InferenceServer(
      host: ModelHost(model), clock: options.standingTime.map { .fixed($0) } ?? .system, limits: options.limits)
    let host = options.host
    let application = server.application(address: .hostname(host, port: options.port), logger: logger) { port in
      logger.info(
        "ready",
        metadata: [
          "host": "\(host)", "port": "\(port)", "model": "\(model.facts.name)", "version": "\(model.facts.version)",
          "checksum": "\(model.facts.checksum)",
        ])
    }
    try await serve(application, drain: options.limits.drain, logger: logger)
    logger.info("stopped")
  }

  /// Runs until a signal asks for the end; open requests get `drain` to finish.
  private func serve(_ application: some Service, drain: Duration, logger: Logger) async throws {
    var configuration = ServiceGroupConfiguration(
      services: [application], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    configuration.maximumGracefulShutdownDuration = drain
    do {
      try await ServiceGroup(configuration: configuration).run()
    } catch let error as IOError {
      throw Diagnostic(
        .input, "cannot listen on `\(options.host)` port \(options.port)", causes: ["\(error)"],
        hints: ["`--port 0` takes a free port"])
    }
  }
}

/// Lets the process hold as many files as the limit of connections needs, as far as the system allows.
private func raiseFileLimit(to wanted: Int) {
  var limit = rlimit()
  guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < wanted else { return }
  limit.rlim_cur = min(rlim_t(wanted), limit.rlim_max)
  _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

/// What an error means for a person and for the exit code (docs/design.md, "Exit codes").
private func report(_ error: any Error) -> Int32 {
  if let diagnostic = (error as? any DiagnosticConvertible)?.diagnostic {
    standardError(Array(DiagnosticRenderer().text(diagnostic).utf8))
    return diagnostic.exitCode
  }
  let message = ServeCommand.fullMessage(for: error)
  if ServeCommand.exitCode(for: error) == .success {
    print(message)
    return 0
  }
  if ServeCommand.exitCode(for: error) == .validationFailure {
    standardError(Array((message + "\n").utf8))
    return 2
  }
  standardError(Array("error: \(error)\nhint: this is a bug of pipe-serve; please report it\n".utf8))
  return 70
}

do {
  let command = try ServeCommand.parse(commandLineArguments())
  try await command.run()
} catch {
  exit(report(error))
}
