// A Vega-Lite document drawn by `vl-convert`, where that program is installed.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Notebooks
import Reporting

enum VegaDrawing {
  private static let program = "vl-convert"
  private static let limitSeconds = 20
  /// A page is waited for.
  private static let mostCharts = 20
  /// Above this a drawing is not put into the page.
  private static let mostBytes = 4_000_000

  /// - Parameter template: its name, for the sentence that says why there is no drawing.
  static func draw(_ spec: String, template: String) -> PlotPage.Custom {
    guard let path = found() else {
      return .tableOnly(
        reason: "Template `\(template)` is the project's own; `\(program)` on the search path would draw it. Here are the rows.")
    }
    do {
      return .drawn(svg: try run(path, spec))
    } catch {
      return .tableOnly(reason: "`\(program)` did not draw template `\(template)`: \(error.reason). Here are the rows.")
    }
  }

  /// Charts of Altair in a notebook, as drawings beside their data; unchanged where the program is not installed.
  ///
  /// A chart that cannot be drawn stays data, of which a page shows the rows.
  static func drawn(_ woven: WovenNotebook) -> WovenNotebook {
    guard let path = found() else { return woven }
    var (woven, left) = (woven, mostCharts)
    for cell in woven.cells.indices {
      for output in woven.cells[cell].outputs.indices where left > 0 {
        let data = woven.cells[cell].outputs[output].data
        guard data["image/svg+xml"] == nil,
          let type = data.keys.sorted().first(where: { $0.hasPrefix("application/vnd.vegalite.") }), let spec = data[type]
        else { continue }
        left -= 1
        woven.cells[cell].outputs[output].data["image/svg+xml"] = try? run(path, spec)
      }
    }
    return woven
  }

  private struct Failure: Error { var reason: String }

  private static func found() -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  private static func run(_ path: String, _ spec: String) throws(Failure) -> String {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pipe-vega-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try Data(spec.utf8).write(to: folder.appendingPathComponent("spec.json"))
    } catch {
      throw Failure(reason: "there is no room for its files")
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = ["vl2svg", "-i", "spec.json", "-o", "out.svg"]
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    do { try process.run() } catch { throw Failure(reason: "it cannot be started") }
    if ended.wait(timeout: .now() + .seconds(limitSeconds)) == .timedOut {
      process.terminate()
      if ended.wait(timeout: .now() + .seconds(1)) == .timedOut { kill(process.processIdentifier, SIGKILL) }
      throw Failure(reason: "it took longer than \(limitSeconds) s")
    }
    guard process.terminationStatus == 0 else { throw Failure(reason: "it ended with status \(process.terminationStatus)") }
    guard let svg = try? Data(contentsOf: folder.appendingPathComponent("out.svg")), svg.count <= mostBytes,
      let text = String(data: svg, encoding: .utf8), text.contains("<svg")
    else { throw Failure(reason: "it wrote no drawing that fits the page") }
    return text
  }
}
