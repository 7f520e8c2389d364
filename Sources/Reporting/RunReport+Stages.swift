// The graph, what failed, and each stage with its code and outputs.
// SPDX-License-Identifier: Apache-2.0
import Notebooks
import Tracking

extension RunReport {
  static func graphSection(_ input: Input) -> Report.Section? {
    guard !input.graph.nodes.isEmpty else { return nil }
    var graph = input.graph
    let records = Dictionary(input.run.stages.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    for index in graph.nodes.indices {
      // Ran now or cached is a run fact: here a stage has a result or it has none.
      if let record = records[graph.nodes[index].name] {
        graph.nodes[index].status = record.outcome.standing
      } else if [.ran, .cached].contains(graph.nodes[index].status) {
        graph.nodes[index].status = .done
      }
    }
    return Report.Section(
      id: "pipeline", title: "Pipeline", priority: 80,
      blocks: [
        .graph(graph),
        .paragraph([
          .muted(
            "✓ has a result   ✗ failed   ○ has no result. What this run executed and how long it took stands in the run facts.")
        ]),
      ])
  }

  static func failureSection(_ input: Input) -> Report.Section? {
    let failed = input.run.stages.filter { $0.outcome == .failed }
    let interrupted = input.run.stages.filter { $0.outcome == .interrupted }
    let left = input.run.stages.filter { $0.outcome == .skipped }
    guard !failed.isEmpty || !interrupted.isEmpty || !left.isEmpty else { return nil }
    let anchors = StageAnchors(input.run.stages.map(\.name))
    var blocks: [Report.Block] = []
    for stage in failed {
      blocks.append(.heading(level: 1, "Stage \(stage.name)", id: nil))
      blocks += failureBlocks(stage, hasCell: input.contents[stage.name]?.woven != nil)
      if let woven = input.contents[stage.name]?.woven, let cell = woven.cells.first(where: { $0.outcome == .failed }) {
        blocks += cellBlocks(cell, of: woven)
      } else if let log = logBlock(input.contents[stage.name]?.logTail, lines: 40) {
        blocks.append(log)
      }
      if let anchor = anchors[stage.name] { blocks.append(.paragraph([.link("All of stage \(stage.name)", to: anchor)])) }
    }
    for stage in interrupted {
      blocks.append(.paragraph([.text("Interrupted, so that nothing of it is recorded: "), .code(stage.name), .text(".")]))
      if let woven = input.contents[stage.name]?.woven, let cell = woven.cells.first(where: { $0.outcome == .interrupted }) {
        blocks += cellBlocks(cell, of: woven)
      }
    }
    if !left.isEmpty { blocks.append(.paragraph(stageList("Not run because of that", left))) }
    let title = !failed.isEmpty ? "What failed" : interrupted.isEmpty ? "What was not run" : "What was interrupted"
    return Report.Section(id: "failure", title: title, priority: 110, blocks: blocks)
  }

  static func stagesSection(_ input: Input) -> Report.Section? {
    guard !input.run.stages.isEmpty else { return nil }
    let anchors = StageAnchors(input.run.stages.map(\.name))
    return Report.Section(
      id: "stages", title: "Stages", priority: 20,
      blocks: input.run.stages.map { stage in
        .details(
          summary: stageSummary(stage, input.contents[stage.name]), id: anchors[stage.name],
          open: stage.outcome == .failed, stageBlocks(stage, input.contents[stage.name]))
      })
  }

  private static func stageSummary(_ stage: StageRecord, _ content: StageContent?) -> [Report.Inline] {
    var line: [Report.Inline] = [.strong(stage.name)]
    if let description = stage.description ?? content?.woven?.title, !description.isEmpty {
      line.append(.text(" – \(description)"))
    }
    switch stage.outcome.standing {
    case .failed: line += [.text(" "), .badge(.bad, "failed")]
    case .skipped: line += [.text(" "), .badge(.neutral, "no result")]
    default: break
    }
    return line
  }

  private static func stageBlocks(_ stage: StageRecord, _ content: StageContent?) -> [Report.Block] {
    var blocks: [Report.Block] = []
    blocks += failureBlocks(stage, hasCell: content?.woven != nil)
    blocks.append(contentsOf: filesLine(stage))
    if let woven = content?.woven {
      let code = woven.cells.filter { $0.language != nil }.count
      blocks.append(.paragraph([.code(woven.file), .muted(", \(code) code cell\(code == 1 ? "" : "s")")]))
      for cell in woven.cells { blocks += cellBlocks(cell, of: woven) }
      return blocks
    }
    if stage.notebook != nil, content?.logTail == nil {
      return blocks + [.paragraph([.muted("There is no executed form of the notebook for this run.")])]
    }
    if !stage.command.isEmpty { blocks.append(.code(stage.command.joined(separator: "\n"), language: "sh")) }
    if let log = logBlock(content?.logTail, lines: 200) {
      blocks.append(log)
    } else {
      blocks.append(.paragraph([.muted(stage.outcome.isDone ? "It wrote nothing to its log." : "There is no log.")]))
    }
    return blocks
  }

  /// The first line is the message; what follows is shown as it was printed, unless the failed cell shows it anyway.
  private static func failureBlocks(_ stage: StageRecord, hasCell: Bool) -> [Report.Block] {
    guard let failure = stage.failure else { return [] }
    let lines = PlainText.withoutTerminalCodes(failure).split(separator: "\n", maxSplits: 1)
    guard let first = lines.first else { return [] }
    var blocks: [Report.Block] = [.note(.bad, .message(String(first)))]
    if lines.count > 1, !hasCell { blocks.append(.log(PlainText.shortened(String(lines[1])), label: "", tone: .bad)) }
    return blocks
  }

  /// `Needs a, b. Makes c.`
  private static func filesLine(_ stage: StageRecord) -> [Report.Block] {
    var line: [Report.Inline] = []
    func add(_ verb: String, _ paths: [String]) {
      guard !paths.isEmpty else { return }
      line.append(.text((line.isEmpty ? "" : " ") + verb + " "))
      for (index, path) in paths.prefix(12).enumerated() {
        if index > 0 { line.append(.text(", ")) }
        line.append(.code(path))
      }
      line.append(.text(paths.count > 12 ? " and \(paths.count - 12) more." : "."))
    }
    add("Needs", stage.dependencies.map(\.path))
    add("Makes", stage.outputs.map(\.path))
    return line.isEmpty ? [] : [.paragraph(line)]
  }

  private static func logBlock(_ log: String?, lines: Int) -> Report.Block? {
    guard let log else { return nil }
    var all = PlainText.withoutTerminalCodes(log).split(separator: "\n", omittingEmptySubsequences: false)
    while all.last?.isEmpty == true { all.removeLast() }
    guard !all.isEmpty else { return nil }
    let label = all.count > lines ? "The last \(lines) lines of its log" : "Log"
    return .log(PlainText.shortened(all.suffix(lines).joined(separator: "\n"), lines: lines), label: label, tone: .neutral)
  }

  // MARK: Cells

  static func cellBlocks(_ cell: WovenCell, of woven: WovenNotebook) -> [Report.Block] {
    let file = woven.file
    guard cell.outcome != .prose, let language = cell.language else { return [.prose(cell.source)] }
    var blocks: [Report.Block] = []
    // As messages name it.
    let name = cell.options["label"].map { "\($0) · " } ?? ""
    let place: [Report.Inline] = [.text("\(name)\(language), \(cell.place ?? file):\(cell.firstLine)")]
    let code = Report.Block.code(trimmedEnd(cell.source), language: language)
    if cell.options["echo"] == "false" {
      blocks.append(.details(summary: [.text("Code: ")] + place, id: nil, open: false, [code]))
    } else {
      blocks += [.paragraph([.muted("\(name)\(language), line \(cell.firstLine)")]), code]
    }
    if cell.outcome == .notRun { blocks.append(.paragraph([.muted(woven.notRunSentence)])) }
    if cell.outcome == .interrupted {
      blocks.append(
        .note(
          .caution,
          [.text(cell.outputs.isEmpty ? "Interrupted before it put anything out." : "Interrupted. Until then it put this out:")]))
    }
    var room = DisplayRoom()
    for (index, output) in cell.outputs.enumerated() {
      guard output.kind != .display || room.takes(output) else { continue }
      blocks += outputBlocks(output, cell, index, file: file)
    }
    if let note = room.note { blocks.append(.note(.caution, [.text(note)])) }
    return blocks
  }

  /// What a cell may display on a page that a person waits for.
  private struct DisplayRoom {
    private static let mostDisplays = 100
    private static let mostBytes = 4_000_000
    private var count = 0
    private var bytes = 0
    private var left = 0

    mutating func takes(_ output: CellOutput) -> Bool {
      // The largest form is not always the one that is shown, but a bound is all that is wanted.
      let size = output.data.values.map(\.utf8.count).max() ?? 0
      guard count < Self.mostDisplays, bytes + size <= Self.mostBytes else {
        left += 1
        return false
      }
      count += 1
      bytes += size
      return true
    }

    var note: String? {
      guard left > 0 else { return nil }
      let what = left == 1 ? "One display is" : "\(NumberText.count(left)) displays are"
      return "\(what) left out of this page: more than \(Self.mostDisplays), or more than \(NumberText.bytes(Self.mostBytes))."
    }
  }

  /// As much of a text as a person reads on a page.
  private static func readable(_ text: String, lines: Int = 200) -> String {
    let plain = PlainText.withoutTerminalCodes(text)
    let short = PlainText.shortened(plain, lines: lines)
    return short.utf8.count <= 1 << 16 ? short : PlainText.shortened(plain, lines: min(40, lines), lineLength: 500)
  }

  private static func outputBlocks(_ output: CellOutput, _ cell: WovenCell, _ index: Int, file: String) -> [Report.Block] {
    func text(_ label: String, _ tone: Report.Tone) -> [Report.Block] {
      let plain = readable(output.data["text/plain"] ?? "")
      return plain.isEmpty ? [] : [.log(plain, label: label, tone: tone)]
    }
    switch output.kind {
    case .standardOutput: return text("", .neutral)
    case .standardError: return text("standard error", .caution)
    case .failure: return text("failed", .bad)
    case .display: return displayBlocks(output.data, cell, index, file: file)
    }
  }

  /// The richest form that a page can show safely.
  private static func displayBlocks(_ data: [String: String], _ cell: WovenCell, _ index: Int, file: String) -> [Report.Block] {
    let caption = cell.options["fig-cap"] ?? cell.options["tbl-cap"]
    let alternative =
      cell.options["fig-alt"] ?? caption ?? "Figure \(index + 1) of the cell at line \(cell.firstLine) of \(file)"
    if let json = data["application/vnd.pipe.table+json"], let table = CellTable(json: json) {
      return table.blocks(caption: caption ?? "Table of the cell at line \(cell.firstLine)")
    }
    if let svg = data["image/svg+xml"] {
      return [.image(.init(format: .svg, data: svg, alternative: alternative, caption: caption))]
    }
    for format in [Report.Image.Format.png, .jpeg, .gif] {
      if let image = data[format.rawValue] {
        return [.image(.init(format: format, data: image, alternative: alternative, caption: caption))]
      }
    }
    if let chart = VegaChart(data) { return chart.blocks(caption: caption, line: cell.firstLine) }
    if let markdown = data["text/markdown"] { return [.prose(markdown)] }
    if let html = data["text/html"], html.utf8.count <= 1_000_000 { return [.foreignHTML(html)] }
    if let plain = data["text/plain"] {
      return [.log(readable(plain), label: "", tone: .neutral)]
    }
    if let type = data.keys.sorted().first, let other = data[type] {
      return [.log(readable(other, lines: 40), label: type, tone: .neutral)]
    }
    return []
  }

  private static func trimmedEnd(_ text: String) -> String {
    var view = text[...]
    while view.last == "\n" || view.last == " " { view.removeLast() }
    return String(view)
  }
}
