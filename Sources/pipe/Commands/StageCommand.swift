// `pipe stage add` and `pipe stage list`.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildEngine
import ContentStore
import Diagnostics
import Glibc
import PipelineModel

struct StageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stage", abstract: "Add stages to the manifest, and list them.", subcommands: [Add.self, List.self])
}

extension StageCommand {
  struct List: ParsableCommand, HasVolume {
    static let configuration = CommandConfiguration(
      abstract: "Print stages with what they are for.",
      discussion: """
        Examples:
          pipe stage list
          pipe stage list --all --name-only
        """)

    @Argument(help: "Manifests, pointer files, stages or folders. Default: the manifest of this folder.") var targets: [String] =
      []
    @Flag(help: "All stages of the project.") var all = false
    @Flag(help: "Stop at mistakes in any file, which `pipe` always does.") var fail = false
    @Flag(name: [.customShort("R"), .long], help: "A folder stands for all stages declared below it.") var recursive = false
    @Flag(name: [.customLong("name-only"), .customLong("names-only")], help: "Names alone.") var nameOnly = false
    @OptionGroup var volume: Volume

    func run() throws {
      let project = try Project.find()
      let graph = try project.load().graph()
      let rows = try stages(project, graph).map { stage -> [String] in
        nameOnly ? [project.display(stage)] : [project.display(stage), Self.summary(stage)]
      }
      if !rows.isEmpty { Terminal.standard.out(columns(rows)) }
    }

    private func stages(_ project: Project, _ graph: StageGraph) throws -> [Stage] {
      if all { return graph.stages }
      var selection = TargetSelection(project, graph)
      selection.isRecursive = recursive
      if !targets.isEmpty { return try selection.indices(of: targets).map { graph.stages[$0] } }
      guard let manifest = WorkspacePath(project.dialect.manifestName, in: project.current),
        FileStat("\(project.root)/\(manifest)") != nil
      else {
        throw Diagnostic(
          .input, "there is no `\(project.dialect.manifestName)` in this folder",
          hints: ["`--all` lists the stages of the project"])
      }
      return graph.stages.filter { $0.manifest == manifest }
    }

    /// The first line of the description, or what the stage makes; 80 characters at most.
    static func summary(_ stage: Stage) -> String {
      let own = stage.description?.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
      let text = own.isEmpty ? made(by: stage) : own
      return text.count > 80 ? text.prefix(79) + "…" : text
    }

    private static func made(by stage: Stage) -> String {
      func list(_ paths: [WorkspacePath]) -> String {
        paths.map { relativePath(from: stage.workingDirectory, to: $0.text) }.joined(separator: ", ")
      }
      let data = stage.outputs.filter { $0.kind == .data }.map(\.path)
      let reports = stage.outputs.filter { $0.kind != .data }.map(\.path)
      let parts = [data.isEmpty ? nil : "Outputs " + list(data), reports.isEmpty ? nil : "Reports " + list(reports)].compactMap {
        $0
      }
      if !parts.isEmpty { return parts.joined(separator: "; ") }
      let inputs =
        stage.dependencies.map { $0.path.map { relativePath(from: stage.workingDirectory, to: $0.text) } ?? $0.place.text }
        + Set(stage.parameters.map { relativePath(from: stage.workingDirectory, to: $0.file.text) }).sorted()
      return inputs.isEmpty ? "No outputs or dependencies" : "Depends on " + inputs.joined(separator: ", ")
    }
  }

  struct Add: AsyncParsableCommand, HasVolume {
    static let configuration = CommandConfiguration(
      abstract: "Add a stage to the manifest of this folder; comments in it stay.",
      discussion: """
        Examples:
          pipe stage add -n train -d data -p lr -o model.bin python train.py
          pipe stage add --run -n score -d model.bin -M scores.json "python score.py > scores.json"
        """)

    @Option(name: .shortAndLong, help: "The stage's name.") var name: String?
    @Flag(name: .shortAndLong, help: "Replace a stage of this name.") var force = false
    @Option(name: .shortAndLong, parsing: .singleValue, help: "A file or folder that the stage reads.") var deps: [String] = []
    @Option(name: .shortAndLong, parsing: .singleValue, help: "Parameters, as [FILE:]KEY,KEY.") var params: [String] = []
    @Option(name: .shortAndLong, parsing: .singleValue, help: "A file or folder that the stage writes.") var outs: [String] = []
    @Option(name: [.customShort("O"), .long], parsing: .singleValue, help: "The same, but not kept in the store.")
    var outsNoCache: [String] = []
    @Option(parsing: .singleValue, help: "The same, but not removed before the stage runs.") var outsPersist: [String] = []
    @Option(parsing: .singleValue, help: "Neither kept in the store nor removed.") var outsPersistNoCache: [String] = []
    @Option(name: .shortAndLong, parsing: .singleValue, help: "A metrics file that the stage writes.") var metrics: [String] = []
    @Option(name: [.customShort("M"), .long], parsing: .singleValue, help: "The same, but not kept in the store.")
    var metricsNoCache: [String] = []
    @Option(parsing: .singleValue, help: "A plot file that the stage writes.") var plots: [String] = []
    @Option(parsing: .singleValue, help: "The same, but not kept in the store.") var plotsNoCache: [String] = []
    @Option(name: .shortAndLong, help: "The folder that the command runs in, from here.", completion: .directory) var wdir:
      String?
    @Flag(help: "The stage always runs.") var alwaysChanged = false
    @Option(help: "What the stage is for.") var desc: String?
    @Flag(help: "Run the stage at once.") var run = false
    @Argument(parsing: .captureForPassthrough, help: "The command.") var command: [String] = []
    @OptionGroup var volume: Volume

    func validate() throws {
      if let first = command.first, ["-h", "--help"].contains(first) { throw CleanExit.helpRequest(self) }
      guard let name else { throw ValidationError("--name is missing") }
      if command.isEmpty { throw ValidationError("the command is missing") }
      let isPlain = name.unicodeScalars.allSatisfy {
        !$0.isASCII || $0.properties.isAlphabetic || "0123456789_- ".unicodeScalars.contains($0)
      }
      if name.isEmpty || !isPlain { throw ValidationError("a stage's name has letters, digits, `-` and `_`, not `\(name)`") }
    }

    func run() async throws {
      let project = try Project.find()
      try project.makeStateFolders()
      let lock = try project.takeLock()
      let name = name ?? ""
      guard let manifest = WorkspacePath(project.dialect.manifestName, in: project.current) else {
        throw Diagnostic(.input, "this folder can have no manifest")
      }
      let file = "\(project.root)/\(manifest)"
      let before = try AtomicFile.readText(file)
      let after = try text(before, name, manifest)
      let source = ChangedSource(base: WorkspaceSource(root: project.root), path: manifest, text: after)
      // Mistakes are found before the file is touched.
      let loaded = try ProjectReader(project, source).read()
      let graph = try loaded.graph()
      let results = AgreedResults(project: project, loaded: loaded)
      try results.put(after, at: manifest)
      let address = project.current.map { "\($0)/\(project.dialect.manifestName):\(name)" } ?? name
      let cached = loaded.pipeline.stages.filter { $0.name == address || ($0.manifest == manifest && $0.localName == name) }
        .flatMap(\.outputs).filter(\.isCached).map(\.path)
      // In the order in which DVC writes them.
      let folder = wdir.flatMap { WorkspacePath($0, in: project.current) } ?? project.current
      let typed = (outsPersist + metrics + plots + outs).compactMap { WorkspacePath($0, in: folder) }
      let ordered = cached.sorted { (typed.firstIndex(of: $0) ?? 0) < (typed.firstIndex(of: $1) ?? 0) }
      try results.stage([manifest] + results.ignore(ordered))
      Terminal.standard.note("added stage `\(name)` to `\(project.display(manifest))`")
      guard run, let index = graph.stages.firstIndex(where: { $0.manifest == manifest && $0.localName == name }) else { return }
      let (outcome, _) = try await BuildSession(loaded, graph: graph, processes: ProcessExecutor(), isQuiet: false).build(
        order: [index], options: BuildOptions(), holding: lock, writesReport: false)
      for stage in outcome.stages { if case .failed(let diagnostic) = stage.result { throw ExitCode(diagnostic.exitCode) } }
      if outcome.isInterrupted { throw ExitCode(Interruption.shared.exitCode) }
    }

    private func text(_ before: String?, _ name: String, _ manifest: WorkspacePath) throws -> String {
      let draft = draft()
      if force, let before, (try? YAMLEdit.removing(name, from: before, file: manifest.text)) != nil {
        return try YAMLEdit.replacing(name, with: draft, in: before, file: manifest.text)
      }
      return try YAMLEdit.adding(draft, named: name, to: before, file: manifest.text)
    }

    private func draft() -> StageDraft {
      var draft = StageDraft(commands: [Self.joined(command)])
      draft.description = desc
      draft.workingDirectory = wdir
      draft.dependencies = Self.unique(deps)
      for text in params {
        let colon = text.lastIndex(of: ":")
        let file = colon.map { String(text[..<$0]) } ?? "params.yaml"
        let keys = text[(colon.map { text.index(after: $0) } ?? text.startIndex)...].split(separator: ",").map(String.init)
        if let index = draft.parameters.firstIndex(where: { $0.file == file }) {
          draft.parameters[index].keys += keys
        } else {
          draft.parameters.append((file, keys))
        }
      }
      draft.outputs =
        outputs(outs) + outputs(outsNoCache, cached: false) + outputs(outsPersist, persists: true)
        + outputs(outsPersistNoCache, cached: false, persists: true) + outputs(metrics, .metrics)
        + outputs(metricsNoCache, .metrics, cached: false) + outputs(plots, .plot) + outputs(plotsNoCache, .plot, cached: false)
      draft.alwaysChanged = alwaysChanged
      return draft
    }

    private func outputs(_ paths: [String], _ kind: Output.Kind = .data, cached: Bool = true, persists: Bool = false)
      -> [StageDraft.Output]
    {
      Self.unique(paths).map { path in
        var output = StageDraft.Output(path: path, kind: kind)
        output.isCached = cached
        output.isPersistent = persists
        return output
      }
    }

    private static func unique(_ paths: [String]) -> [String] {
      var seen: Set<String> = []
      return paths.filter { seen.insert($0).inserted }
    }

    /// One text stays as it is; of several words, those with a blank get quotes.
    static func joined(_ words: [String]) -> String {
      guard words.count > 1 else { return words.joined() }
      return words.map { word in
        if word.isEmpty { return "\"\"" }
        return word.contains(" ") && !word.contains("\"") ? "\"\(word)\"" : word
      }.joined(separator: " ")
    }
  }
}

/// A project in which one file has another text.
struct ChangedSource: ProjectSource {
  let base: any ProjectSource
  let path: WorkspacePath
  let text: String
  var label: String { base.label }

  func text(of path: WorkspacePath) throws -> String? { try path == self.path ? text : base.text(of: path) }

  func entries(of folder: WorkspacePath?) throws -> [(name: String, isFolder: Bool)] {
    let entries = try base.entries(of: folder)
    guard folder == path.parent, !entries.contains(where: { $0.name == path.name }) else { return entries }
    return (entries + [(path.name, false)]).sorted { $0.name < $1.name }
  }
}
