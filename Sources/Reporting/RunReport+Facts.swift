// The one place for what differs between two runs of the same inputs.
// SPDX-License-Identifier: Apache-2.0
import SourceControl
import Tracking

extension RunReport {
  /// When, where, how long, at which commit: nothing of this stands anywhere else on the page.
  static func runFacts(_ input: Input) -> Report.RunFacts {
    let run = input.run
    return Report.RunFacts(
      line: factsLine(run),
      blocks: [
        .table(factsTable(input)), .table(stageTable(run)),
      ] + clockBlocks(run) + dirtyBlocks(run.git) + reproduceBlocks(input))
  }

  private static func factsLine(_ run: RunRecord) -> [Report.Inline] {
    var line: [Report.Inline] = []
    if let git = run.git, let commit = git.commit {
      line += [.text("Commit "), .code(String(commit.prefix(10)))]
      if let branch = git.branch { line.append(.text(" on \(branch)")) }
      line.append(
        .text(git.isDirty ? ", \(git.dirtyPaths.count) uncommitted path\(git.dirtyPaths.count == 1 ? "" : "s") · " : ", clean · ")
      )
    }
    let ran = run.stages.filter { $0.outcome == .ran || $0.outcome == .failed }.count
    let cached = run.stages.filter { [.restored, .upToDate, .frozen].contains($0.outcome) }.count
    line.append(.text("\(minute(run.finishedAt)) UTC · \(NumberText.duration(seconds: run.durationSeconds)) · "))
    line.append(.text("\(ran) of \(run.stages.count) stages executed, \(cached) cached"))
    return line
  }

  /// `2026-11-21 09:30` of a time in RFC 3339 and UTC; other text stays.
  static func minute(_ time: String) -> String {
    guard time.count >= 17, time.hasSuffix("Z"), time.dropFirst(10).first == "T" else { return time }
    return time.prefix(10) + "\u{A0}" + time.dropFirst(11).prefix(5)
  }

  private static func factsTable(_ input: Input) -> Report.Table {
    let run = input.run
    var rows: [[[Report.Inline]]] = [
      [[.text("Run")], [.code(run.id)]],
      [[.text("Started")], [.text(run.startedAt)]],
      [[.text("Finished")], [.text("\(run.finishedAt), after \(NumberText.duration(seconds: run.durationSeconds))")]],
      [[.text("Command")], [.code(run.command.joined(separator: " "))]],
      [[.text("Machine")], [.text("\(run.host.name): \(run.host.system), \(run.host.processor), \(run.host.cores) cores")]],
      [[.text("pipe")], [.text(run.pipeVersion)]],
    ]
    if let git = run.git {
      rows.append([[.text("Commit")], [.code(git.commit ?? "none yet")]])
      rows.append([[.text("Branch")], [git.branch.map { .text($0) } ?? .muted("detached")]])
      if let remote = git.remote { rows.append([[.text("Remote")], [.text(remote)]]) }
      if let digest = git.diffDigest { rows.append([[.text("Uncommitted changes")], [.code(digest)]]) }
    } else {
      rows.append([[.text("Git")], [.muted("not under Git")]])
    }
    if let previous = input.previous {
      let commit = previous.git?.commit.map { ", commit \($0.prefix(10))" } ?? ""
      rows.append([[.text("Previous run")], [.code(previous.id), .text(commit)]])
    }
    return Report.Table(caption: "This run", columns: [.init("Fact"), .init("Value")], rows: rows)
  }

  private static func stageTable(_ run: RunRecord) -> Report.Table {
    let longest = run.stages.compactMap(\.durationSeconds).max() ?? 0
    return Report.Table(
      caption: "Stages of this run; a cached stage has the time of the execution that made its outputs",
      columns: [
        .init("Stage"), .init("Outcome"), .init("Time", .end), .init("Share"), .init("Memory", .end), .init("Why"),
        .init("Trace"),
      ],
      rows: run.stages.map { stage in
        [
          [.text(stage.name)], [.text(stage.outcome.deed)],
          [.text(stage.durationSeconds.map(NumberText.duration) ?? "–")],
          [.muted(bar(stage.durationSeconds ?? 0, of: longest))],
          [.text(stage.peakMemoryBytes.map(NumberText.bytes) ?? "–")],
          .message(stage.reasons.joined(separator: "; ")),
          stage.trace.map { [.code(shortDigest($0))] } ?? [.muted("–")],
        ]
      })
  }

  /// The stages that were executed along the clock; one alone says nothing that the table does not say.
  private static func clockBlocks(_ run: RunRecord) -> [Report.Block] {
    let spans = run.stages.compactMap { stage -> Figures.StageSpan? in
      let outcome: Figures.StageSpan.Outcome? =
        switch stage.outcome {
        case .ran: .ran
        case .failed: .failed
        case .interrupted: .interrupted
        case .restored, .upToDate, .frozen, .skipped: nil
        }
      guard let from = stage.startedAfter, let outcome else { return nil }
      // One that was interrupted has no duration: it went on to the end.
      let to = stage.durationSeconds.map { from + $0 } ?? max(from, run.durationSeconds)
      return Figures.StageSpan(stage.name, from: from, to: to, outcome: outcome)
    }
    guard spans.count > 1, let figure = Figures.gantt(spans, id: "gantt") else { return [] }
    return [.figures([figure])]
  }

  /// Eighths of a block, up to ten blocks.
  static func bar(_ value: Double, of longest: Double) -> String {
    guard longest > 0, value > 0 else { return "" }
    let eighths = max(1, Int((value / longest * 80).rounded()))
    let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
    return String(repeating: "█", count: eighths / 8) + part
  }

  private static func dirtyBlocks(_ git: GitSnapshot?) -> [Report.Block] {
    guard let git, git.isDirty else { return [] }
    var items = git.dirtyPaths.prefix(50).map { [Report.Inline.code($0)] }
    if git.dirtyPaths.count > 50 { items.append([.text("and \(NumberText.count(git.dirtyPaths.count - 50)) more")]) }
    return [.note(.caution, [.text("The commit alone does not make this run again; these paths differ from it:")]), .list(items)]
  }

  private static func reproduceBlocks(_ input: Input) -> [Report.Block] {
    guard !input.reproduce.isEmpty else { return [] }
    return [.paragraph([.text("To make it again:")]), .code(input.reproduce.joined(separator: "\n"), language: "sh")]
  }
}
