// `pipe plots`: data and drawings of plots, of the workspace or of several revisions.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import Diagnostics
import Glibc
import PipelineModel
import Reporting
import SourceControl

struct PlotsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plots", abstract: "Show and compare plots.", subcommands: [Show.self, Diff.self, Templates.self])

  struct Show: ParsableCommand, HasVolume {
    static let configuration = CommandConfiguration(
      commandName: "show",
      abstract: "Draw plots of the workspace on one page, or print their Vega-Lite document.",
      discussion: """
        Examples:
          pipe plots show                              all plots, in dvc_plots/index.html
          pipe plots show loss.csv -x step -y loss
          pipe plots show --show-vega loss.csv > loss.vl.json
        """)

    @Argument(help: "Plots by id, or files. Default: all that are declared.", completion: .file()) var targets: [String] = []
    @OptionGroup var properties: PlotProperties
    @OptionGroup var form: PlotForm
    @OptionGroup var volume: Volume

    func validate() throws { try form.validate(targets) }

    func run() throws {
      let project = try Project.find()
      let views = [try RevisionView(project, revision: nil)]
      try form.put(PlotCollection(project, views, targets: targets, override: properties.options), project)
    }
  }

  struct Diff: ParsableCommand, HasVolume {
    static let configuration = CommandConfiguration(
      commandName: "diff",
      abstract: "Draw plots of several revisions over each other.",
      discussion: """
        One revision is compared with the workspace; without any, HEAD is, if the workspace differs from it.

        Examples:
          pipe plots diff main
          pipe plots diff v1 v2 --targets loss.csv
        """)

    @Argument(help: "Revisions; `workspace` is one, too.") var revisions: [String] = []
    @Option(parsing: .upToNextOption, help: "Only these plots, by id, or files.", completion: .file()) var targets: [String] = []
    @OptionGroup var properties: PlotProperties
    @OptionGroup var form: PlotForm
    @OptionGroup var volume: Volume

    func validate() throws { try form.validate(targets) }

    func run() throws {
      let project = try Project.find()
      let views = try names(project).map { try RevisionView(project, revision: $0) }
      try form.put(PlotCollection(project, views, targets: targets, override: properties.options), project)
    }

    /// The workspace is always the first.
    private func names(_ project: Project) throws -> [String] {
      guard let repository = try GitRepository.open(at: project.root) else {
        throw Diagnostic(.input, "there are no revisions to compare: the project is not in a Git repository")
      }
      guard try repository.headCommit() != nil else { return [] }
      var names = revisions
      if names.isEmpty, try repository.hasTrackedChanges() { names = ["HEAD"] }
      if names.count < 2 { names.append(RevisionView.workspaceName) }
      let others = names.filter { $0 != RevisionView.workspaceName }
      return others.count == names.count ? others : [RevisionView.workspaceName] + others
    }
  }

  struct Templates: ParsableCommand, HasVolume {
    static let configuration = CommandConfiguration(
      commandName: "templates",
      abstract: "List the built-in templates, or print one.",
      discussion: """
        Examples:
          pipe plots templates
          pipe plots templates confusion > .dvc/plots/mine.json
        """)

    @Argument(help: "A template's name.") var template: String?
    @OptionGroup var volume: Volume

    func run() throws {
      guard let name = template else { return Terminal.standard.out(PlotTemplate.builtInNames.joined(separator: "\n")) }
      guard let template = PlotTemplate.builtIn(name) else { throw PlotTemplate.unknown(name) }
      Terminal.standard.out(template.content.pythonJSON(sortKeys: false))
    }
  }
}

/// What the command line says of all plots it draws.
struct PlotProperties: ParsableArguments {
  @Option(name: .shortAndLong, help: "A template's name or file.", completion: .file()) var template: String?
  @Option(name: .short, help: "The field of the x axis.") var x: String?
  @Option(name: .short, help: "The field of the y axis.") var y: String?
  @Flag(help: "Tables have no line of names; columns are called 0, 1 …") var noHeader = false
  @Option(help: "The plot's title.") var title: String?
  @Option(help: "The x axis's label.") var xLabel: String?
  @Option(help: "The y axis's label.") var yLabel: String?

  var options: PlotOptions {
    var options = PlotOptions()
    options.x = x.map { .field($0) }
    options.y = y.map { .field($0) }
    options.xLabel = xLabel
    options.yLabel = yLabel
    options.title = title
    options.template = template
    options.hasHeader = noHeader ? false : nil
    return options
  }
}

/// In which form plots are put out.
struct PlotForm: ParsableArguments {
  @Option(name: .shortAndLong, help: "The folder for the page and its images. Default: dvc_plots.", completion: .directory)
  var out: String?
  @Flag(help: "Print the Vega-Lite document of one plot.") var showVega = false
  @Flag(help: "Print all plots as JSON in DVC's shape; images go to the folder.") var json = false

  func validate(_ targets: [String]) throws {
    guard showVega else { return }
    if json { throw ValidationError("--show-vega and --json exclude each other") }
    if targets.count != 1 { throw ValidationError("--show-vega needs exactly one target") }
  }

  func put(_ plots: PlotCollection, _ project: Project) throws {
    let folder = out ?? project.settings.configuration["plots.out_dir"] ?? "dvc_plots"
    if json { return Terminal.standard.out(try plots.json(images: folder).pythonJSON(sortKeys: false)) }
    if showVega {
      if let plot = plots.drawn.first {
        return Terminal.standard.out(try plot.spec(plots.template(plot.template)).pythonJSON(sortKeys: false))
      }
      throw plots.mistakes.first?.diagnostic ?? Diagnostic(.input, "there is no plot with data of this name")
    }
    for mistake in plots.mistakes {
      Terminal.standard.say(
        Diagnostic(
          .warning, "plot `\(mistake.name)` cannot be drawn in \(mistake.revision)", causes: [mistake.diagnostic.message],
          hints: mistake.diagnostic.hints))
    }
    if plots.isEmpty { return Terminal.standard.note("no plots are declared, and none was named: no page was written") }
    try AtomicFile.makeFolder(folder)
    let page = "\(folder)/index.html"
    try AtomicFile.write(try plots.page(), to: page)
    guard let real = realpath(page, nil) else { return }
    defer { free(real) }
    Terminal.standard.out("file://\(String(cString: real))")
  }
}

/// The plots of one command: rows of all revisions, pictures, and what could not be read.
struct PlotCollection {
  struct Picture {
    var name: String
    var revision: String
    var file: String
    var bytes: [UInt8]
  }

  struct Mistake {
    var name: String
    var revision: String
    /// `nil` when it is about the plot, not one of its files.
    var source: String?
    /// DVC's word for it.
    var kind: String
    var diagnostic: Diagnostic
  }

  private(set) var drawn: [Plot] = []
  private(set) var images: [Picture] = []
  private(set) var mistakes: [Mistake] = []
  /// In the order in which they are put out.
  private var names: [String] = []
  private let project: Project
  private let override: PlotOptions
  private let bytes: (RevisionView, WorkspacePath) throws -> [UInt8]?

  var isEmpty: Bool { drawn.isEmpty && images.isEmpty }

  /// - Parameters:
  ///   - views: revisions in the order in which they are drawn.
  ///   - bytes: reads a file of a revision.
  init(
    _ project: Project, _ views: [RevisionView], targets: [String], override: PlotOptions,
    bytes: @escaping (RevisionView, WorkspacePath) throws -> [UInt8]? = { try $0.bytes(of: $1) }
  ) throws {
    self.project = project
    self.bytes = bytes
    self.override = override
    var groups: [String: [(view: RevisionView, request: PlotRequest)]] = [:]
    for view in views {
      for request in view.plotRequests(targets: targets, override: override) {
        if groups[request.name] == nil { names.append(request.name) }
        groups[request.name, default: []].append((view, request))
      }
    }
    for name in names { try add(name, groups[name] ?? []) }
  }

  private mutating func add(_ name: String, _ group: [(view: RevisionView, request: PlotRequest)]) throws {
    // What the first revision says of itself wins.
    let options = group.reversed().reduce(PlotOptions()) { $1.request.options.over($0) }
    var data: [(revision: String, data: PlotData)] = []
    for (view, request) in group {
      if request.isImage {
        if let bytes = try read(request.id, name, view) {
          images.append(Picture(name: name, revision: view.name, file: request.id, bytes: bytes))
        }
        continue
      }
      var documents: [String: ParameterValue] = [:]
      for source in request.options.sources(of: request.id) { documents[source] = try document(source, name, view) }
      do throws(Diagnostic) {
        let rows = try PlotData(id: request.id, options: options, documents: documents, revision: view.name)
        if let rows { data.append((view.name, rows)) }
      } catch {
        mistakes.append(Mistake(name: name, revision: view.name, source: nil, kind: "DvcException", diagnostic: error))
      }
    }
    if let plot = Plot(name: name, options: options, data: data) { drawn.append(plot) }
  }

  /// - Returns: `nil` for a file that is not there, which is noted.
  private mutating func read(_ source: String, _ name: String, _ view: RevisionView) throws -> [UInt8]? {
    if let path = project.path(source), let bytes = try bytes(view, path) { return bytes }
    mistakes.append(
      Mistake(
        name: name, revision: view.name, source: source, kind: "FileNotFoundError",
        diagnostic: Diagnostic(.input, "`\(source)` is not there")))
    return nil
  }

  private mutating func document(_ source: String, _ name: String, _ view: RevisionView) throws -> ParameterValue? {
    guard let bytes = try read(source, name, view), let path = project.path(source) else { return nil }
    do {
      guard let text = String(validating: bytes, as: UTF8.self) else { throw Diagnostic(.input, "`\(source)` is not UTF-8 text") }
      if source.hasSuffix(".csv") || source.hasSuffix(".tsv") {
        let hasHeader = override.hasHeader ?? view.hasHeader(path) ?? true
        return PlotTable.read(text, delimiter: source.hasSuffix(".tsv") ? "\t" : ",", hasHeader: hasHeader)
      }
      guard [".json", ".yaml", ".yml", ".toml"].contains(where: source.hasSuffix) else {
        throw Diagnostic(.input, "`\(source)` is of no kind that plots are read from: JSON, YAML, TOML, CSV, TSV or an image")
      }
      return try ParameterFile.read(text, path)
    } catch {
      let diagnostic = (error as? DiagnosticList)?.diagnostics.first ?? (error as? any DiagnosticConvertible)?.diagnostic
      mistakes.append(
        Mistake(
          name: name, revision: view.name, source: source, kind: "PlotMetricTypeError",
          diagnostic: diagnostic ?? Diagnostic(.input, "`\(source)` cannot be read")))
      return nil
    }
  }

  // MARK: Output

  /// The template by name: a file of the project or of the folder one is in, else a built-in one.
  func template(_ name: String?) throws -> PlotTemplate {
    let name = name ?? "linear"
    let folder = "\(project.markerFolder)/plots"
    for file in ["\(folder)/\(name)", "\(folder)/\(name).json", name, "\(name).json"] where FileStat(file)?.kind == .file {
      if let text = try AtomicFile.readText(file) { return try PlotTemplate(name: name, text: text, file: file) }
    }
    guard let template = PlotTemplate.builtIn(name) else { throw PlotTemplate.unknown(name) }
    return template
  }

  /// The page with all plots; what could not be read is said on it, too.
  func page() throws -> String {
    let shown = try shown()
    return PlotPage.render(shown.entries, pictures: shown.pictures, problems: shown.problems)
  }

  func shown() throws -> RunReport.Plots {
    RunReport.Plots(
      entries: try drawn.map { PlotPage.Entry($0, custom: try custom($0)) },
      pictures: images.map { PlotPage.Picture(name: $0.name, revision: $0.revision, bytes: $0.bytes) },
      problems: mistakes.map { "`\($0.name)` in \($0.revision): \($0.diagnostic.message)" })
  }

  /// What a template of the project's own makes of a plot; `nil` for a built-in one.
  private func custom(_ plot: Plot) throws -> PlotPage.Custom? {
    guard plot.template != nil else { return nil }
    let template = try template(plot.template)
    if let builtIn = PlotTemplate.builtIn(template.name), builtIn.content == template.content { return nil }
    return VegaDrawing.draw(try plot.spec(template).pythonJSON(sortKeys: false), template: template.name)
  }

  /// `{"errors": […], "data": {name: [{type, revisions, content or url}]}}`.
  ///
  /// - Parameter images: the folder that images are written to.
  func json(images folder: String) throws -> ParameterValue {
    var data: [(String, ParameterValue)] = []
    for name in names {
      if let plot = drawn.first(where: { $0.name == name }) {
        let content = try plot.spec(template(plot.template))
        let revisions = ParameterValue.list(plot.revisions.map { .text($0) })
        data.append((name, .list([.mapping([("type", .text("vega")), ("revisions", revisions), ("content", content)])])))
      } else {
        data.append((name, .list(try images.filter { $0.name == name }.map { try Self.written($0, folder) })))
      }
    }
    let errors = mistakes.map { mistake in
      ParameterValue.mapping(
        [("name", .text(mistake.name)), ("rev", .text(mistake.revision))] + (mistake.source.map { [("source", .text($0))] } ?? [])
          + [("type", .text(mistake.kind)), ("msg", .text(mistake.diagnostic.message))])
    }
    return .mapping((errors.isEmpty ? [] : [("errors", .list(errors))]) + (data.isEmpty ? [] : [("data", .mapping(data))]))
  }

  private static func written(_ picture: Picture, _ folder: String) throws -> ParameterValue {
    try AtomicFile.makeFolder(folder)
    let name = "\(picture.revision)_\(picture.file)".split(separator: "/", omittingEmptySubsequences: false).joined(
      separator: "_")
    try AtomicFile.write(picture.bytes, to: "\(folder)/\(name)")
    guard let real = realpath("\(folder)/\(name)", nil) else { throw Diagnostic(.storage, "`\(folder)/\(name)` is gone") }
    defer { free(real) }
    return .mapping([
      ("type", .text("image")), ("revisions", .list([.text(picture.revision)])), ("url", .text(String(cString: real))),
    ])
  }
}

extension RevisionView {
  fileprivate func plotRequests(targets: [String], override: PlotOptions) -> [PlotRequest] {
    PlotRequest.all(
      of: loaded.pipeline, manifestName: project.dialect.manifestName, targets: targets, override: override,
      in: PlotSurroundings(
        display: { project.display($0) },
        filesBelow: { text in
          project.path(text).flatMap { (try? files(below: $0)) ?? nil }?.map { project.display($0) }
        }, exists: { text in project.path(text).map(exists) ?? false }))
  }

  /// What a plot among the outputs says of its table.
  fileprivate func hasHeader(_ path: WorkspacePath) -> Bool? {
    loaded.pipeline.stages.lazy.flatMap(\.outputs).first { $0.kind == .plot && path.isWithin($0.path) }
      .flatMap { PlotOptions($0.plotOptions).hasHeader }
  }
}

extension PlotTemplate {
  fileprivate static func unknown(_ name: String) -> Diagnostic {
    let near = closestMatch(to: name, among: builtInNames).map { "did you mean `\($0)`?" }
    return Diagnostic(
      .input, "there is no plot template `\(name)`", hints: [near ?? "templates are \(builtInNames.joined(separator: ", "))"])
  }
}
