// Metrics of orders: one value a query, then their mean.
// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Metrics of a ranking; the units are queries. One without a relevant row counts as 0 everywhere.
struct RankingSet: MetricSet {
  let words: [MetricWords]
  /// By query, then by metric.
  private var scores: RowValues<Double>
  private var weights: RowValues<Double>

  init(_ table: PredictionTable, cutoffs: [Int], relevantFrom: Double) {
    words = Self.words(cutoffs)
    let parts = table.groups.map { RowParts($0.rows, parts: $0.names.count) }
    let grouped = GroupedRelevances(table, parts)
    scores = RowValues(in: table.scratch, reserving: grouped.groups.count * words.count)
    weights = RowValues(in: table.scratch, reserving: grouped.groups.count)
    var query = RankedQuery()
    for rows in grouped.groups where !rows.isEmpty {
      query.read(grouped, rows)
      for score in query.scores(cutoffs: cutoffs, relevantFrom: relevantFrom) { scores.append(score) }
      // All rows of a query should have one weight; where they differ their mean is taken.
      weights.append(rows.reduce(0) { $0 + grouped.weight($1) } / Double(rows.count))
    }
  }

  private static func words(_ cutoffs: [Int]) -> [MetricWords] {
    var words = cutoffs.map { MetricWords("ndcg_\($0)", "NDCG@\($0)", "higher", "") }
    words += cutoffs.map { MetricWords("map_\($0)", "MAP@\($0)", "higher", "") }
    words.append(MetricWords("mrr", "MRR", "higher", ""))
    for (name, label) in [("precision", "precision"), ("recall", "recall"), ("hit", "hit rate")] {
      words += cutoffs.map { MetricWords("\(name)_\($0)", "\(label)@\($0)", "higher", "share") }
    }
    return words
  }

  var units: Int { weights.count }

  /// A metric of each query.
  func perQuery(_ metric: Int) -> RowValues<Double> {
    RowValues(count: weights.count, in: weights.scratch) { scores[$0 * words.count + metric] }
  }

  func values(_ drawn: DrawnCounts?) -> [Double] {
    var sums = [Double](repeating: 0, count: words.count)
    var total = 0.0
    let width = words.count
    scores.withUnsafeBufferPointer { scores in
      sums.withUnsafeMutableBufferPointer { sums in
        for query in weights.indices {
          let weight = drawn.map { Double($0[query]) * weights[query] } ?? weights[query]
          if weight == 0 { continue }
          total += weight
          for metric in 0..<width { sums[metric] += weight * scores[query * width + metric] }
        }
      }
    }
    return sums.map { $0 / total }
  }

  func values(of parts: RowParts) -> [[Double]] {
    let width = words.count
    var sums = [Double](repeating: 0, count: parts.indices.count * width)
    var totals = [Double](repeating: 0, count: parts.indices.count)
    for query in weights.indices where weights[query] != 0 {
      let part = Int(parts.numbers[query])
      totals[part] += weights[query]
      for metric in 0..<width { sums[part * width + metric] += weights[query] * scores[query * width + metric] }
    }
    return parts.indices.map { part in (0..<width).map { sums[part * width + $0] / totals[part] } }
  }

  func losses(_ metric: Int) -> RowValues<Double>? {
    RowValues(count: weights.count, in: weights.scratch) { -scores[$0 * words.count + metric] * weights[$0] }
  }
}

/// One query's rows, put in order.
private struct RankedQuery {
  /// By falling score; equal scores in the order of the file.
  private var relevances: [Double] = []
  private var scores: [Double] = []
  private var ideal: [Double] = []

  mutating func read(_ grouped: GroupedRelevances, _ rows: Range<Int>) {
    let order = rows.sorted {
      let (a, b) = (grouped.predictions[$0], grouped.predictions[$1])
      return a != b ? a > b : $0 < $1
    }
    relevances = order.map { grouped.truths[$0] }
    scores = order.map { grouped.predictions[$0] }
    ideal = relevances.sorted(by: >)
  }

  func scores(cutoffs: [Int], relevantFrom: Double) -> [Double] {
    let isRelevant = relevances.map { $0 >= relevantFrom }
    let relevant = isRelevant.count { $0 }
    let first = isRelevant.firstIndex(of: true)
    var values = cutoffs.map(ndcg)
    values += cutoffs.map { averagePrecision(isRelevant, relevant, $0) }
    values.append(first.map { 1 / Double($0 + 1) } ?? 0)
    let found = cutoffs.map { cutoff in Double(isRelevant.prefix(cutoff).count { $0 }) }
    values += zip(found, cutoffs).map { $0 / Double($1) }
    values += found.map { relevant > 0 ? $0 / Double(relevant) : 0 }
    values += found.map { $0 > 0 ? 1 : 0 }
    return values
  }

  /// Gain is the relevance itself; rows of one score share what their places are worth, as in scikit-learn.
  ///
  /// Source: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002; McSherry and Najork, "Computing
  /// information retrieval performance measures efficiently in the presence of tied scores", 2008.
  private func ndcg(_ cutoff: Int) -> Double {
    var gained = 0.0
    var start = 0
    while start < min(cutoff, scores.count) {
      var end = start
      var relevance = 0.0
      while end < scores.count, scores[end] == scores[start] {
        relevance += relevances[end]
        end += 1
      }
      var discounts = 0.0
      for place in start..<min(end, cutoff) { discounts += Self.discount(place) }
      gained += relevance / Double(end - start) * discounts
      start = end
    }
    var best = 0.0
    for place in 0..<min(cutoff, ideal.count) { best += ideal[place] * Self.discount(place) }
    return best > 0 ? gained / best : 0
  }

  private static func discount(_ place: Int) -> Double { 1 / log2(Double(place + 2)) }

  private func averagePrecision(_ isRelevant: [Bool], _ relevant: Int, _ cutoff: Int) -> Double {
    guard relevant > 0 else { return 0 }
    var (found, sum) = (0, 0.0)
    for place in 0..<min(cutoff, isRelevant.count) where isRelevant[place] {
      found += 1
      sum += Double(found) / Double(place + 1)
    }
    return sum / Double(min(relevant, cutoff))
  }
}

/// What a ranking needs of its rows, group by group.
private struct GroupedRelevances {
  let truths: RowValues<Double>
  let predictions: RowValues<Double>
  private let weights: RowValues<Double>
  let groups: [Range<Int>]

  /// - Parameter parts: the groups; all rows are one without.
  init(_ table: PredictionTable, _ parts: RowParts?) {
    guard let parts else {
      (truths, predictions, weights, groups) = (table.truths, table.predictions, table.weights, [0..<table.count])
      return
    }
    truths = table.truths.grouped(by: parts)
    predictions = table.predictions.grouped(by: parts)
    weights = table.weights.isEmpty ? [] : table.weights.grouped(by: parts)
    groups = parts.indices.map(parts.rows)
  }

  func weight(_ row: Int) -> Double { weights.isEmpty ? 1 : weights[row] }
}
