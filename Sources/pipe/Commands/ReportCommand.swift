// `pipe report`: the pages of a run, written again, printed, or checked.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import Diagnostics
import PipelineModel
import Reporting
import Tracking

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write reports/index.html and reports/index.md for a run.",
    discussion: """
      `repro` does this after every run that did something.

      Examples:
        pipe report
        pipe report 20261121T09 --open
        pipe report --format md --target gitlab > note.md
        pipe report --format md --target step-summary >> "$GITHUB_STEP_SUMMARY"
        pipe report --check
        pipe report --compare main eta@champion
        pipe report --compare v1 --format md --target github
        pipe report --compare previous --json
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case html, md }

  @Argument(help: "The run, or the beginning of its name. Default: the newest.") var name: String?
  @Option(help: "Print one page, html or md, instead of writing both.") var format: Format?
  @Option(help: "What the Markdown is for: github, gitlab, step-summary or plain.") var target: MarkdownText.Target = .github
  @Option(name: .shortAndLong, help: "With --format: the file to write.", completion: .file()) var output: String?
  @Flag(help: "Check the page instead of writing it: no network, no script, readable by all. Exit 1 when it breaks a rule.")
  var check = false
  @Flag(help: "With --check: findings as JSON. With --compare: what differs as JSON.") var json = false
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Put the run beside these: Git revisions, runs, versions of the registry, or `previous`. Writes reports/compare.html and .md.",
      valueName: "rev"))
  var compare: [String] = []
  @Flag(help: "Open the page in a browser.") var open = false

  func validate() throws {
    if check, format != nil || open { throw ValidationError("--check writes no page: leave out --format and --open") }
    if json, !check, compare.isEmpty { throw ValidationError("--json goes with --check or --compare") }
    if json, format != nil || open { throw ValidationError("--json writes no page: leave out --format and --open") }
    if output != nil, format == nil { throw ValidationError("--output goes with --format") }
    if format == .md, open { throw ValidationError("a browser opens the HTML page: leave out --format md") }
  }

  func run() throws {
    let project = try Project.find()
    let pipeline = try project.pipeline()
    let writer = ReportWriter(project: project, pipeline: pipeline, graph: try StageGraph(pipeline.stages))
    let run = try project.run(name)
    if !compare.isEmpty { return try compare(run, project, pipeline) }
    if check { return try judge(HTMLText.render(writer.report(on: run)), as: "reports/index.html") }
    guard let format else {
      let path = try writer.write(run)
      Terminal.standard.out(path)
      if open { Browser.open("\(project.root)/\(path)") }
      return
    }
    try print(try writer.report(on: run), as: format)
  }

  private func print(_ report: Report, as format: Format) throws {
    let text = format == .html ? HTMLText.render(report) : MarkdownText.render(report, for: target)
    guard let output, output != "-" else { return Terminal.standard.out(text) }
    try AtomicFile.write(text, to: output)
    if open { Browser.open(output) }
  }

  private func compare(_ run: RunRecord, _ project: Project, _ pipeline: Pipeline) throws {
    let input = try ComparisonWriter(project: project, pipeline: pipeline, run: run).input(compare)
    if json, !check { return Terminal.standard.out(try input.json()) }
    let report = ComparisonReport.document(input)
    if check { return try judge(HTMLText.render(report), as: "reports/compare.html") }
    if let format { return try print(report, as: format) }
    if let page = WorkspacePath("reports/compare.html") { try Workspace.checkParent(of: page, in: project.root) }
    try AtomicFile.makeFolder("\(project.root)/reports")
    try AtomicFile.write(HTMLText.render(report), to: "\(project.root)/reports/compare.html")
    try AtomicFile.write(MarkdownText.render(report), to: "\(project.root)/reports/compare.md")
    Terminal.standard.out("reports/compare.html")
    if open { Browser.open("\(project.root)/reports/compare.html") }
  }

  private func judge(_ page: String, as file: String) throws {
    let findings = ReportContract.findings(in: page)
    let warning = HTMLText.sizeWarning(bytes: page.utf8.count)
    if json {
      let rows = findings.map { finding in
        "{\"rule\": \(jsonQuoted(finding.rule)), \"line\": \(finding.line), \"message\": \(jsonQuoted(finding.message))}"
      }
      Terminal.standard.out("{\"bytes\": \(page.utf8.count), \"findings\": [\(rows.joined(separator: ", "))]}")
    } else {
      for finding in findings { Terminal.standard.out("\(file):\(finding.line): \(finding.rule): \(finding.message)") }
      if let warning { Terminal.standard.say(Diagnostic(.warning, warning)) }
      let verdict = findings.isEmpty ? "keeps the contract" : "breaks the contract in \(findings.count) places"
      Terminal.standard.note("the page has \(NumberText.bytes(page.utf8.count)) and \(verdict)")
    }
    if !findings.isEmpty { throw ExitCode(1) }
  }
}

extension MarkdownText.Target: ExpressibleByArgument {}
