// Answers one HTTP request: which endpoint, may it, and what.
// SPDX-License-Identifier: Apache-2.0
package import Hummingbird
package import Logging
import NIOCore
import NIOHTTP1

/// What travels beside a request: only the logger.
package struct ServingContext: InitializableFromSource {
  package let logger: Logger
  package init(source: ApplicationRequestContextSource) { logger = source.logger }
}

/// The five endpoints of the server (docs/serving.md).
package struct InferenceResponder: HTTPResponder {
  package typealias Context = ServingContext

  let host: ModelHost
  let metrics: ServingMetrics
  let clock: ServingClock
  let limits: ServingLimits

  package func respond(to request: Request, context: ServingContext) async throws -> Response {
    let model = host.current
    let path = request.uri.path
    let endpoint = Self.endpoint(at: path, model: model)
    let response: Response
    do {
      response = try await answer(request, endpoint: endpoint, path: path, model: model)
    } catch let refusal as Refusal {
      response = Self.response(refusal)
    } catch let error as HTTPParserError {
      throw error
    } catch is CancellationError {
      response = Self.response(Refusal(503, "the server is stopping"))
    } catch {
      context.logger.error("a request failed", metadata: ["path": "\(path)", "error": "\(error)"])
      response = Self.response(Refusal(500, "the server failed on this request"))
    }
    metrics.record(endpoint, status: response.status.code)
    context.logger.debug("answered", metadata: ["path": "\(path)", "status": "\(response.status.code)"])
    return response
  }

  private static func endpoint(at path: String, model: ServedModel) -> ServingMetrics.Endpoint {
    switch path {
    case model.path: .predict
    case "/predictions/models/info": .info
    case "/health": .health
    case "/metrics": .metrics
    default: .unknown
    }
  }

  private func answer(
    _ request: Request, endpoint: ServingMetrics.Endpoint, path: String, model: ServedModel
  ) async throws -> Response {
    let method = request.method
    switch endpoint {
    case .predict:
      guard method == .post else { return Self.notAllowed(method, at: path, allowed: "POST") }
      return try await predict(request, model)
    case .unknown:
      throw Refusal(404, "there is nothing at `\(path.prefix(100))`; predictions are made by `POST \(model.path)`")
    case .info, .health, .metrics:
      guard method == .get || method == .head else { return Self.notAllowed(method, at: path, allowed: "GET, HEAD") }
      let response = page(endpoint, model)
      return method == .head ? response.createHeadResponse() : response
    }
  }

  private func page(_ endpoint: ServingMetrics.Endpoint, _ model: ServedModel) -> Response {
    switch endpoint {
    case .metrics:
      let text = metrics.text(model: model.facts)
      return Response(
        status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    case .info: return Self.json(model.infoBody)
    default:
      var json = JSONWriter(reserving: 96)
      json.beginObject()
      json.text("status", "ok")
      json.text("model_name", model.facts.name)
      json.text("model_version", model.facts.version)
      json.endObject()
      return Self.json(json.bytes)
    }
  }

  private func predict(_ request: Request, _ model: ServedModel) async throws -> Response {
    try checkHead(request)
    let body: ByteBuffer
    do {
      body = try await request.body.collect(upTo: limits.bodyBytes)
    } catch is NIOTooManyBytesError {
      throw tooLarge
    }
    let start = SuspendingClock.now
    let bytes = Array(body.readableBytesView)
    let fields: [String: JSONScalar]
    do { fields = try JSONObjectReader.fields(of: bytes) } catch { throw Refusal(error) }
    let id = try Self.id(in: fields, named: model.facts.idField)
    let answer = try model.predict(fields, clock.epochSeconds())
    let elapsed = (SuspendingClock.now - start) / .milliseconds(1)
    metrics.record(answer, elapsedMilliseconds: elapsed)
    return Self.json(model.body(of: answer, id: id, elapsedMilliseconds: elapsed))
  }

  /// What the header fields alone decide: the body's type and its announced length.
  private func checkHead(_ request: Request) throws(Refusal) {
    let type = request.headers[.contentType] ?? ""
    let essence = type.prefix { $0 != ";" && $0 != " " }.lowercased()
    guard essence == "application/json" else {
      throw Refusal(415, "the body must be JSON with `Content-Type: application/json`")
    }
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limits.bodyBytes { throw tooLarge }
  }

  private var tooLarge: Refusal { Refusal(413, "the body is longer than \(limits.bodyBytes) bytes") }

  private static func id(in fields: [String: JSONScalar], named name: String) throws(Refusal) -> String {
    switch fields[name] {
    case .text(let id)?: return id
    case nil, .null?: throw Refusal(422, "field `\(name)` is missing", field: name)
    default: throw Refusal(422, "field `\(name)` must be a text", field: name)
    }
  }

  private static func notAllowed(_ method: HTTPRequest.Method, at path: String, allowed: String) -> Response {
    var response = response(Refusal(405, "`\(path)` does not take `\(method.rawValue)`, only `\(allowed)`"))
    response.headers[.allow] = allowed
    return response
  }

  private static func response(_ refusal: Refusal) -> Response {
    Response(
      status: .init(code: refusal.status), headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: refusal.body))
  }

  private static func json(_ bytes: [UInt8]) -> Response {
    Response(
      status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }
}
