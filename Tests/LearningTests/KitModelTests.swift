// `train`, `evaluate`, `register`, `backtest` and `predict` as they are run: same bytes, gates, messages.
// SPDX-License-Identifier: Apache-2.0
import Evaluation
import Foundation
import Hashing
import Scoring
import TestSupport
import Testing

/// Three months of orders over two features, as `features` would have written them, and the parameters for them.
private struct SmallTables {
  let folder: URL

  init(in folder: URL, maximumMAE: Double = 3, tail: String = "") throws {
    self.folder = folder
    try folder.write(
      """
      {"schema": "pipe.features/1", "name": "eta", "id": "order_id", "time": "ordered_at",
       "target": {"column": "minutes", "unit": "min"}, "slices": ["zone"],
       "request": [{"name": "order_id", "kind": "text"}, {"name": "distance_km", "kind": "number"},
                   {"name": "load", "kind": "number"}],
       "entities": [], "holidays": [], "features": [
         {"name": "distance_km", "kind": "number", "source": "request", "field": "distance_km"},
         {"name": "load", "kind": "number", "source": "request", "field": "load"}]}
      """, to: "features/features.json")
    try folder.write(
      #"""
      {"train": {"name": "eta", "objective": "squarederror", "rounds": 60, "early_stopping_rounds": 10, "max_depth": 3,
                 "interval": {"level": 0.9, "tolerance": 2, "bins": 2}},
       "evaluate": {"tolerance": 2, "bootstrap": {"resamples": 200}, "baseline": {"median_of": ["zone"]},
                    "gates": [{"metric": "mae", "at_most": \#(maximumMAE)}, {"metric": "improvement", "at_least": 0.1},
                              {"metric": "mae_excess", "at_most": 9}]},
       "backtest": {"train_months": 1, "calibrate_days": 7, "rounds": 20, "bootstrap": {"resamples": 100}}}
      """#, to: "params.json")
    try folder.write(
      """
      {"schema": "pipe.truth/1", "overall": {"from": "2025-01-01T00:00:00Z", "to": "2025-04-01T00:00:00Z", "mae": 0.5}}
      """, to: "truth.json")
    // 900 orders, ten a day, from 2025-01-01; a multiplicative sequence stands for chance.
    var state: UInt64 = 12345
    func chance(_ below: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % below
    }
    var rows: [String] = []
    for order in 0..<900 {
      let (month, day) = (order / 300 + 1, order % 300 / 11 + 1)
      let (distance, load, noise) = (chance(100), chance(10), chance(21))
      let minutes = 50 + distance * 2 + (load > 6 ? 30 : 0) + noise
      let time = "2025-0\(month)-\(day < 10 ? "0" : "")\(day)T08:00:00Z"
      let loadText = chance(20) == 0 ? "" : "\(load)"
      rows.append(
        "O\(order),\(time),\(minutes / 10).\(minutes % 10),Z\(distance / 50),\(distance / 10).\(distance % 10),\(loadText)")
    }
    let header = "order_id,ordered_at,minutes,slice_zone,distance_km,load\n"
    for (split, range) in [("train", 0..<500), ("valid", 500..<600), ("calibrate", 600..<700), ("test", 700..<900)] {
      let end = split == "test" ? tail : ""
      try folder.write(header + rows[range].joined(separator: "\n") + "\n" + end, to: "features/\(split).csv")
    }
  }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  func train() throws -> (status: Int32, output: String, errors: String) {
    try kit([
      "train", "--features", path("features"), "--out", path("models/eta"), "--metrics", path("metrics/train.json"),
      "--importance", path("importance.csv"), "--params", path("params.json"),
    ])
  }

  func evaluate() throws -> (status: Int32, output: String, errors: String) {
    try kit([
      "evaluate", "--bundle", path("models/eta"), "--features", path("features"), "--truth", path("truth.json"), "--out",
      path("evaluation.json"), "--predictions", path("predictions.csv"), "--gates", path("gates.json"), "--metrics",
      path("metrics/evaluate.json"), "--params", path("params.json"),
    ])
  }

  func register() throws -> (status: Int32, output: String, errors: String) {
    // By relative path, since the document repeats the bundle's.
    try kit(
      [
        "register", "--bundle", "models/eta", "--evaluation", "evaluation.json", "--gates", "gates.json", "--out", "version.json",
      ],
      in: folder)
  }

  func backtest() throws -> (status: Int32, output: String, errors: String) {
    try kit([
      "backtest", "--features", path("features"), "--out", path("backtest.json"), "--table", path("backtest.csv"), "--metrics",
      path("metrics/backtest.json"), "--params", path("params.json"), "--predictions", path("backtest_rows.csv"),
    ])
  }

  func predict() throws -> (status: Int32, output: String, errors: String) {
    try kit(["predict", "--bundle", path("models/eta"), "--features", path("features/test.csv"), "--out", path("scored.csv")])
  }
}

/// Runs the built `pipe-kit` beside the test bundle.
private func kit(_ arguments: [String], in folder: URL? = nil) throws -> (status: Int32, output: String, errors: String) {
  let process = Process()
  let own = URL(fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
  process.executableURL = own.deletingLastPathComponent().appendingPathComponent("pipe-kit")
  process.arguments = arguments
  process.environment = ["PATH": "/usr/bin:/bin"]
  if let folder { process.currentDirectoryURL = folder }
  let (output, errors) = (Pipe(), Pipe())
  (process.standardOutput, process.standardError) = (output, errors)
  try process.run()
  let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  let errorText = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  return (process.terminationStatus, text, errorText)
}

@Suite(.serialized) struct KitModelTests {
  /// The bytes of every output for each behaviour version. When this fails because bytes changed on purpose, raise the program's
  /// version in Sources/KitCatalog and make the golden file of the new version with PIPE_UPDATE_GOLDEN=1.
  @Test func `a behaviour version has its bytes`() throws {
    try withTemporaryDirectory { folder in
      let tables = try SmallTables(in: folder)
      for program in [tables.train, tables.evaluate, tables.register, tables.backtest, tables.predict] {
        let run = try program()
        #expect(run.status == 0, "\(run.errors)")
      }
      let outputs = [
        "train": [
          "models/eta/bundle.json", "models/eta/model.json", "models/eta/features.json", "metrics/train.json", "importance.csv",
        ], "evaluate": ["evaluation.json", "predictions.csv", "gates.json", "metrics/evaluate.json"],
        "register": ["version.json"], "backtest": ["backtest.json", "backtest.csv", "metrics/backtest.json"],
        "predict": ["scored.csv"],
      ]
      for (program, files) in outputs {
        let version = try kit([program, "--version"]).output.trimmingCharacters(in: .whitespacesAndNewlines)
        let digests = try files.map { file in
          "\(file) \(sha256Digits([UInt8](try Data(contentsOf: folder.appendingPathComponent(file)))))\n"
        }.joined()
        #expect(goldenMismatch(digests, "\(program)-\(version).txt") == nil, "the bytes changed: raise the behaviour version")
      }
    }
  }

  @Test func `evaluate scores as predict does, and a row reads back to the bundle's double`() throws {
    try withTemporaryDirectory { folder in
      let tables = try SmallTables(in: folder)
      for program in [tables.train, tables.evaluate, tables.predict] { #expect(try program().status == 0) }
      let evaluated = try folder.text(of: "predictions.csv").split(separator: "\n").dropFirst().map { $0.split(separator: ",") }
      let scored = try folder.text(of: "scored.csv").split(separator: "\n").dropFirst().map { $0.split(separator: ",") }
      #expect(evaluated.map { [$0[0]] + $0[3...5] } == scored.map { Array($0) })
      #expect(scored.count == 200)
      let bundle = try ModelBundle.load(directory: folder.appendingPathComponent("models/eta"))
      let row = try #require(try folder.text(of: "features/test.csv").split(separator: "\n").dropFirst().first)
        .split(separator: ",", omittingEmptySubsequences: false)
      let features = row[4...5].map { Float($0) ?? .nan }
      #expect(Double(scored[0][1]) == bundle.predict(features).value)
    }
  }

  @Test func `a request is scored as the row that was made of it`() throws {
    try withTemporaryDirectory { folder in
      let tables = try SmallTables(in: folder)
      #expect(try tables.train().status == 0)
      #expect(try tables.predict().status == 0)
      let rows = try folder.text(of: "features/test.csv").split(separator: "\n").dropFirst().map {
        $0.split(separator: ",", omittingEmptySubsequences: false)
      }.filter { !$0[5].isEmpty }
      let requests = rows.map { #"{"order_id": "\#($0[0])", "distance_km": \#($0[4]), "load": \#($0[5])}"# }
      try folder.write(requests.joined(separator: "\n") + "\n", to: "requests.jsonl")
      let run = try kit([
        "predict", "--bundle", tables.path("models/eta"), "--requests", tables.path("requests.jsonl"), "--out",
        tables.path("answers.csv"),
      ])
      #expect(run.status == 0, "\(run.errors)")
      let table = Set(try folder.text(of: "scored.csv").split(separator: "\n"))
      let answers = try folder.text(of: "answers.csv").split(separator: "\n")
      #expect(answers.count == rows.count + 1)
      #expect(answers.allSatisfy { table.contains($0) })
    }
  }

  @Test func `a missed gate is written by evaluate and stops register by name`() throws {
    try withTemporaryDirectory { folder in
      let tables = try SmallTables(in: folder, maximumMAE: 0.01)
      #expect(try tables.train().status == 0)
      let evaluated = try tables.evaluate()
      #expect(evaluated.status == 0)
      let gates = try JSONDecoder().decode(
        GatesDocument.self, from: Data(contentsOf: folder.appendingPathComponent("gates.json")))
      #expect(gates.gates.map(\.passed) == [false, true, true])
      let registered = try tables.register()
      #expect(registered.status == 1)
      #expect(registered.errors.contains("the model `eta` is not registered: 1 of 3 gates were missed"))
      #expect(registered.errors.contains("cause: MAE is at most 0.01 min: missed, it is "))
      #expect(!FileManager.default.fileExists(atPath: tables.path("version.json")))
    }
  }

  @Test func `the backtest never trains on the month it tests`() throws {
    try withTemporaryDirectory { folder in
      let tables = try SmallTables(in: folder)
      #expect(try tables.backtest().status == 0)
      let document = try JSONDecoder().decode(
        BacktestDocument.self, from: Data(contentsOf: folder.appendingPathComponent("backtest.json")))
      #expect(document.windows.map(\.label) == ["2025-02", "2025-03"])
      #expect(document.windows.map(\.testRows) == [300, 300])
      #expect(document.windows.map(\.trainTo) == ["2025-01-24T08:00:00Z", "2025-02-21T08:00:00Z"])
      #expect(document.windows.allSatisfy { $0.trainTo < $0.testFrom })
      // A row for each order that was tested; their errors are the document's.
      let lines = try folder.text(of: "backtest_rows.csv").split(separator: "\n")
      #expect(lines[0] == "id,time,window,y_true,y_pred,y_low,y_high" && lines.count == 601)
      let rows = lines.dropFirst().map { $0.split(separator: ",") }
      #expect(Set(rows.map { $0[0] }).count == 600)
      let errors = rows.filter { $0[2] == "2025-03" }.map { abs((Double($0[3]) ?? .nan) - (Double($0[4]) ?? .nan)) }
      let mae = document.windows[1].metrics.first { $0.name == "mae" }?.value ?? .nan
      #expect(abs(errors.reduce(0, +) / 300 - mae) < 1e-9)
    }
  }

  @Test func `a row without a target is named by file and line`() throws {
    try withTemporaryDirectory { folder in
      let tables = try SmallTables(in: folder, tail: "O900,2025-03-31T08:00:00Z,,Z1,3,2\n")
      #expect(try tables.train().status == 0)
      let run = try tables.evaluate()
      #expect(run.status == 2)
      #expect(run.errors.contains("features/test.csv:202: error: row 201 has no `minutes`"))
    }
  }

  @Test func `training again puts the same bundle in the place of the old one`() throws {
    try withTemporaryDirectory { folder in
      let tables = try SmallTables(in: folder)
      #expect(try tables.train().status == 0)
      let first = try folder.text(of: "models/eta/bundle.json")
      try folder.write("left over", to: "models/eta/stray.txt")
      #expect(try tables.train().status == 0)
      #expect(try folder.text(of: "models/eta/bundle.json") == first)
      #expect(try FileManager.default.contentsOfDirectory(atPath: tables.path("models")) == ["eta"])
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: tables.path("models/eta")).sorted()
          == ["bundle.json", "features.json", "model.json"])
    }
  }

  @Test func `without a valid split all rounds are kept`() throws {
    try withTemporaryDirectory { folder in
      let tables = try SmallTables(in: folder)
      try FileManager.default.removeItem(at: folder.appendingPathComponent("features/valid.csv"))
      let run = try tables.train()
      #expect(run.status == 0, "\(run.errors)")
      let bundle = try ModelBundle.load(directory: folder.appendingPathComponent("models/eta"))
      #expect(bundle.ensemble.treeCount == 60)
      #expect(bundle.training.validMAE == nil)
    }
  }

  @Test func `a parameter that is not known is named with the nearest one`() throws {
    try withTemporaryDirectory { folder in
      let tables = try SmallTables(in: folder)
      try folder.write(#"{"train": {"name": "eta", "max_deph": 3}}"#, to: "params.json")
      let run = try tables.train()
      #expect(run.status == 2)
      #expect(run.errors.contains("parameter `train.max_deph` is not known"))
      #expect(run.errors.contains("did you mean `max_depth`?"))
      #expect(!FileManager.default.fileExists(atPath: tables.path("models")))
    }
  }
}
