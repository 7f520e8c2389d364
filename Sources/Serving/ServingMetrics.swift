// Counts what the server does, and says it in Prometheus' text format.
// SPDX-License-Identifier: Apache-2.0
import Scoring
import Synchronization

/// Counters and histograms of one server. Any thread may record.
package final class ServingMetrics: Sendable {
  /// What a request was for; the label `endpoint`.
  package enum Endpoint: String, Sendable, CaseIterable {
    case predict, info, health, metrics, unknown
  }

  /// Upper bounds of the seed's latency histogram, in milliseconds.
  static let latencyBounds: [Double] = [10, 25, 50, 100, 250, 500]
  /// Hours: the seed calls features older than 6 stale and drops them after 24; then days, a week, a month.
  static let ageBounds: [Double] = [1, 3, 6, 12, 24, 48, 168, 720]

  private struct Counts {
    var requests: [Endpoint: [Int: UInt64]] = [:]
    var latency = Histogram(bounds: ServingMetrics.latencyBounds)
    var featureAge = Histogram(bounds: ServingMetrics.ageBounds)
    var outOfDistribution: UInt64 = 0
    var missingLookups: UInt64 = 0
  }

  private let counts = Mutex(Counts())

  package init() {}

  /// A request was answered with this HTTP status.
  package func record(_ endpoint: Endpoint, status: Int) {
    counts.withLock { $0.requests[endpoint, default: [:]][status, default: 0] += 1 }
  }

  /// A prediction was made in this time.
  package func record(_ answer: Answer, elapsedMilliseconds: Double) {
    counts.withLock {
      $0.latency.observe(elapsedMilliseconds)
      if let age = answer.featureAgeHours { $0.featureAge.observe(age) }
      if answer.prediction.isOutOfDistribution { $0.outOfDistribution += 1 }
      $0.missingLookups += UInt64(answer.missingLookups.count)
    }
  }

  /// The page that Prometheus scrapes (text format 0.0.4).
  package func text(model: ServedModel.Facts) -> String {
    let counts = counts.withLock { $0 }
    var page = PrometheusText()
    page.histogram("prediction_latency_ms", "Prediction latency in milliseconds", counts.latency)
    page.histogram("feature_age_hours", "Age of looked-up features in hours", counts.featureAge)
    page.family("http_requests_total", "counter", "Requests answered, by endpoint and status")
    for endpoint in Endpoint.allCases {
      for (status, count) in (counts.requests[endpoint] ?? [:]).sorted(by: { $0.key < $1.key }) {
        page.sample("http_requests_total", [("endpoint", endpoint.rawValue), ("code", "\(status)")], "\(count)")
      }
    }
    let failed = (counts.requests[.predict] ?? [:]).filter { $0.key >= 400 }.values.reduce(0, +)
    page.counter("prediction_errors_total", "Prediction requests answered with a status of 400 or more", failed)
    page.counter("predictions_out_of_distribution_total", "Predictions with is_ood", counts.outOfDistribution)
    page.counter("feature_lookups_missing_total", "Lookups without a row in the snapshot", counts.missingLookups)
    page.family("model_info", "gauge", "The model that is being served")
    page.sample("model_info", [("name", model.name), ("version", model.version)], "1")
    return page.text
  }
}

/// Counts of values by upper bound, their sum and number.
struct Histogram: Sendable {
  /// Rising; a last bucket without bound follows them.
  let bounds: [Double]
  /// One more than `bounds`; values that fell between a bound and the one before.
  private(set) var counts: [UInt64]
  private(set) var sum = 0.0

  init(bounds: [Double]) {
    self.bounds = bounds
    counts = Array(repeating: 0, count: bounds.count + 1)
  }

  /// Counts a value; one that is not a number is left out.
  mutating func observe(_ value: Double) {
    guard !value.isNaN else { return }
    counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
    sum += value
  }
}

/// Prometheus' text format, one metric family after the other.
///
/// Source: "Exposition formats", prometheus.io, version 0.0.4.
struct PrometheusText {
  private(set) var text = ""

  mutating func family(_ name: String, _ kind: String, _ help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
  }

  mutating func sample(_ name: String, _ labels: [(String, String)], _ value: String) {
    let inner = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
    text += name + (inner.isEmpty ? "" : "{\(inner)}") + " \(value)\n"
  }

  mutating func counter(_ name: String, _ help: String, _ value: UInt64) {
    family(name, "counter", help)
    sample(name, [], "\(value)")
  }

  mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
    family(name, "histogram", help)
    var cumulative: UInt64 = 0
    for (bound, count) in zip(histogram.bounds, histogram.counts) {
      cumulative += count
      sample("\(name)_bucket", [("le", Self.bound(bound))], "\(cumulative)")
    }
    cumulative += histogram.counts[histogram.bounds.count]
    sample("\(name)_bucket", [("le", "+Inf")], "\(cumulative)")
    sample("\(name)_sum", [], "\(histogram.sum)")
    sample("\(name)_count", [], "\(cumulative)")
  }

  /// As Prometheus' own clients write a bound: `10.0`.
  private static func bound(_ value: Double) -> String { "\(value)" }

  private static func escaped(_ text: String) -> String {
    text.map { character in
      switch character {
      case "\\": "\\\\"
      case "\"": "\\\""
      case "\n": "\\n"
      default: String(character)
      }
    }.joined()
  }
}
