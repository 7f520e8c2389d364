// What one client may ask of the server.
// SPDX-License-Identifier: Apache-2.0

/// Bounds on size, number and time. What exceeds them is refused or cut off.
package struct ServingLimits: Sendable {
  /// Longest request body that is read, in bytes; a longer one is answered with 413.
  package var bodyBytes = 64 * 1024
  /// How much of a refused body is still taken in, and thrown away, so that the client gets to read the answer.
  package var drainedBytes = 4 * 1024 * 1024
  /// Longest request line and header fields together, in bytes.
  package var headerBytes = 16 * 1024
  package var headerFields = 100
  /// Open connections; more wait in the backlog until one closes.
  package var connections = 1000
  package var backlog = 1024
  /// From the last answer, or from the connection's start, to the end of the next request's header.
  package var idle = Duration.seconds(30)
  /// From the end of a request's header until its answer has been written.
  package var request = Duration.seconds(10)
  /// From SIGTERM until what is still open is cut off.
  package var drain = Duration.seconds(15)

  package init() {}
}
