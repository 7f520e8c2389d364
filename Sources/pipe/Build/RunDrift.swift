// Compares what `report: {drift: …}` names with the same table of the baseline, in bounded memory.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Monitoring
import PipelineModel
import Reporting
import Tabular
import Tracking

struct RunDrift {
  /// Rows of a table that are looked at; of more, evenly spread ones.
  static let sampledRows = 100_000
  static let threshold = 0.25

  let project: Project
  let pipeline: Pipeline
  let run: RunRecord
  let previous: RunRecord?

  /// In the order of the manifest. What cannot be compared is told, on the page too.
  func all(_ omissions: inout [String]) throws -> [RunReport.DriftedTable] {
    try pipeline.drift.compactMap { declaration in
      do {
        return try compared(declaration, &omissions)
      } catch let error as any DiagnosticConvertible {
        omissions.append(error.omission("drift of `\(declaration.data)` is left out"))
        return nil
      }
    }
  }

  /// `nil` on a first run, and when the stage that makes the table has no result.
  private func compared(_ declaration: DriftDeclaration, _ omissions: inout [String]) throws -> RunReport.DriftedTable? {
    let own = ComparedRun(run, called: "this run", in: project)
    guard let now = try sample(of: declaration.data, in: own, declaration) else {
      // A run of other stages has nothing to say of it.
      guard run.outcome == .finished, !isDeclared(declaration.data) else { return nil }
      throw Diagnostic(
        .input, "no stage of this run has `\(declaration.data)`", at: declaration.location,
        hints: ["it has to be an output or a dependency of a stage"])
    }
    let (name, then): (String, Sample?)
    if let against = declaration.against {
      (name, then) = (against.text, try sample(of: against, in: own, declaration))
    } else {
      let text = declaration.baseline ?? pipeline.reportBaseline ?? "previous"
      if text == "previous", previous == nil { return nil }
      switch try ComparedRun.find(text, previous: previous, in: project) {
      case .missing(let why):
        omissions.append("drift of `\(declaration.data)` is left out: \(why)")
        return nil
      case .found(let side): (name, then) = (side.name, try sample(of: declaration.data, in: side, declaration))
      }
    }
    guard let then else {
      omissions.append("drift of `\(declaration.data)` is left out: that of \(name) is not here; `pipe fetch` may bring it")
      return nil
    }
    let drift = try Drift.compare(
      reference: then.table, current: now.table, columns: declaration.columns)
    return RunReport.DriftedTable(
      data: declaration.data.text, reference: name, drift: drift, threshold: declaration.threshold ?? Self.threshold,
      rows: now.rows, referenceRows: then.rows)
  }

  private func isDeclared(_ path: WorkspacePath) -> Bool {
    pipeline.stages.contains { stage in
      (stage.outputs.map(\.path) + stage.dependencies.compactMap(\.path)).contains { path.isWithin($0) }
    }
  }

  private struct Sample {
    var table: Table
    /// In all.
    var rows: Int
  }

  /// `nil` when the table is not here.
  private func sample(of path: WorkspacePath, in side: ComparedRun, _ declaration: DriftDeclaration) throws -> Sample? {
    let name = "\(path) of \(side.name)"
    if let file = try side.file(of: path) {
      var stream = try CSVRowStream(file: file, named: name)
      return try read(&stream, lines: CSVRowStream.lineCount(file: file) ?? 0, name, declaration)
    }
    guard let bytes = try side.bytes(of: path) else { return nil }
    var stream = try CSVRowStream(bytes: bytes, named: name)
    return try read(&stream, lines: bytes.count { $0 == UInt8(ascii: "\n") }, name, declaration)
  }

  /// Every k-th row, and only the columns that are asked for.
  private func read(
    _ stream: inout CSVRowStream, lines: Int, _ name: String, _ declaration: DriftDeclaration
  ) throws -> Sample {
    let step = max(1, (lines + Self.sampledRows - 1) / Self.sampledRows)
    guard try stream.next() else {
      throw Diagnostic(.input, "the file has no header line", at: SourceLocation(file: name))
    }
    var header: [String] = []
    for field in 0..<stream.count { header.append(try stream.text(field)) }
    let kept = header.indices.filter {
      declaration.columns?.contains(header[$0]) ?? true && !declaration.ignored.contains(header[$0])
    }
    guard !kept.isEmpty else {
      throw Diagnostic(
        .input, "the drift of `\(declaration.data)` names no column that \(name) has", at: declaration.location,
        hints: ["it has \(header.prefix(20).map { "`\($0)`" }.joined(separator: ", "))"])
    }
    var writer = CSVWriter(header: kept.map { header[$0] })
    var rows = 0
    while try stream.next() {
      defer { rows += 1 }
      guard rows % step == 0 else { continue }
      guard stream.count == header.count else {
        throw Diagnostic(
          .input, "the row has \(stream.count) fields, the header \(header.count)",
          at: SourceLocation(file: name, line: stream.line))
      }
      for field in kept { writer.add(stream.isEmpty(field) ? nil : try stream.text(field)) }
      writer.endRow()
    }
    return Sample(table: try CSVReader.table(bytes: writer.bytes, named: name), rows: rows)
  }
}
