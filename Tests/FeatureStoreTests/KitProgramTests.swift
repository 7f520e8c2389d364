// `simulate`, `prepare` and `features` as they are run: same bytes, no person left over, offline equal to online.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import FeatureStore
@testable import Tabular

@Suite(.serialized) struct KitProgramTests {
  /// The bytes of every output for each behaviour version. When this fails because bytes changed on purpose, raise the program's
  /// version in Sources/KitCatalog and make the golden file of the new version with PIPE_UPDATE_GOLDEN=1.
  @Test func `a behaviour version has its bytes`() throws {
    try withTemporaryDirectory { folder in
      let city = try SmallCity(in: folder)
      try city.make()
      let outputs = [
        "simulate": ["raw/orders.csv", "raw/drivers.csv", "raw/zones.csv", "truth.json"],
        "prepare": ["train", "valid", "calibrate", "test", "quarantine"].map { "prepared/\($0).csv" } + [
          "prepared/data_quality.json", "metrics/prepare.json",
        ],
        "features": ["train", "valid", "calibrate", "test", "snapshot-driver", "snapshot-zone"].map { "features/\($0).csv" } + [
          "features/features.json", "metrics/feature_stats.json", "metrics/features.json",
        ],
      ]
      for (program, files) in outputs {
        let version = try KitRun([program, "--version"]).output.trimmingCharacters(in: .whitespacesAndNewlines)
        let digests = try files.map { "\($0) \(try sha256(city.path($0)))\n" }.joined()
        #expect(goldenMismatch(digests, "\(program)-\(version).txt") == nil, "the bytes changed: raise the behaviour version")
      }
    }
  }

  @Test func `a longer simulation extends a shorter one byte for byte`() throws {
    try withTemporaryDirectory { folder in
      let short = try SmallCity(in: folder.appendingPathComponent("a"))
      let long = try SmallCity(in: folder.appendingPathComponent("b"), ["simulate.days": 25])
      #expect(try short.simulate().status == 0)
      #expect(try long.simulate().status == 0)
      let few = try Data(contentsOf: short.folder.appendingPathComponent("raw/orders.csv"))
      let many = try Data(contentsOf: long.folder.appendingPathComponent("raw/orders.csv"))
      #expect(many.count > few.count)
      #expect(many.prefix(few.count) == few)
      #expect(try FileBytes.text(short.path("raw/drivers.csv")) == FileBytes.text(long.path("raw/drivers.csv")))
    }
  }

  @Test func `another seed makes another city`() throws {
    try withTemporaryDirectory { folder in
      let a = try SmallCity(in: folder.appendingPathComponent("a"))
      let b = try SmallCity(in: folder.appendingPathComponent("b"), ["simulate.seed": 43])
      #expect(try a.simulate().status == 0)
      #expect(try b.simulate().status == 0)
      #expect(try FileBytes.read(a.path("raw/orders.csv")) != FileBytes.read(b.path("raw/orders.csv")))
    }
  }

  @Test func `a predictor that knows the law errs as much as the truth says`() throws {
    try withTemporaryDirectory { folder in
      let city = try SmallCity(in: folder, ["simulate.orders_per_day": 500, "simulate.dirt": [String: Double]()])
      let law = city.path("law.csv")
      let run = try KitRun([
        "simulate", "--params", city.path("params.json"), "--out", city.path("raw"), "--truth", city.path("truth.json"), "--law",
        law,
      ])
      #expect(run.status == 0, "\(run.errors)")
      let orders = try CSVReader.table(file: city.path("raw/orders.csv"))
      let (ordered, delivered) = (try orders.times("ordered_at"), try orders.times("delivered_at"))
      let laws = try CSVReader.table(file: law)
      let (medians, spreads) = (try laws.numbers("median"), try laws.numbers("spread"))
      #expect(try laws.texts("order_id") == orders.texts("order_id"))
      let count = Double(orders.rowCount)
      var (absolute, squared, within, below) = (0.0, 0.0, 0.0, 0.0)
      for row in 0..<orders.rowCount {
        let minutes = Double(try #require(delivered[row]) - (try #require(ordered[row]))) / 60
        let error = minutes - medians[row]
        absolute += abs(error) / count
        // The mean of a log-normal is its median times exp(s²/2).
        squared += pow(minutes - medians[row] * exp(spreads[row] * spreads[row] / 2), 2) / count
        within += abs(error) <= 5 ? 1 / count : 0
        below += error < 0 ? 1 / count : 0
      }
      let truth = try JSONSerialization.jsonObject(with: Data(contentsOf: folder.appendingPathComponent("truth.json")))
      let overall = try #require((truth as? [String: Any])?["overall"] as? [String: Any])
      func said(_ name: String) throws -> Double { try #require(overall[name] as? Double) }
      // 12,000 orders: bounds of about four standard errors.
      #expect(count > 10_000)
      #expect(abs(absolute - (try said("mae"))) < 0.06, "mean absolute error \(absolute)")
      #expect(abs(squared.squareRoot() - (try said("rmse"))) < 0.12, "root mean squared error \(squared.squareRoot())")
      #expect(abs(within - (try said("within_5"))) < 0.01, "share within 5 minutes \(within)")
      #expect(abs(below - 0.5) < 0.02, "share below the median \(below)")
    }
  }

  @Test func `rows without time are split by order and need no lookups`() throws {
    try withTemporaryDirectory { folder in
      try folder.write(
        """
        {"prepare": {
          "columns": [{"name": "y", "kind": "number", "missing": "drop"}, {"name": "day", "kind": "text"},
                      {"name": "n", "kind": "number", "impute": "median"}],
          "derive": [{"name": "row", "row_number": true}],
          "split": {"by": "order", "parts": [{"name": "train", "share": 0.6}, {"name": "test", "share": 0.4}]}},
         "features": {"name": "t", "id": "row", "target": {"column": "y", "unit": "min"}, "slices": ["day"],
          "request": [{"name": "day", "kind": "text"}, {"name": "n", "kind": "number"}],
          "features": [{"name": "day", "category": "day"}, {"name": "n", "number": "n"}]}}
        """, to: "params.json")
      try folder.write("y,day,n\n10,Tue,1\n11,Mon,\n,Mon,3\n12,Tue,2\n13,Sun,4\n14,Mon,\n", to: "raw/orders.csv")
      func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
      let prepare = try KitRun([
        "prepare", "--params", path("params.json"), "--raw", path("raw/orders.csv"), "--out", path("p"), "--quarantine",
        path("p/q.csv"),
        "--quality", path("quality.json"), "--metrics", path("metrics.json"),
      ])
      #expect(prepare.status == 0, "\(prepare.errors)")
      #expect(try folder.text(of: "p/train.csv") == "y,day,n,row\n10,Tue,1,1\n11,Mon,1.5,2\n12,Tue,2,4\n")
      #expect(try folder.text(of: "p/test.csv") == "y,day,n,row\n13,Sun,4,5\n14,Mon,1.5,6\n")
      let features = try KitRun([
        "features", "--params", path("params.json"), "--prepared", path("p"), "--out", path("f"), "--stats", path("stats.json"),
        "--metrics", path("metrics.json"),
      ])
      #expect(features.status == 0, "\(features.errors)")
      #expect(try folder.text(of: "f/train.csv") == "row,y,slice_day,day,n\n1,10,Tue,1,1\n2,11,Mon,0,1.5\n4,12,Tue,1,2\n")
      // Sunday was in no training row: the model has no code for it.
      #expect(try folder.text(of: "f/test.csv") == "row,y,slice_day,day,n\n5,13,Sun,,4\n6,14,Mon,0,1.5\n")
      let online = try OnlineFeatures.load(directory: path("f"))
      let vector = try online.vector(request: ["day": .text("Tue"), "n": .number(4)], at: 0)
      #expect(vector == FeatureVector(values: [1, 4], ageHours: nil, missing: []))
    }
  }

  @Test func `no personal value is left outside the raw folder`() throws {
    try withTemporaryDirectory { folder in
      let city = try SmallCity(in: folder)
      try city.make()
      let raw = try CSVReader.table(file: city.path("raw/orders.csv"), kinds: ["customer_phone": .text])
      var secrets = Set<String>()
      for column in ["customer_name", "customer_phone", "customer_email", "delivery_address"] {
        secrets.formUnion(try raw.texts(column).compactMap { $0 })
      }
      #expect(secrets.count > 150)
      let files = try ["prepared", "features", "metrics"].flatMap { name in
        try FileManager.default.contentsOfDirectory(atPath: city.path(name)).map { city.path("\(name)/\($0)") }
      }
      #expect(files.count >= 15)
      for file in files {
        let text = try FileBytes.text(file)
        let found = secrets.first { text.contains($0) }
        #expect(found == nil, "\(file) has `\(found ?? "")`")
      }
      // The search works: it finds them where they are.
      let rawText = try FileBytes.text(city.path("raw/orders.csv"))
      #expect(secrets.contains { rawText.contains($0) })
    }
  }

  @Test func `a person keeps one pseudonym`() throws {
    try withTemporaryDirectory { folder in
      let city = try SmallCity(in: folder)
      #expect(try city.simulate().status == 0)
      #expect(try city.prepare().status == 0)
      let raw = try CSVReader.table(file: city.path("raw/orders.csv"))
      let prepared = try CSVReader.table(file: city.path("prepared/train.csv"))
      let mails = Dictionary(zip(try raw.texts("order_id"), try raw.texts("customer_email"))) { first, _ in first }
      var pseudonyms = [String: Set<String>]()
      for (id, pseudonym) in zip(try prepared.texts("order_id"), try prepared.texts("customer_email")) {
        pseudonyms[try #require(mails[id] ?? nil), default: []].insert(try #require(pseudonym))
      }
      #expect(pseudonyms.values.allSatisfy { $0.count == 1 })
      #expect(Set(pseudonyms.values.flatMap { $0 }).count == pseudonyms.count)
    }
  }

  @Test func `the key of the pseudonyms may come from the environment, and must then be there`() throws {
    try withTemporaryDirectory { folder in
      let city = try SmallCity(
        in: folder, ["prepare.pseudonym_key": NSNull(), "prepare.pseudonym_key_env": "PEOPLE_KEY", "simulate.days": 14])
      #expect(try city.simulate().status == 0)
      let keyless = try city.prepare()
      #expect(keyless.status == 2)
      #expect(keyless.errors.contains("parameter `prepare.pseudonym_key_env` names `PEOPLE_KEY`, which is not set"))
      let run = try city.prepare(environment: ["PEOPLE_KEY": "another"])
      #expect(run.status == 0, "\(run.errors)")
      let text = try FileBytes.text(city.path("prepared/train.csv"))
      let known = try SmallCity(in: folder.appendingPathComponent("b"), ["simulate.days": 14])
      #expect(try known.simulate().status == 0)
      #expect(try known.prepare().status == 0)
      #expect(try FileBytes.text(known.path("prepared/train.csv")) != text)
    }
  }

  @Test func `the snapshot answers tomorrow's orders as tomorrow's table has them, to the last bit`() throws {
    try withTemporaryDirectory { folder in
      let today = try SmallCity(in: folder.appendingPathComponent("a"))
      let tomorrow = try SmallCity(in: folder.appendingPathComponent("b"), ["simulate.days": 25])
      try today.make()
      try tomorrow.make()
      let online = try OnlineFeatures.load(directory: today.path("features"))
      let cut = try #require(online.asOf)
      #expect(Timestamp.text(cut) == "2025-09-25T00:00:00Z")
      let orders = try CSVReader.table(file: tomorrow.path("prepared/test.csv"))
      let table = try CSVReader.table(file: tomorrow.path("features/test.csv"))
      let expected = try online.names.map { try table.numbers($0) }
      let times = try orders.times("ordered_at")
      let texts = Dictionary(
        uniqueKeysWithValues: try ["order_id", "traffic_condition", "weather_condition", "vehicle_type", "driver_id"].map {
          ($0, try orders.texts($0))
        })
      let distances = try orders.numbers("distance_km")
      var compared = 0
      var incomplete = 0
      for row in 0..<orders.rowCount {
        guard let time = times[row], time >= cut else { continue }
        var request: [String: RequestValue] = [
          "distance_km": .number(distances[row]), "time_of_day": .text(String(Timestamp.text(time).dropFirst(11).prefix(8))),
        ]
        for (name, values) in texts { request[name] = values[row].map { .text($0) } }
        if request.count < 7 {
          #expect(throws: FeatureError.self) { try online.vector(request: request, at: time) }
          incomplete += 1
          continue
        }
        let vector = try online.vector(request: request, at: time)
        for (column, value) in vector.values.enumerated() {
          let offline = Float(expected[column][row])
          #expect(value.bitPattern == offline.bitPattern || value.isNaN && offline.isNaN, "\(online.names[column])")
        }
        compared += 1
      }
      #expect(compared > 40, "\(compared) compared, \(incomplete) with a missing field")
    }
  }

  @Test func `a column too few and one too many are both named`() throws {
    try withTemporaryDirectory { folder in
      let city = try SmallCity(in: folder)
      #expect(try city.simulate().status == 0)
      let text = try FileBytes.text(city.path("raw/orders.csv")).replacing("distance_km", with: "distance_kms")
      try FileBytes.write(text, to: city.path("raw/orders.csv"))
      let run = try city.prepare()
      #expect(run.status == 2)
      #expect(run.errors.contains("the table has no column `distance_km`"))
      #expect(run.errors.contains("hint: is it `distance_kms` now?"))
      #expect(run.errors.contains("the table has a column `distance_kms` that is not declared"))
      #expect(!FileManager.default.fileExists(atPath: city.path("prepared")))
    }
  }

  @Test func `dirt goes where its rule says and is counted`() throws {
    try withTemporaryDirectory { folder in
      let city = try SmallCity(in: folder)
      #expect(try city.simulate().status == 0)
      // Six orders, then one flaw each: doubled, distance that is no number, delivered too early, nowhere, and a vehicle that is not there.
      let lines = try FileBytes.text(city.path("raw/orders.csv")).split(separator: "\n").map(String.init)
      let header = lines[0]
      func order(
        _ id: String, delivered: String = "2025-09-01T09:30:00Z", vehicle: String = "car", lat: String = "50.1",
        km: String = "3.2"
      )
        -> String
      {
        "\(id),2025-09-01T09:00:00Z,2025-09-01T09:10:00Z,\(delivered),A B,+999 1,a@example.org,\"Weg 1, Z01\",D001,\(vehicle),Z01,Z02,50.1,8.6,\(lat),\(lat == "0" ? "0" : "8.6"),\(km),low,clear,12"
      }
      let rows = [
        order("o1"), order("o1"), order("o2", km: "far"), order("o3", delivered: "2025-09-01T08:00:00Z"), order("o4", lat: "0"),
        order("o5", vehicle: ""), order("o6"), order("o7").replacing("2025-09-01", with: "2025-09-20"),
      ]
      try FileBytes.write(([header] + rows).joined(separator: "\n") + "\n", to: city.path("raw/orders.csv"))
      _ = try city.prepare()
      let quarantine = try CSVReader.table(file: city.path("prepared/quarantine.csv"))
      #expect(try quarantine.texts("order_id") == ["o2", "o3", "o4"])
      #expect(try quarantine.texts("reason") == ["distance_km_unreadable", "clock_skew", "nowhere"])
      #expect(try quarantine.texts("distance_km")[0] == "far")
      let train = try CSVReader.table(file: city.path("prepared/train.csv"))
      #expect(try train.texts("order_id") == ["o1", "o5", "o6"])
      #expect(try train.texts("vehicle_type") == ["car", "car", "car"])
      #expect(try train.numbers("delivery_minutes") == [30, 30, 30])
      #expect(try train.numbers("pace")[0] == 1.666667)
      #expect(try train.texts("customer_phone")[0] == "+*** *")
      // hmac.new(b"only-for-simulated-people", b"customer_email\0a@example.org", "sha256").hexdigest()[:16], by Python
      #expect(try train.texts("customer_email")[0] == "p_85e9e739e2008875")
    }
  }

  @Test func `a check over its limit is a failed stage, with the documents written`() throws {
    try withTemporaryDirectory { folder in
      let city = try SmallCity(in: folder, ["prepare.duplicate_limit": 0.001])
      #expect(try city.simulate().status == 0)
      let run = try city.prepare()
      #expect(run.status == 1)
      #expect(run.errors.contains("rows that repeat a `order_id`"))
      #expect(FileManager.default.fileExists(atPath: city.path("prepared/data_quality.json")))
    }
  }

  @Test(arguments: [
    ("simulate.dayz", 3 as any Sendable, "parameter `simulate.dayz` is not known", "did you mean `days`?"),
    ("simulate.days", "many", "parameter `simulate.days` is `many`, a whole number is wanted", ""),
    (
      "simulate.start", "1 September", "parameter `simulate.start` is `1 September`, a date is wanted", "write it as `2025-09-01`"
    ),
  ])
  func `a mistaken parameter is named by its full path`(path: String, value: any Sendable, message: String, hint: String) throws {
    try withTemporaryDirectory { folder in
      let run = try SmallCity(in: folder, [path: value]).simulate()
      #expect(run.status == 2)
      #expect(run.errors.contains(message))
      #expect(run.errors.contains(hint) || hint.isEmpty)
    }
  }

  @Test func `parameters come from the context of the stage, whole or by key path`() throws {
    try withTemporaryDirectory { folder in
      try folder.write(
        """
        {"stage": "simulate", "params": {"simulate.world": "eta", "simulate.seed": 1, "simulate.start": "2025-09-01", "simulate.days": 1,
         "simulate.orders_per_day": 20, "simulate.dirt": {"nulls": 0}, "simulate.dirt.duplicates": 0}}
        """, to: "context.json")
      let context = folder.appendingPathComponent("context.json").path
      let arguments = [
        "simulate", "--out", folder.appendingPathComponent("raw").path, "--truth", folder.appendingPathComponent("t.json").path,
      ]
      let run = try KitRun(arguments, environment: ["PIPE_CONTEXT": context])
      #expect(run.status == 0, "\(run.errors)")
      let bare = try KitRun(arguments)
      #expect(bare.status == 2)
      #expect(bare.errors.contains("no parameters were given"))
    }
  }

  @Test func `help shows an example and arguments that do not parse are exit 2`() throws {
    for program in ["simulate", "prepare", "features"] {
      let help = try KitRun([program, "--help"])
      #expect(help.status == 0)
      #expect(help.output.contains("Example: pipe kit \(program)"))
      let wrong = try KitRun([program, "--wrong"])
      #expect(wrong.status == 2)
      #expect(wrong.output.isEmpty)
    }
  }

  private func sha256(_ file: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/sha256sum")
    process.arguments = [file]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(String(decoding: data, as: UTF8.self).prefix(64))
  }
}
