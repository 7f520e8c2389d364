// `pipe notebook`: convert notebooks, write out what their cells made, run one; and the process that a notebook stage is.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildEngine
import ContentStore
import Diagnostics
import Foundation
import Notebooks
import PipelineModel
import Reporting
import Tracking

struct NotebookCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "notebook", abstract: "Convert notebooks, run one, and write out what the cells of a stage made.",
    subcommands: [Convert.self, Export.self, Run.self, RunStage.self])

  // MARK: Converting

  struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "convert",
      abstract: "Write a notebook in another form, told by the name: .ipynb, .qmd, .md, .py, .R, .sh, .sql, .swift.",
      discussion: """
        Every cell, its metadata and its attachments survive, byte for byte, and so does the way back. Only a .ipynb has \
        outputs; in the other forms they are left out.

        Examples:
          pipe notebook convert analysis.ipynb stages/analysis.qmd
          pipe notebook convert stages/analysis.qmd analysis.ipynb --force
          pipe notebook convert analysis.ipynb clean.ipynb --strip
        """)

    @Argument(help: "The notebook to read.", completion: .file()) var input: String
    @Argument(help: "The file to write.", completion: .file()) var output: String
    @Flag(help: "Write over a file that is there.") var force = false
    @Flag(help: "Leave outputs, execution counts and ids out of a .ipynb, too.") var strip = false

    func run() throws {
      guard let text = try AtomicFile.readText(input) else { throw Diagnostic(.input, "there is no file `\(input)`") }
      if !force, FileStat(output) != nil {
        throw Diagnostic(.input, "`\(output)` is there", hints: ["`--force` writes over it"])
      }
      let document = try NotebookDocument(text: text, file: input)
      try AtomicFile.write((strip ? document.withoutOutputs : document).text(for: output), to: output)
      Terminal.standard.note("wrote \(output): \(document.cells.count) cells")
    }
  }

  // MARK: Writing out

  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "export",
      abstract: "Write the notebook of a stage with what its cells put out, as Jupyter notebook, HTML or Markdown.",
      discussion: """
        Nothing runs: the outputs are those of the stage's newest run, also when it was restored from the store. Prose \
        that was edited since is taken as it is now.

        Examples:
          pipe notebook export train --to ipynb -o train.ipynb
          pipe notebook export train --to html > train.html
          pipe notebook export train --to md --run 20261121T09
        """)

    @Argument(help: "The stage.", completion: .custom(completeStages)) var stage: String
    @Option(help: "`ipynb`, `html` or `md`. Default: the ending of the output's name, or ipynb.") var to: ExportForm?
    @Option(name: .shortAndLong, help: "The file to write. Default: standard output.", completion: .file()) var output: String?
    @Option(name: .customLong("run"), help: "The run, or the beginning of its name. Default: the newest that has the stage.")
    var runName: String?

    func run() throws {
      let project = try Project.find()
      let ran = try woven(project)
      let woven = runName == nil ? CurrentProse(project, secrets: try project.pipeline().secrets).woven(ran) : ran
      let form = try to ?? output.map(ExportForm.init(of:)) ?? .ipynb
      let text = try form.text(of: woven)
      guard let output else { return Terminal.standard.out(text) }
      try AtomicFile.write(text, to: output)
      Terminal.standard.note("wrote \(output)")
    }

    private func woven(_ project: Project) throws -> WovenNotebook {
      let records = try runName.map { [try project.run($0)] } ?? RunLog(folder: project.runsFolder).newest().records
      let known = records.lazy.flatMap(\.stages).filter { $0.name == stage }
      guard let first = known.first else {
        let names = try project.pipeline().stages.map(\.name)
        let near = closestMatch(to: stage, among: names).map { "did you mean `\($0)`?" }
        throw Diagnostic(
          .input, "no run has a stage `\(stage)`",
          hints: [names.contains(stage) ? "`pipe repro \(stage)` runs it" : near].compactMap { $0 })
      }
      guard let record = known.first(where: { $0.woven != nil }), let digest = record.woven.flatMap({ Digest($0) }) else {
        let why = first.notebook == nil ? "is no notebook" : "has not run to its first cell"
        throw Diagnostic(.input, "stage `\(stage)` \(why), so there is nothing to write")
      }
      return try WovenNotebook(json: Data(project.records.bytes(of: digest)), source: "object \(digest.short)…")
    }
  }

  // MARK: Running

  struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "run",
      abstract: "Run a notebook that belongs to no pipeline, in this folder.",
      discussion: """
        It has no parameters, dependencies or outputs, and nothing is kept but the file that is asked for.

        Examples:
          pipe notebook run explore.ipynb
          pipe notebook run explore.qmd -o explore.html
        """)

    @Argument(help: "The notebook.", completion: .file()) var notebook: String
    @Option(name: .shortAndLong, help: "Write code and outputs here: .ipynb, .html or .md.", completion: .file()) var output:
      String?

    func run() throws {
      let form = try output.map(ExportForm.init(of:))
      guard let text = try AtomicFile.readText(notebook) else { throw Diagnostic(.input, "there is no file `\(notebook)`") }
      let parsed = try NotebookParser.parse(text, file: notebook)
      let folder = FileManager.default.currentDirectoryPath
      let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("pipe-notebook-\(getpid())").path
      defer { try? FileManager.default.removeItem(atPath: scratch) }
      let context = StageNotebookContext(stage: notebook, root: folder, tmp: scratch)
      let runner = CellRunner(
        folder: folder, environment: ProcessInfo.processInfo.environment, interruption: InterruptionWatch())
      let (woven, outcome) = try runner.run(parsed, context, progress: NotebookCommand.report)
      if let output, let form { try AtomicFile.write(try form.text(of: woven), to: output) }
      if output == nil { Terminal.standard.write(WovenText.printed(by: woven), to: STDOUT_FILENO) }
      try NotebookCommand.finish(woven, outcome) { output.map { "the notebook as far as it went is in \($0)" } }
    }
  }

  struct RunStage: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "run-stage", abstract: "Run a notebook's cells in the environment of a stage.", shouldDisplay: false)

    @Argument(help: "The notebook, relative to the project.") var notebook: String
    @Option(help: "The stage's context document.") var context: String
    @Option(help: "Where the executed notebook goes.") var woven: String

    func run() throws {
      let context = try StageNotebookContext(json: Data(contentsOf: URL(fileURLWithPath: context)))
      guard let text = try AtomicFile.readText("\(context.root)/\(notebook)") else {
        throw Diagnostic(.input, "the notebook `\(notebook)` is not there")
      }
      let parsed = try NotebookParser.parse(text, file: notebook)
      let runner = CellRunner(
        folder: FileManager.default.currentDirectoryPath, environment: ProcessInfo.processInfo.environment,
        interruption: InterruptionWatch())
      let (result, outcome) = try runner.run(parsed, context, progress: NotebookCommand.report)
      try AtomicFile.write([UInt8](try result.canonicalJSON()), to: woven)
      try NotebookCommand.finish(result, outcome) { keepPartial(result, context) }
    }

    /// A notebook that did not come to its end, where a person can open it.
    private func keepPartial(_ woven: WovenNotebook, _ context: StageNotebookContext) -> String? {
      let name = context.stage.replacing("/", with: "%")
      let path = ".pipe/failed/\(name)"
      do {
        try AtomicFile.makeFolder("\(context.root)/.pipe/failed")
        try AtomicFile.write(try ExportForm.html.text(of: woven), to: "\(context.root)/\(path).html")
        try AtomicFile.write(try ExportForm.ipynb.text(of: woven), to: "\(context.root)/\(path).ipynb")
      } catch {
        return nil
      }
      return "the notebook as far as it went is in \(path).html and \(name).ipynb"
    }
  }

  // MARK: What a person sees

  /// - Parameter partial: where the notebook as far as it went was kept.
  private static func finish(_ woven: WovenNotebook, _ outcome: NotebookOutcome, _ partial: () -> String?) throws {
    if case .failed = outcome { Terminal.standard.write(WovenText.terminal(woven, outcome), to: STDERR_FILENO) }
    if outcome != .done, let place = partial() { Terminal.standard.note(place) }
    switch outcome {
    case .done: return
    case .interrupted(let signal): throw ExitCode(128 + signal)
    case .failed: throw ExitCode(1)
    }
  }

  private static func report(_ progress: NotebookProgress) {
    switch progress {
    case .warning(let warning): Terminal.standard.say(warning)
    case .started: break
    case .finished(let number, let count, let name, let duration, let outcome):
      let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
      let word = outcome == .done ? "" : " \(outcome.rawValue)"
      let label = name == "\(number)" ? "" : ", \(name)"
      Terminal.standard.note("cell \(number) of \(count)\(label):\(word) \(durationText(seconds))")
    }
  }
}

/// The forms that a woven notebook is written in.
enum ExportForm: String, ExpressibleByArgument, CaseIterable {
  case ipynb, html, md

  /// - Throws: an input diagnostic when the name ends in none of them.
  init(of path: String) throws {
    let ending = (path as NSString).pathExtension.lowercased()
    guard let form = ExportForm(rawValue: ending) else {
      throw Diagnostic(.input, "`\(path)` should end in `.ipynb`, `.html` or `.md`")
    }
    self = form
  }

  func text(of woven: WovenNotebook) throws -> String {
    switch self {
    case .ipynb: try woven.jupyterText()
    case .html: HTMLText.render(NotebookPage.document(VegaDrawing.drawn(woven)))
    case .md: woven.markdownText
    }
  }
}
