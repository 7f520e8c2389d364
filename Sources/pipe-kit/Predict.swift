// `pipe kit predict`: rows or requests through a bundle, unrounded.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Diagnostics
import FeatureStore
import Foundation
import Learning
import Scoring
import Tabular

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Score a table with a bundle.",
    discussion: """
      Scores either a feature table, or requests as a server gets them: one JSON object a line, with the fields that the feature \
      set's `request` declares; what a request lacks is looked up in the bundle's snapshot. Writes `id,prediction,low,high`, each \
      number in the shortest form that reads back to the same double.

      Example: pipe kit predict --bundle models/eta --features data/features/test.csv --out predictions.csv
      Example: pipe kit predict --bundle models/eta --requests orders.jsonl --at 2026-03-01T08:00:00Z --out predictions.csv
      """,
    version: behaviorVersion(of: "predict"))

  @Option(help: "Folder of the bundle.")
  var bundle: String

  @Option(help: "A feature table.")
  var features: String?

  @Option(help: "Requests, one JSON object a line.")
  var requests: String?

  @Option(help: "The time that requests are made at, RFC 3339; without it, the snapshot's.")
  var at: String?

  @Option(help: "File for the predictions.")
  var out: String

  func validate() throws {
    guard (features == nil) != (requests == nil) else {
      throw ValidationError("give either `--features` or `--requests`")
    }
    if at != nil, requests == nil { throw ValidationError("`--at` goes with `--requests`") }
  }

  func run() throws {
    let model = try ModelBundle.load(directory: URL(fileURLWithPath: bundle))
    let scored = try features.map { try score(table: $0, model) } ?? score(requests: requests ?? "", model)
    var writer = CSVWriter(header: ["id", "prediction", "low", "high"])
    for (id, prediction) in scored {
      writer.add(id)
      for value in [prediction.value, prediction.low, prediction.high] { writer.add(value) }
      writer.endRow()
    }
    try writer.write(to: out)
  }

  private func score(table file: String, _ model: ModelBundle) throws -> [(String, Prediction)] {
    let tables = try ModelTables(folder: bundle)
    try model.checkFeatures(tables.featureNames, of: bundle)
    let table = try tables.table(file: file, withTarget: false)
    return Array(zip(table.ids, model.predict(rows: table.sample.features)))
  }

  private func score(requests file: String, _ model: ModelBundle) throws -> [(String, Prediction)] {
    let online = try OnlineFeatures.load(directory: bundle)
    try model.checkFeatures(online.names, of: bundle)
    let moment = try at.map(Self.seconds) ?? online.asOf ?? 0
    var scored: [(String, Prediction)] = []
    let lines = try FileBytes.text(file).split(separator: "\n", omittingEmptySubsequences: false)
    for (number, line) in lines.enumerated() where !line.isEmpty {
      let place = SourceLocation(file: file, line: number + 1)
      let request = try Self.request(String(line), place)
      do {
        let vector = try online.vector(request: request, at: moment)
        guard case .text(let id)? = request[online.featureSet.id] else {
          throw Diagnostic(.input, "the request has no `\(online.featureSet.id)`", at: place)
        }
        scored.append((id, model.predictWithoutContributions(vector.values)))
      } catch let error as FeatureError {
        throw Diagnostic(.input, error.message, at: place)
      }
    }
    return scored
  }

  private static func seconds(_ text: String) throws(Diagnostic) -> Int64 {
    if let seconds = Timestamp.epochSeconds(text) { return seconds }
    throw Diagnostic(.input, "`--at \(text)` is not a time", hints: ["write it as `2026-03-01T08:15:00Z`"])
  }

  private static func request(_ line: String, _ place: SourceLocation) throws(Diagnostic) -> [String: RequestValue] {
    guard let fields = try? JSONDecoder().decode([String: ParameterValue].self, from: Data(line.utf8)) else {
      throw Diagnostic(.input, "the line is no JSON object", at: place)
    }
    var request: [String: RequestValue] = [:]
    for (name, value) in fields {
      switch value {
      case .text(let text): request[name] = .text(text)
      case .number(let number): request[name] = .number(number)
      default: continue
      }
    }
    return request
  }
}
