// Runs the built `pipe-kit` beside the test bundle.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// One finished call of the kit.
struct KitRun {
  var status: Int32
  var output: String
  var errors: String

  /// - Parameter environment: added to a bare one, so that no context of the caller leaks in.
  init(_ arguments: [String], environment: [String: String] = [:]) throws {
    let process = Process()
    process.executableURL = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe").folder("pipe-kit")
    process.arguments = arguments
    process.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let outputData = output.fileHandleForReading.readDataToEndOfFile()
    let errorData = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    status = process.terminationStatus
    self.output = String(decoding: outputData, as: UTF8.self)
    self.errors = String(decoding: errorData, as: UTF8.self)
  }
}

extension String {
  fileprivate func folder(_ sibling: String) -> URL {
    URL(fileURLWithPath: self).deletingLastPathComponent().appendingPathComponent(sibling)
  }
}

/// A small city, simulated, prepared and made into features below a folder.
struct SmallCity {
  let folder: URL

  /// The parameters of `Fixtures/small-city.json`, with changes at full key paths.
  init(in folder: URL, _ changes: [String: Any] = [:]) throws {
    self.folder = folder
    let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/small-city.json")
    var tree = try JSONSerialization.jsonObject(with: Data(contentsOf: fixture)) as? [String: Any] ?? [:]
    for (path, value) in changes { Self.set(&tree, path.split(separator: ".").map(String.init)[...], value) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try JSONSerialization.data(withJSONObject: tree).write(to: folder.appendingPathComponent("params.json"))
  }

  private static func set(_ tree: inout [String: Any], _ path: ArraySlice<String>, _ value: Any) {
    guard let key = path.first else { return }
    if path.count == 1 {
      tree[key] = value
    } else {
      var child = tree[key] as? [String: Any] ?? [:]
      set(&child, path.dropFirst(), value)
      tree[key] = child
    }
  }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  func simulate() throws -> KitRun {
    try KitRun(["simulate", "--params", path("params.json"), "--out", path("raw"), "--truth", path("truth.json")])
  }

  func prepare(environment: [String: String] = [:]) throws -> KitRun {
    try KitRun(
      [
        "prepare", "--params", path("params.json"), "--raw", path("raw/orders.csv"), "--out", path("prepared"), "--quarantine",
        path("prepared/quarantine.csv"), "--quality", path("prepared/data_quality.json"), "--metrics",
        path("metrics/prepare.json"),
      ], environment: environment)
  }

  func features() throws -> KitRun {
    try KitRun([
      "features", "--params", path("params.json"), "--prepared", path("prepared"), "--table", "driver=\(path("raw/drivers.csv"))",
      "--out", path("features"), "--stats", path("metrics/feature_stats.json"), "--metrics", path("metrics/features.json"),
    ])
  }

  /// All three; the first that fails ends it.
  func make() throws {
    let programs = [simulate, { try prepare() }, features]
    for program in programs {
      let result = try program()
      if result.status != 0 { throw KitFailure(errors: result.errors) }
    }
  }

  struct KitFailure: Error { var errors: String }
}
