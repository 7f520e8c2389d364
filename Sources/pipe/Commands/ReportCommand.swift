// `pipe report`: the pages of a run, written again, printed, or checked.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import Diagnostics
import PipelineModel
import Reporting

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
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case html, md }

  @Argument(help: "The run, or the beginning of its name. Default: the newest.") var name: String?
  @Option(help: "Print one page, html or md, instead of writing both.") var format: Format?
  @Option(help: "What the Markdown is for: github, gitlab, step-summary or plain.") var target: MarkdownText.Target = .github
  @Option(name: .shortAndLong, help: "With --format: the file to write.", completion: .file()) var output: String?
  @Flag(help: "Check the page instead of writing it: no network, no script, readable by all. Exit 1 when it breaks a rule.")
  var check = false
  @Flag(help: "With --check: findings as JSON.") var json = false
  @Flag(help: "Open the page in a browser.") var open = false

  func validate() throws {
    if check, format != nil || open { throw ValidationError("--check writes no page: leave out --format and --open") }
    if json, !check { throw ValidationError("--json goes with --check") }
    if output != nil, format == nil { throw ValidationError("--output goes with --format") }
    if format == .md, open { throw ValidationError("a browser opens the HTML page: leave out --format md") }
  }

  func run() throws {
    let project = try Project.find()
    let pipeline = try project.pipeline()
    let writer = ReportWriter(project: project, pipeline: pipeline, graph: try StageGraph(pipeline.stages))
    let run = try project.run(name)
    if check { return try judge(HTMLText.render(writer.report(on: run))) }
    guard let format else {
      let path = try writer.write(run)
      Terminal.standard.out(path)
      if open { Browser.open("\(project.root)/\(path)") }
      return
    }
    let report = try writer.report(on: run)
    let text = format == .html ? HTMLText.render(report) : MarkdownText.render(report, for: target)
    guard let output, output != "-" else { return Terminal.standard.out(text) }
    try AtomicFile.write(text, to: output)
    if open { Browser.open(output) }
  }

  private func judge(_ page: String) throws {
    let findings = ReportContract.findings(in: page)
    let warning = HTMLText.sizeWarning(bytes: page.utf8.count)
    if json {
      let rows = findings.map { finding in
        "{\"rule\": \(jsonQuoted(finding.rule)), \"line\": \(finding.line), \"message\": \(jsonQuoted(finding.message))}"
      }
      Terminal.standard.out("{\"bytes\": \(page.utf8.count), \"findings\": [\(rows.joined(separator: ", "))]}")
    } else {
      for finding in findings { Terminal.standard.out("reports/index.html:\(finding.line): \(finding.rule): \(finding.message)") }
      if let warning { Terminal.standard.say(Diagnostic(.warning, warning)) }
      let verdict = findings.isEmpty ? "keeps the contract" : "breaks the contract in \(findings.count) places"
      Terminal.standard.note("the page has \(NumberText.bytes(page.utf8.count)) and \(verdict)")
    }
    if !findings.isEmpty { throw ExitCode(1) }
  }
}

extension MarkdownText.Target: ExpressibleByArgument {}
