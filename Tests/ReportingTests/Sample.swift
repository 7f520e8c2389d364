// A run as the delivery pipeline leaves it, without running anything.
// SPDX-License-Identifier: Apache-2.0
import Evaluation
import Notebooks
import Reporting
import SourceControl
import TestSupport
import Tracking

/// Values that look like those of a real run; the same on every machine.
enum Sample {
  static let names = ["simulate", "prepare", "features", "train", "evaluate", "register", "backtest"]

  static let graph = GraphDescription(
    nodes: names.map { GraphDescription.Node(name: $0, kind: $0 == "simulate" ? .command : .notebook) },
    edges: [
      ("simulate", "prepare"), ("prepare", "features"), ("features", "train"), ("features", "evaluate"),
      ("train", "evaluate"), ("evaluate", "register"), ("train", "register"), ("features", "backtest"),
    ].map { GraphDescription.Edge(from: $0.0, to: $0.1) })

  static func metric(
    _ name: String, _ label: String, _ value: Double, _ low: Double, _ high: Double, better: String = "lower",
    unit: String = "min"
  ) -> MetricEstimate {
    MetricEstimate(
      name: name, label: label, value: value, low: low, high: high, level: 0.95,
      method: "percentile bootstrap, 1,000 resamples, seed 7", better: better, unit: unit)
  }

  static let evaluation = EvaluationDocument(
    task: "regression", model: "eta", unit: "min", rows: 29_874,
    metrics: [
      metric("mae", "MAE", 2.1043, 2.0814, 2.1271), metric("rmse", "RMSE", 2.9127, 2.8701, 2.9568),
      metric("r2", "R²", 0.9312, 0.9288, 0.9335, better: "higher", unit: ""),
      metric("mape", "MAPE", 0.0931, 0.0919, 0.0944, unit: "share"),
      metric("within_5", "within 5 min", 0.9347, 0.9318, 0.9375, better: "higher", unit: "share"),
      metric("coverage_90", "90% interval covers", 0.9011, 0.8976, 0.9045, better: "target", unit: "share"),
    ],
    baseline: .init(
      name: "median of the zone pair",
      metrics: [
        metric("mae", "MAE", 4.0212, 3.9751, 4.0688), metric("rmse", "RMSE", 5.4411, 5.3702, 5.5138),
        metric("r2", "R²", 0.7611, 0.7542, 0.7676, better: "higher", unit: ""),
        metric("mape", "MAPE", 0.1873, 0.1849, 0.1899, unit: "share"),
        metric("within_5", "within 5 min", 0.7216, 0.7165, 0.7267, better: "higher", unit: "share"),
      ]),
    irreducible: MetricEstimate(name: "mae", label: "MAE", value: 1.9714, better: "lower", unit: "min"),
    slices: [
      ("clear", 17_204, 1.981, 1.953, 2.010), ("rain", 8_911, 2.214, 2.171, 2.258), ("snow", 611, 3.412, 3.193, 3.640),
      ("fog", 3_148, 2.209, 2.139, 2.280),
    ].map {
      SliceEstimate(column: "weather", value: $0.0, rows: $0.1, metric: metric("mae", "MAE", $0.2, $0.3, $0.4))
    })

  static var previousEvaluation: EvaluationDocument {
    var previous = evaluation
    previous.metrics = [
      metric("mae", "MAE", 2.1893, 2.1650, 2.2141), metric("rmse", "RMSE", 2.9411, 2.8992, 2.9840),
      metric("r2", "R²", 0.9298, 0.9273, 0.9322, better: "higher", unit: ""),
      metric("mape", "MAPE", 0.0931, 0.0919, 0.0944, unit: "share"),
      metric("within_5", "within 5 min", 0.9288, 0.9258, 0.9317, better: "higher", unit: "share"),
    ]
    return previous
  }

  static let gates = GatesDocument(gates: [
    .init(name: "mae", label: "MAE is under 3 min", value: 2.1043, atLeast: nil, atMost: 3, unit: "min", passed: true),
    .init(
      name: "floor", label: "MAE is within 10% of the irreducible error", value: 1.0674, atLeast: nil, atMost: 1.1, unit: "",
      passed: true),
    .init(
      name: "within_5", label: "at least 92% arrive within 5 min", value: 0.9347, atLeast: 0.92, atMost: nil, unit: "share",
      passed: true),
    .init(
      name: "coverage", label: "the 90% interval covers 88–92%", value: 0.9011, atLeast: 0.88, atMost: 0.92, unit: "share",
      passed: true),
  ])

  private static let columnNames = [
    "order_id", "created_at", "distance_km", "prep_minutes", "zone_from", "zone_to", "weather", "minutes",
  ]

  private static func column(_ name: String, _ index: Int) -> QualityDocument.ColumnSummary {
    let isText = index < 2
    return QualityDocument.ColumnSummary(
      name: name, kind: isText ? "text" : "number", missing: index * 17, distinct: 1_000 + index, min: "0.3", max: "41.25",
      mean: isText ? nil : 12.5 + Double(index), standardDeviation: isText ? nil : 3.125)
  }

  static let quality = QualityDocument(
    rowsIn: 201_000, rowsOut: 198_412, score: 97.3,
    checks: [
      .init(
        name: "duplicates", label: "rows with the same order_id", count: 1_000, share: 0.004975, limit: 0.01, passed: true,
        action: "dropped"),
      .init(
        name: "origin", label: "coordinates at (0, 0)", count: 402, share: 0.002, limit: 0.005, passed: true,
        action: "quarantined"),
      .init(
        name: "nulls", label: "missing prep_minutes", count: 2_010, share: 0.01, limit: 0.02, passed: true, action: "imputed"),
      .init(
        name: "personal", label: "columns with personal data", count: 4, share: 0.16, limit: nil, passed: true, action: "dropped"),
    ],
    columns: columnNames.enumerated().map { index, name in column(name, index) },
    splits: [
      .init(name: "train", rows: 138_888, from: "2026-01-01T00:00:00Z", to: "2026-05-06T23:59:59Z"),
      .init(name: "valid", rows: 19_841, from: "2026-05-07T00:00:00Z", to: "2026-05-24T23:59:59Z"),
      .init(name: "calibrate", rows: 9_809, from: "2026-05-25T00:00:00Z", to: "2026-06-02T23:59:59Z"),
      .init(name: "test", rows: 29_874, from: "2026-06-03T00:00:00Z", to: "2026-06-29T23:59:59Z"),
    ])

  static let backtest = BacktestDocument(
    unit: "min",
    windows: ["2026-02", "2026-03", "2026-04", "2026-05", "2026-06"].enumerated().map { index, label in window(label, index) })

  private static func window(_ label: String, _ index: Int) -> BacktestDocument.Window {
    let mae = [2.412, 2.231, 2.174, 2.142, 2.109][index]
    let coverage = [0.883, 0.894, 0.901, 0.897, 0.902][index]
    return BacktestDocument.Window(
      label: label, trainRows: 33_000 * (index + 1), testRows: 33_000, trainFrom: "2026-01-01T00:00:00Z",
      trainTo: "\(label)-01T00:00:00Z", testFrom: "\(label)-01T00:00:00Z", testTo: "\(label)-28T00:00:00Z",
      metrics: [
        metric("mae", "MAE", mae, mae - 0.024, mae + 0.025),
        metric(
          "coverage_90", "90% interval covers", coverage, coverage - 0.004, coverage + 0.004, better: "target", unit: "share"),
      ])
  }

  /// Times of delivery with noise that grows with them, and an interval that covers about nine in ten.
  static func predictions(_ count: Int, seed: UInt64 = 11) -> String {
    var random = SeededGenerator(seed: seed)
    func normal() -> Double {
      (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &random) }
    }
    var lines = ["id,time,y_true,y_pred,y_low,y_high,slice_weather"]
    for row in 0..<count {
      let centre = 12 + 30 * Double.random(in: 0..<1, using: &random) * Double.random(in: 0..<1, using: &random)
      let spread = 0.09 * centre
      let truth = centre + spread * normal() + (row % 97 == 0 ? 6 : 0)
      let day = 1 + row * 27 / max(1, count)
      lines.append(
        "\(row),2026-06-\(day < 10 ? "0" : "")\(day)T12:00:00Z,\(truth),\(centre),\(centre - 1.64 * spread),\(centre + 1.7 * spread),"
          + ["clear", "clear", "rain", "snow", "fog"][row % 5])
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Evaluated by `pipe` itself; the stage's document is about the same rows.
  static let evaluated: RunReport.EvaluatedModel = {
    var request = EvaluationRequest(name: "eta", task: .regression)
    request.unit = "min"
    request.within = 5
    request.bootstrap = Bootstrap(seed: 42, resamples: 200, level: 0.95)
    request.gates = [GateRule(metric: "mae", atMost: 3)]
    // The sample is well formed.
    let result = try? PredictionReader.table(bytes: Array(predictions(6_000).utf8), named: "predictions.csv", for: request)
    let evaluation = result.flatMap { try? Evaluator(request).evaluate($0) }
    return RunReport.EvaluatedModel(
      name: "eta",
      result: evaluation
        ?? EvaluationResult(document: EvaluationDocument(task: "regression", model: "eta", unit: "min", rows: 0, metrics: [])))
  }()

  static let importance: [RunReport.ImportanceRow] = [
    ("distance_km", 0.412), ("prep_minutes_mean_7d", 0.171), ("traffic_code", 0.093), ("driver_speed_mean_30d", 0.071),
    ("zone_pair_median", 0.064), ("hour_sin", 0.041), ("hour_cos", 0.032), ("order_load_60min", 0.027), ("weather_code", 0.024),
    ("zone_backlog_15min", 0.019), ("vehicle", 0.014), ("haversine_km", 0.011), ("is_holiday", 0.008), ("dow_sin", 0.007),
    ("dow_cos", 0.006),
  ].map { RunReport.ImportanceRow(feature: $0.0, share: $0.1) }

  static func file(_ path: String, _ tag: Int, size: Int, files: Int? = nil) -> FileRecord {
    let digits = String(repeating: String(format(tag)), count: 8)
    return FileRecord(path: path, digest: "sha256:\(digits)" + (files == nil ? "" : ".dir"), size: size, files: files)
  }

  private static func format(_ tag: Int) -> String {
    let text = String(UInt32(truncatingIfNeeded: tag &* 2_654_435_761), radix: 16)
    return String(repeating: "0", count: 8 - text.count) + text
  }

  static func stage(_ name: String, _ index: Int, parameters: [String: String] = [:]) -> StageRecord {
    let inputs =
      index == 0
      ? [file("data/zones.csv", 90, size: 4_211)] : [file("data/\(names[index - 1])", index, size: 1_204_000 * index, files: 4)]
    return StageRecord(
      name: name, outcome: index < 3 ? .upToDate : .ran,
      reasons: index < 3 ? [] : index == 3 ? ["parameter `train.max_depth` changed"] : ["`data/\(names[index - 1])` changed"],
      command: index == 0 ? ["pipe kit simulate --orders 200000"] : ["stages/\(name).qmd"],
      notebook: index == 0 ? nil : "stages/\(name).qmd",
      description: [
        "make the orders", "clean, pseudonymise, split by time", "point-in-time features", "fit XGBoost",
        "metrics with intervals",
        "enter it if the gates hold", "walk forward by month",
      ][index], fingerprint: file("", 40 + index, size: 0).digest, trace: file("", 60 + index, size: 0).digest,
      durationSeconds: [3.21, 5.04, 11.7, 38.2, 6.6, 0.31, 71.9][index], peakMemoryBytes: 100_000_000 + index * 41_000_000,
      log: nil, woven: nil, failure: nil, dependencies: inputs,
      outputs: [file("data/\(name)", index + 1, size: 1_204_000 * (index + 1), files: 4)], parameters: parameters)
  }

  static let run = RunRecord(
    id: "20261121T093012Z-3f9a1c", startedAt: "2026-11-21T09:30:12.104Z", finishedAt: "2026-11-21T09:32:29.611Z",
    durationSeconds: 137.507, outcome: .finished, command: ["pipe", "repro", "--jobs", "2"], pipeVersion: "0.1.0",
    host: .init(name: "workbench", system: "Debian GNU/Linux 12", processor: "x86_64", cores: 2),
    git: GitSnapshot(
      commit: "3f2c1a9b04de55aa3f2c1a9b04de55aa3f2c1a9b", branch: "main", remote: "https://example.org/team/eta.git",
      dirtyPaths: ["notes.md"], diffDigest: "sha256:aa01"),
    stages: names.enumerated().map { index, name in
      stage(
        name, index,
        parameters: index == 3
          ? ["train.eta": "0.1", "train.max_depth": "8", "train.rounds": "400", "seed": "7"] : index == 0 ? ["seed": "7"] : [:])
    })

  static var previous: RunRecord {
    var previous = run
    previous.id = "20261120T181502Z-91be20"
    previous.git?.commit = "91be2000000000000000000000000000000000000"
    previous.stages[3].parameters["train.max_depth"] = "6"
    previous.stages[3].outputs[0].digest = "sha256:0000"
    return previous
  }

  static let woven = WovenNotebook(
    file: "stages/train.qmd", title: "Train the model",
    cells: [
      WovenCell(
        outcome: .prose, language: nil,
        source:
          "# Why trees\n\nDelivery times bend with **distance** and `traffic`; see [the notes](../docs/kit.md).\n\n- hist\n- early stopping\n\n| parameter | value |\n|:--|--:|\n| eta | 0.1 |\n",
        options: [:], firstLine: 5, outputs: []),
      WovenCell(
        outcome: .done, language: "bash", source: "pipe kit train --rounds \"$PIPE_PARAM_train_rounds\" < in > out\n",
        options: ["label": "fit"],
        firstLine: 18,
        outputs: [
          CellOutput(
            kind: .standardOutput,
            data: ["text/plain": "[0] \u{1B}[32mvalid-mae:9.12\u{1B}[0m\n[100] valid-mae:2.31\n[212] valid-mae:2.10\n"]),
          CellOutput(kind: .standardError, data: ["text/plain": "stopped early at round 212\n"]),
        ]),
      WovenCell(
        outcome: .done, language: "sql", source: "select zone, count(*) as orders from train group by zone", options: [:],
        firstLine: 25,
        outputs: [
          CellOutput(
            kind: .display,
            data: [
              "application/vnd.pipe.table+json":
                #"{"columns":["zone","orders"],"rows":[["harbour","2311"],["old town <b>","1877"],[null,"12"]],"totalRows":60}"#
            ])
        ]),
      WovenCell(
        outcome: .done, language: "python", source: "plot(history)", options: ["fig-cap": "Error over rounds"], firstLine: 31,
        outputs: [
          CellOutput(
            kind: .display,
            data: [
              "image/svg+xml":
                #"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 60"><polyline points="0,5 30,40 60,48 120,52" fill="none" stroke="navy"/></svg>"#
            ])
        ]),
    ])

  static var input: RunReport.Input {
    var input = RunReport.Input(
      title: "Delivery ETA", description: "How long an order takes from kitchen to door.", run: run, graph: graph)
    input.previous = previous
    input.evaluation = evaluation
    input.previousEvaluation = previousEvaluation
    input.gates = gates
    input.quality = quality
    input.backtest = backtest
    input.importance = importance
    input.metrics = [
      .init(path: "metrics/train.json", values: ["rounds": 212, "mae": 2.1043], previous: ["rounds": 198, "mae": 2.1893])
    ]
    input.contents = [
      "simulate": .init(logTail: "200000 orders, 180 days\nseed 7\n"), "train": .init(woven: woven),
    ]
    input.registered = .init(name: "eta", version: 4)
    input.reproduce = ["git checkout 3f2c1a9b04", "pipe verify"]
    return input
  }

  /// Predictions that `pipe` evaluated, beside a document that a stage wrote of the same rows.
  static var evaluatedInput: RunReport.Input {
    var input = input
    input.previousEvaluation = nil
    input.backtest = nil
    input.gates = nil
    input.evaluation?.rows = 6_000
    input.evaluations = [evaluated]
    return input
  }

  /// A cell that divides by zero stops the run.
  static var failedInput: RunReport.Input {
    var input = input
    input.evaluation = nil
    input.previousEvaluation = nil
    input.gates = nil
    input.backtest = nil
    input.evaluations = []
    input.importance = []
    input.metrics = []
    input.registered = nil
    input.run.outcome = .failed
    for index in input.run.stages.indices where index >= 3 {
      input.run.stages[index].outcome = index == 3 ? .failed : .skipped
      input.run.stages[index].outputs = []
      input.run.stages[index].trace = nil
    }
    input.run.stages[3].failure = "cell 2 (stages/train.qmd:18) ended with exit status 1"
    var woven = woven
    woven.cells[1].outcome = .failed
    woven.cells[1].outputs.append(
      CellOutput(kind: .failure, data: ["text/plain": "pipe kit: error: `rounds` is 0; at least 1 is needed"]))
    for index in 2..<4 {
      woven.cells[index].outcome = .notRun
      woven.cells[index].outputs = []
    }
    input.contents["train"] = .init(woven: woven)
    return input
  }

  /// The model is not good enough, so that `register` refuses it.
  static var missedInput: RunReport.Input {
    var input = input
    input.gates = GatesDocument(
      gates: gates.gates + [
        .init(name: "tight", label: "MAE is under 2 min", value: 2.0004, atLeast: nil, atMost: 2, unit: "min", passed: false)
      ])
    input.registered = nil
    input.run.outcome = .failed
    input.run.stages[5].outcome = .failed
    input.run.stages[5].outputs = []
    input.run.stages[5].failure = "gate `MAE is under 2 min` is missed"
    input.contents["register"] = .init(logTail: "pipe kit: error: gate `MAE is under 2 min` is missed: 2.0004 min\n")
    return input
  }

  /// No learning in it: two commands and a file.
  static var plainInput: RunReport.Input {
    var run = run
    run.stages = Array(run.stages.prefix(2))
    run.git = nil
    var input = RunReport.Input(
      title: "Word counts", run: run, graph: GraphDescription(nodes: Array(graph.nodes.prefix(2)), edges: [graph.edges[0]]))
    input.contents = ["simulate": .init(logTail: "counted 12 words\n")]
    return input
  }
}
