// What time it is, for the features that depend on it.
// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// A source of the present moment, handed in so that a test or a replay can hold it still.
package struct ServingClock: Sendable {
  /// Whole seconds since 1970 in UTC.
  package let epochSeconds: @Sendable () -> Int64

  package static let system = ServingClock { Int64(Date().timeIntervalSince1970) }

  /// A clock that stands.
  package static func fixed(_ epochSeconds: Int64) -> ServingClock { ServingClock { epochSeconds } }

  package init(_ epochSeconds: @escaping @Sendable () -> Int64) { self.epochSeconds = epochSeconds }
}
