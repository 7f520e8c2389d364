// Metrics and tests against scikit-learn, SciPy and statsmodels on real tables: Benchmarks/agreement writes what they say.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Evaluation

private let folder = ProcessInfo.processInfo.environment["PIPE_REAL_AGREEMENT"]
private let isWanted = folder != nil && ProcessInfo.processInfo.environment["PIPE_REAL_DATA"] != nil

/// `case.json` of one folder.
private struct AgreementCase: Decodable {
  var task: String
  var seasonality: Int?
  var horizon: Int?
  var within: Double?
  var cutoffs: [Int]?
  var positive: String?
  var threshold: Double?
  /// By metric.
  var metrics: [String: Double]
  /// Bounds that are no bootstrap's.
  var intervals: [String: [Double]]?
  var tests: [String: Double]?
  var crossChecks: [String: [String: Double]]?
}

@Suite struct AgreementTests {
  @Test(
    .enabled(
      if: isWanted, "set PIPE_REAL_DATA and PIPE_REAL_AGREEMENT, a folder that Benchmarks/agreement/agreement.py wrote, to run it"
    ))
  func `metrics and tests on real tables are those of the libraries to 1e-9`() throws {
    let root = URL(fileURLWithPath: folder ?? "")
    var names = try FileManager.default.contentsOfDirectory(atPath: root.path).sorted()
    names.removeAll { !FileManager.default.fileExists(atPath: root.appendingPathComponent("\($0)/case.json").path) }
    #expect(!names.isEmpty)
    var differences: [(what: String, difference: Double)] = []
    for name in names { differences += try compare(root.appendingPathComponent(name), name) }
    for (what, difference) in differences { print("\(what)\t\(difference)") }
    print("\(differences.count) figures, largest difference \(differences.map(\.difference).max() ?? .nan)")
    for (what, difference) in differences { #expect(difference <= 1e-9, "\(what)") }
  }

  private func compare(_ folder: URL, _ name: String) throws -> [(String, Double)] {
    let said = try JSONDecoder().decode(AgreementCase.self, from: Data(contentsOf: folder.appendingPathComponent("case.json")))
    var request = EvaluationRequest(name: name, task: try #require(EvaluationTask(rawValue: said.task)))
    request.bootstrap.resamples = 5
    (request.seasonality, request.horizon, request.within) = (said.seasonality, said.horizon ?? 1, said.within)
    (request.cutoffs, request.positive, request.threshold) = (said.cutoffs ?? [], said.positive, said.threshold)
    request.metrics = said.metrics.keys.sorted()
    request.slices = []
    let table = try PredictionReader.table(file: folder.appendingPathComponent("current.csv").path, for: request)
    let other = folder.appendingPathComponent("reference.csv").path
    let reference =
      FileManager.default.fileExists(atPath: other) ? try PredictionReader.table(file: other, for: request) : nil
    let result = try Evaluator(request).evaluate(table, against: reference)
    var found: [(String, Double)] = []
    func add(_ what: String, _ value: Double?, _ expected: Double) {
      found.append(("\(name)\t\(what)", value.map { abs($0 - expected) } ?? .infinity))
    }
    for (metric, value) in said.metrics.sorted(by: { $0.key < $1.key }) {
      add(metric, result.document.metrics.first { $0.name == metric }?.value, value)
    }
    for (metric, bounds) in (said.intervals ?? [:]).sorted(by: { $0.key < $1.key }) {
      let estimate = result.document.metrics.first { $0.name == metric }
      add("\(metric) low", estimate?.low, bounds[0])
      add("\(metric) high", estimate?.high, bounds[1])
    }
    for (metric, p) in (said.tests ?? [:]).sorted(by: { $0.key < $1.key }) {
      let paired = result.paired.first { $0.metric == metric }
      add("\(metric) p of \(paired?.test ?? "no test")", paired?.p, p)
    }
    for (metric, checks) in (said.crossChecks ?? [:]).sorted(by: { $0.key < $1.key }) {
      for (test, p) in checks.sorted(by: { $0.key < $1.key }) {
        add("\(metric) p of \(test)", result.paired.first { $0.metric == metric }?.crossChecks.first { $0.test == test }?.p, p)
      }
    }
    return found
  }
}
