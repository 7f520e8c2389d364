// `pipe check-ignore`: which paths the ignore files leave out, and by which line.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import Diagnostics
import PipelineModel

struct CheckIgnoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-ignore",
    abstract: "Say which paths the ignore files leave out; exit with 1 when none is.",
    discussion: """
      Examples:
        pipe check-ignore data/tmp.csv
        pipe check-ignore --details data/*
        find . -type f | pipe check-ignore --stdin
      """)

  @Argument(help: "Files or folders.") var targets: [String] = []
  @Flag(name: .shortAndLong, help: "Also the line that decides, as FILE:LINE:PATTERN.") var details = false
  @Flag(name: .shortAndLong, help: "All lines that apply, not the last alone.") var all = false
  @Flag(name: .shortAndLong, help: "With --details: also paths that no line is about.") var nonMatching = false
  @Flag(help: "Read paths from standard input, one a line.") var stdin = false
  @Flag(name: .shortAndLong, help: "Print nothing.") var quiet = false

  func validate() throws {
    if stdin != targets.isEmpty { throw ValidationError("name paths, or pass --stdin") }
    if nonMatching || all, !details { throw ValidationError("--non-matching and --all go with --details") }
    if quiet, details { throw ValidationError("--quiet and --details exclude each other") }
  }

  func run() throws {
    let project = try Project.find()
    let rules = ContentStore.IgnoreRules(
      root: project.root, fileName: project.dialect.ignoreName, markerFolder: project.dialect.markerFolder)
    var isAnyMet = false
    func check(_ target: String) { if isMet(target, project, rules) { isAnyMet = true } }
    if stdin {
      while let line = readLine(), !line.isEmpty { check(line) }
    } else {
      targets.forEach(check)
    }
    if !isAnyMet { throw ExitCode(1) }
  }

  /// - Returns: whether a line was shown that decides the path.
  private func isMet(_ target: String, _ project: Project, _ rules: ContentStore.IgnoreRules) -> Bool {
    guard let path = project.path(target) else { return false }
    let isFolder = FileStat("\(project.root)/\(path)")?.kind == .directory
    let verdict = rules.verdict(path.text, isDirectory: isFolder)
    guard details else {
      guard verdict.isIgnored else { return false }
      if !quiet { Terminal.standard.out(target) }
      return true
    }
    var lines = verdict.matches.map(\.text)
    if lines.isEmpty, nonMatching { lines = ["::"] }
    for line in all ? lines[...] : lines.suffix(1) { Terminal.standard.out("\(line)\t\(target)") }
    return !verdict.matches.isEmpty
  }
}
