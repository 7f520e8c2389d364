// What a connection may do to the server, byte by byte, over a socket.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import Testing

@testable import Serving

/// One piece of what a client sends, and how long it waits after it.
private struct Piece: Sendable {
  var text: String
  var pause: Duration = .zero
}

/// Sends pieces to a port of this machine and reads until the server closes or is silent for a while.
///
/// - Returns: what came back, `isClosed` when the server ended the connection within `patience`.
private func talk(
  to port: Int, _ pieces: [Piece], endsSending: Bool = false, patience: Duration = .milliseconds(1500)
) async -> (text: String, isClosed: Bool) {
  await withCheckedContinuation { continuation in
    // A thread of its own: the server needs the threads of the test's task.
    Thread.detachNewThread {
      let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(client) }
      var place = sockaddr_in()
      place.sin_family = sa_family_t(AF_INET)
      place.sin_port = in_port_t(port).bigEndian
      place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      _ = withUnsafePointer(to: &place) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      for piece in pieces {
        let bytes = Array(piece.text.utf8)
        var sent = 0
        while sent < bytes.count {
          let count = bytes[sent...].withUnsafeBytes { send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
          if count <= 0 { break }
          sent += count
        }
        if piece.pause > .zero { usleep(useconds_t(piece.pause / .microseconds(1))) }
      }
      if endsSending { shutdown(client, Int32(SHUT_WR)) }
      var limit = timeval(tv_sec: 0, tv_usec: 0)
      limit.tv_sec = Int(patience.components.seconds)
      limit.tv_usec = Int(patience.components.attoseconds / 1_000_000_000_000)
      setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
      var received: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = recv(client, &buffer, buffer.count, 0)
        guard count > 0 else {
          let isClosed = count == 0 || errno != EAGAIN
          continuation.resume(returning: (String(decoding: received, as: UTF8.self), isClosed))
          return
        }
        received += buffer[..<count]
      }
    }
  }
}

private func post(_ body: String, version: String = "1.1", length: Int? = nil) -> String {
  "POST /predictions/eta HTTP/\(version)\r\nHost: x\r\nContent-Type: application/json\r\n"
    + "Content-Length: \(length ?? body.utf8.count)\r\n\r\n\(body)"
}

@Suite struct HostileConnectionTests {
  /// Runs a server for the length of a closure, and sees that it still answers at the end.
  private func withServer(
    limits: ServingLimits = ServingLimits(), _ body: @Sendable @escaping (_ port: Int) async throws -> Void
  ) async throws {
    let (ports, announcement) = AsyncStream.makeStream(of: Int.self)
    let application = standInApplication(limits: limits) { announcement.yield($0) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try? await application.run() }
      for await port in ports {
        try await body(port)
        let health = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        let after = await talk(to: port, [Piece(text: health)], patience: .seconds(10))
        #expect(after.text.hasPrefix("HTTP/1.1 200 OK"), "the server goes on")
        break
      }
      group.cancelAll()
    }
  }

  @Test func `requests sent in one go are answered in order`() async throws {
    try await withServer { port in
      let bodies = (1...50).map { goodBody.replacing("A-1", with: "A-\($0)") }
      let answer = await talk(to: port, [Piece(text: bodies.map { post($0) }.joined())])
      let ids = answer.text.matches(of: /"order_id":"(A-\d+)"/).map { String($0.1) }
      #expect(ids == (1...50).map { "A-\($0)" })
      #expect(!answer.isClosed)
    }
  }

  @Test func `a body in chunks is put together`() async throws {
    try await withServer { port in
      let head =
        "POST /predictions/eta HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
      let rest = goodBody.dropFirst(7)
      let chunks = "7\r\n\(goodBody.prefix(7))\r\n\(String(rest.utf8.count, radix: 16))\r\n\(rest)\r\n0\r\n\r\n"
      let answer = await talk(to: port, [Piece(text: head + chunks)])
      #expect(answer.text.hasPrefix("HTTP/1.1 200 OK"))
    }
  }

  @Test(arguments: [
    "\u{0}\u{1}garbage\r\n\r\n", "GET /health\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "GET /health HTTP/1.1\r\nX: \(String(repeating: "a", count: 20_000))\r\n\r\n",
    "GET /health HTTP/1.1\r\n\(String(repeating: "X: a\r\n", count: 200))\r\n",
    "POST /predictions/eta HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /predictions/eta HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "POST /predictions/eta HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\nabcdef",
    "POST /predictions/eta HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
  ])
  func `what is no HTTP gets 400 and the connection ends`(text: String) async throws {
    try await withServer { port in
      let answer = await talk(to: port, [Piece(text: text)])
      #expect(answer.text.hasPrefix("HTTP/1.1 400 Bad Request"))
      #expect(answer.isClosed)
    }
  }

  @Test func `a body that is cut short gets 400`() async throws {
    try await withServer { port in
      let answer = await talk(to: port, [Piece(text: post(goodBody, length: 500))], endsSending: true)
      #expect(answer.text.hasPrefix("HTTP/1.1 400 Bad Request"))
      #expect(answer.isClosed)
    }
  }

  @Test func `a client of HTTP 1_0 is answered and let go`() async throws {
    try await withServer { port in
      let answer = await talk(to: port, [Piece(text: post(goodBody, version: "1.0"))])
      #expect(answer.text.hasPrefix("HTTP/1.1 200 OK"))
      #expect(answer.text.contains("Connection: close\r\n"))
      #expect(answer.isClosed)
      let kept = "GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
      #expect(await talk(to: port, [Piece(text: kept)]).isClosed == false)
    }
  }

  @Test func `a body that drips is cut off when the request's time is over`() async throws {
    var limits = ServingLimits()
    limits.request = .milliseconds(400)
    try await withServer(limits: limits) { port in
      let start = ContinuousClock.now
      let drops = goodBody.prefix(8).map { Piece(text: String($0), pause: .milliseconds(100)) }
      let answer = await talk(to: port, [Piece(text: post("", length: 200))] + drops)
      #expect(answer.isClosed)
      #expect(answer.text.isEmpty)
      #expect(ContinuousClock.now - start >= .milliseconds(400))
    }
  }

  @Test func `a header that never ends is cut off when the silence is over`() async throws {
    var limits = ServingLimits()
    limits.idle = .milliseconds(300)
    try await withServer(limits: limits) { port in
      let pieces = "GET /health HT".map { Piece(text: String($0), pause: .milliseconds(50)) }
      let answer = await talk(to: port, pieces)
      #expect(answer.isClosed)
      #expect(answer.text.isEmpty)
    }
  }

  @Test func `an endless body is refused, taken in for a while, and then cut off`() async throws {
    var limits = ServingLimits()
    limits.bodyBytes = 1000
    limits.drainedBytes = 10_000
    try await withServer(limits: limits) { port in
      let some = await talk(to: port, [Piece(text: post(String(repeating: " ", count: 9000)) + post(goodBody))])
      #expect(some.text.hasPrefix("HTTP/1.1 413 "))
      #expect(some.text.contains("HTTP/1.1 200 OK"))
      let endless = await talk(to: port, [Piece(text: post(String(repeating: " ", count: 2_000_000), length: 1 << 40))])
      #expect(endless.isClosed)
    }
  }

  @Test func `a connection over the limit waits until another closes`() async throws {
    var limits = ServingLimits()
    limits.connections = 2
    limits.idle = .milliseconds(600)
    try await withServer(limits: limits) { port in
      let health = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
      let start = ContinuousClock.now
      await withTaskGroup(of: String.self) { group in
        for _ in 0..<6 { group.addTask { await talk(to: port, [Piece(text: health)], patience: .seconds(10)).text } }
        for await text in group { #expect(text.hasPrefix("HTTP/1.1 200 OK")) }
      }
      // At least two rounds, each let go after the idle time; the system may hand over a few connections in one go.
      #expect(ContinuousClock.now - start >= .milliseconds(1100))
    }
  }
}
