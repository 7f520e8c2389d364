// Gathers what the report shows, from a run record and the objects it names, and writes the two pages.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Evaluation
import Foundation
import Notebooks
import PipelineModel
import Reporting
import SourceControl
import Tabular
import Tracking

struct ReportWriter {
  let project: Project
  let pipeline: Pipeline
  let graph: StageGraph

  private var folder: String { "\(project.root)/reports" }

  /// Writes `reports/index.html` and `reports/index.md` for a run.
  ///
  /// - Parameter known: an earlier record that was read already; `nil` is none.
  /// - Returns: the HTML page's path, relative to the project.
  func write(_ run: RunRecord, known: RunRecord? = nil) throws -> String {
    let input = try input(run, known: known)
    let report = RunReport.document(input)
    let html = HTMLText.render(report)
    if let page = WorkspacePath("reports/index.html") { try Workspace.checkParent(of: page, in: project.root) }
    try AtomicFile.makeFolder(folder)
    try AtomicFile.write(html, to: "\(folder)/index.html")
    try AtomicFile.write(MarkdownText.render(report), to: "\(folder)/index.md")
    let missed = Self.missed(input.evaluations, input.unjudged) + (try missedBefore(run))
    try AtomicFile.write(
      ([run.id, followedPrint] + missed).joined(separator: "\n") + "\n", to: "\(project.stateFolder)/reported")
    if let warning = HTMLText.sizeWarning(bytes: html.utf8.count) { Terminal.standard.say(Diagnostic(.warning, warning)) }
    return "reports/index.html"
  }

  /// What the pages of a run say.
  ///
  /// - Parameter known: an earlier record that was read already; `nil` is none.
  func report(on run: RunRecord, known: RunRecord? = nil) throws -> Report { RunReport.document(try input(run, known: known)) }

  /// The model card with the figures of a run, for a model repository.
  ///
  /// - Throws: an `input` diagnostic where there is no card.
  func modelCard(of run: RunRecord) throws -> String {
    let input = try input(run, known: nil)
    guard let card = input.card else {
      throw Diagnostic(
        .input,
        path("card").map { "there is no model card at `\($0)`, or it has mistakes" } ?? "`\(pipeline.file)` names no model card",
        hints: ["`report: {card: modelcard.yaml}` names one; docs/report.md says what stands in it"])
    }
    let evaluations = input.evaluations.map(\.result.document) + (input.evaluation.map { [$0] } ?? [])
    return ModelCardText.text(card, name: pipeline.models.first?.name ?? input.title, evaluations: evaluations)
  }

  /// Whether the newest run lacks a report, because a build was killed before it wrote one, or has one of older prose.
  func isOwed(_ newest: String) -> Bool {
    reported?.run != newest || reported?.followed != followedPrint || FileStat("\(folder)/index.html") == nil
  }

  /// What of people's files the page follows without a run, `-` where it follows none: notebooks, the model card, and the
  /// manifests that have gates.
  private var followedPrint: String {
    let notebooks = pipeline.stages.compactMap { stage in
      if case .notebook(let path) = stage.work { path } else { nil }
    }
    let gates = gated.compactMap { WorkspacePath($0.location.file) }
    let followed = Set(notebooks + gates + [path("card")].compactMap { $0 }).sorted { $0.text < $1.text }
    guard !followed.isEmpty else { return "-" }
    var bytes: [UInt8] = []
    for path in followed {
      let content = (try? AtomicFile.read("\(project.root)/\(path)")) ?? nil
      bytes += "\(path) \(content.map { Digest.of($0).digits } ?? "-")\n".utf8
    }
    return Digest.of(bytes).digits
  }

  /// The run that the pages are about, what else they follow, and the gates of `evaluations:` that are missed, a line each.
  var reported: (run: String, followed: String, missed: [String])? {
    guard let text = (try? AtomicFile.readText("\(project.stateFolder)/reported")) ?? nil else { return nil }
    let lines = text.split(separator: "\n").map(String.init)
    return lines.count < 2 ? nil : (lines[0], lines[1], Array(lines.dropFirst(2)))
  }

  // MARK: What a run has

  private func input(_ run: RunRecord, known: RunRecord?) throws -> RunReport.Input {
    let previous = try RunLog(folder: project.runsFolder).previous(of: run, known: known)
    let objects = RunObjects(run: run, project: project)
    let earlier = previous.map { RunObjects(run: $0, project: project) }
    let outcomes = Dictionary(run.stages.map { ($0.name, $0.outcome) }, uniquingKeysWith: { first, _ in first })
    let shown = graph.order.filter { outcomes[graph.stages[$0].name] != nil }
    var input = RunReport.Input(
      title: pipeline.title ?? "Pipeline", description: pipeline.description, run: run,
      graph: GraphDescription(graph, order: shown) { name in outcomes[name].map(GraphDescription.Status.init) ?? .unknown })
    input.previous = previous
    input.evaluation = document("evaluation", objects, &input.omissions)
    if let earlier { input.previousEvaluation = document("evaluation", earlier, isPrevious: true, &input.omissions) }
    input.evaluations = try RunEvaluations(
      project: project, pipeline: pipeline, run: run, previous: previous, document: input.evaluation
    ).all(&input.omissions, unjudged: &input.unjudged)
    input.drift = try RunDrift(project: project, pipeline: pipeline, run: run, previous: previous).all(&input.omissions)
    input.gates = document("gates", objects, &input.omissions)
    input.quality = document("quality", objects, &input.omissions)
    input.backtest = document("backtest", objects, &input.omissions)
    input.importance = importance(objects, &input.omissions)
    input.metrics = metrics(run, objects, earlier)
    input.card = card(objects, &input.omissions)
    input.plots = plots(run, objects)
    input.contents = contents(run)
    input.registered = pipeline.registered(run, in: project)
    input.reproduce = reproduce(run)
    return input
  }

  private func path(_ role: String) -> WorkspacePath? { pipeline.reportSources.first { $0.role == role }?.path }

  private func document<Document: RoleDocument>(
    _ role: String, _ objects: RunObjects, isPrevious: Bool = false, _ omissions: inout [String]
  ) -> Document? {
    // Nobody misses what only a comparison would need.
    guard let (path, bytes) = isPrevious ? stored(role, objects) : file(role, objects, &omissions) else { return nil }
    let whose = isPrevious ? " of the previous run" : ""
    if let found = try? JSONDecoder().decode(DeclaredSchema.self, from: Data(bytes)).schema, found != Document.schema {
      leaveOut(
        "`\(path)`\(whose) has the schema `\(found.prefix(100))`, and role `\(role)` reads `\(Document.schema)`, so the report leaves it out",
        &omissions)
      return nil
    }
    do {
      return try JSONDecoder().decode(Document.self, from: Data(bytes))
    } catch {
      let why = (error as? DecodingError).map { ": \($0.sentence)" } ?? ""
      leaveOut(
        "`\(path)`\(whose) is not a document of role `\(role)`, so the report leaves it out\(why)",
        &omissions)
      return nil
    }
  }

  /// The file of a role, `nil` where a run has none; when no run ever will, it is told.
  private func file(
    _ role: String, _ objects: RunObjects, _ omissions: inout [String]
  ) -> (path: WorkspacePath, bytes: [UInt8])? {
    if let stored = stored(role, objects) { return stored }
    guard let path = path(role) else { return nil }
    let places = { (stage: StageRecord) in (stage.outputs + stage.dependencies).compactMap { WorkspacePath($0.path) } }
    let declared = graph.stages.flatMap { $0.outputs.map(\.path) + $0.dependencies.compactMap(\.path) }
    if objects.run.stages.contains(where: { $0.outcome.isDone && places($0).contains(where: path.isWithin) }) {
      leaveOut("the store has no file of `\(path)`, so the report leaves out its role `\(role)`", &omissions)
    } else if !declared.contains(where: path.isWithin) {
      leaveOut("no stage makes or reads `\(path)`, so the report leaves out its role `\(role)`", &omissions)
    }
    return nil
  }

  private func stored(_ role: String, _ objects: RunObjects) -> (path: WorkspacePath, bytes: [UInt8])? {
    path(role).flatMap { path in objects.bytes(of: path).map { (path, $0) } }
  }

  /// Says it to the one at the terminal and to the one who reads the page.
  private func leaveOut(_ sentence: String, _ omissions: inout [String]) {
    Terminal.standard.say(Diagnostic(.warning, sentence))
    omissions.append(sentence)
  }

  private func importance(_ objects: RunObjects, _ omissions: inout [String]) -> [RunReport.ImportanceRow] {
    guard let (path, bytes) = file("importance", objects, &omissions) else { return [] }
    do {
      let table = try CSVReader.table(bytes: bytes, named: path.text)
      return zip(try table.texts("feature"), try table.numbers("share")).map {
        RunReport.ImportanceRow(feature: $0 ?? "", share: $1)
      }
    } catch {
      omissions.append(error.omission("the importance of `\(path)` is left out"))
      return []
    }
  }

  /// The card is written by people: as a stage made it, or else as it stands in the project.
  private func card(_ objects: RunObjects, _ omissions: inout [String]) -> ModelCard? {
    guard let path = path("card") else { return nil }
    guard let bytes = objects.bytes(of: path) ?? (try? AtomicFile.read("\(project.root)/\(path)")) else {
      leaveOut("there is no model card at `\(path)`, so the report has none", &omissions)
      return nil
    }
    do {
      return try ModelCard(text: String(decoding: bytes, as: UTF8.self), file: path.text)
    } catch {
      for var diagnostic in error.diagnostics {
        diagnostic.category = .warning
        Terminal.standard.say(diagnostic)
      }
      omissions.append("the model card `\(path)` has mistakes, so the report has none")
      return nil
    }
  }

  private func metrics(_ run: RunRecord, _ objects: RunObjects, _ earlier: RunObjects?) -> [RunReport.MetricsFile] {
    let files = run.stages.flatMap(\.outputs).filter { $0.kind == "metrics" && $0.path.hasSuffix(".json") }
    return files.compactMap { file in
      guard let path = WorkspacePath(file.path), let values = numbers(path, objects) else { return nil }
      return RunReport.MetricsFile(path: file.path, values: values, previous: earlier.flatMap { numbers(path, $0) })
    }
  }

  private func numbers(_ path: WorkspacePath, _ objects: RunObjects) -> [String: Double]? {
    guard let bytes = objects.bytes(of: path), let json = try? JSONValue(parsing: bytes) else { return nil }
    return json.flattenedNumbers
  }

  /// The plots of the manifests, their files as the run has them; what no stage makes is taken from the workspace.
  private func plots(_ run: RunRecord, _ objects: RunObjects) -> RunReport.Plots {
    let made = pipeline.stages.flatMap(\.outputs)
    guard !pipeline.plots.isEmpty || made.contains(where: { $0.kind == .plot }) else { return RunReport.Plots() }
    do {
      // Names of plots must not depend on the folder one is in.
      let atRoot = try Project.find(from: project.root)
      let view = try RevisionView(atRoot, revision: nil, name: "this run")
      let plots = try PlotCollection(atRoot, [view], targets: [], override: PlotOptions()) { view, path in
        made.contains { path.isWithin($0.path) } ? objects.bytes(of: path) : try view.bytes(of: path)
      }
      return try plots.shown()
    } catch {
      return RunReport.Plots(problems: [
        "the plots cannot be read: \((error as? any DiagnosticConvertible)?.diagnostic.message ?? "\(error)")"
      ])
    }
  }

  private func contents(_ run: RunRecord) -> [String: RunReport.StageContent] {
    var contents: [String: RunReport.StageContent] = [:]
    // An older run stays as it was read then.
    let isNewest = (try? RunLog(folder: project.runsFolder).ids().last) == run.id
    let prose = isNewest ? CurrentProse(project, secrets: pipeline.secrets) : nil
    for stage in run.stages {
      var content = RunReport.StageContent()
      if let digest = stage.woven.flatMap({ Digest($0) }), let bytes = try? project.store.bytes(of: digest) {
        content.woven = try? WovenNotebook(json: Data(bytes), source: stage.notebook ?? stage.name)
      }
      if let woven = content.woven, stage.outcome != .failed { content.woven = prose?.woven(woven) ?? woven }
      content.woven = content.woven.map(VegaDrawing.drawn)
      if let digest = stage.log.flatMap({ Digest($0) }), let bytes = try? project.store.bytes(of: digest) {
        content.logTail = String(decoding: bytes.suffix(8 << 10), as: UTF8.self)
      }
      contents[stage.name] = content
    }
    return contents
  }

  private func reproduce(_ run: RunRecord) -> [String] {
    let checkout = run.git?.commit.map { ["git checkout \($0)"] } ?? []
    return checkout + ["pipe verify"]
  }
}

extension Pipeline {
  /// The version whose bundle a run has.
  func registered(_ run: RunRecord, in project: Project) -> RunReport.RegisteredModel? {
    guard let model = models.first, let known = try? Registry(folder: project.registryFolder).show(model.name) else { return nil }
    let bundle = run.stages.flatMap(\.outputs).first { $0.path == model.bundle.text }?.digest
    guard let version = known.versions.last(where: { $0.bundleDigest == bundle }) else { return nil }
    return RunReport.RegisteredModel(name: version.name, version: version.number)
  }
}

/// A document that stages write for the report, with the name of its form in `schema`.
private protocol RoleDocument: Decodable {
  static var schema: String { get }
}

extension EvaluationDocument: RoleDocument {}
extension GatesDocument: RoleDocument {}
extension QualityDocument: RoleDocument {}
extension BacktestDocument: RoleDocument {}

private struct DeclaredSchema: Decodable {
  var schema: String
}

extension DecodingError {
  /// Where a document is wrong, for a person.
  fileprivate var sentence: String {
    func place(_ path: [any CodingKey]) -> String {
      let keys = path.map { key in key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)" }.joined()
      return keys.isEmpty ? "it" : "`\(keys.drop { $0 == "." })`"
    }
    switch self {
    case .keyNotFound(let key, let context): return "\(place(context.codingPath)) has no `\(key.stringValue)`"
    case .valueNotFound(_, let context): return "\(place(context.codingPath)) is null"
    case .typeMismatch(_, let context): return "\(place(context.codingPath)) is of another kind"
    default: return "it is not JSON"
    }
  }
}

/// Outputs and inputs of a run by path, out of the store. What it does not keep, such as an output with `cache: false`, is
/// taken from where it stands in the project, as long as it is what the run recorded.
struct RunObjects {
  let run: RunRecord
  let project: Project

  private var store: DirectoryObjectStore { project.store }

  /// The bytes of an output or input, or of a file in a directory that is one; `nil` when they are not to be had.
  func bytes(of path: WorkspacePath) -> [UInt8]? {
    guard let digest = digest(of: path) else { return nil }
    if let bytes = try? store.bytes(of: digest) { return bytes }
    return standing(path, digest).flatMap { (try? AtomicFile.read($0)) ?? nil }
  }

  /// The same as a file.
  func file(of path: WorkspacePath) throws -> String? {
    guard let digest = digest(of: path) else { return nil }
    return try store.contains(digest) ? store.path(of: digest) : standing(path, digest)
  }

  private func standing(_ path: WorkspacePath, _ digest: Digest) -> String? {
    let workspace = project.workspace()
    guard case .file(digest, _, _)? = try? workspace.content(of: path, digest.algorithm) else { return nil }
    return workspace.absolute(path)
  }

  private func tree(_ digest: Digest, at place: WorkspacePath) -> FileTree? {
    if let tree = try? store.tree(digest) { return tree }
    guard case .directory(let tree, digest)? = try? project.workspace().content(of: place, digest.algorithm) else { return nil }
    return tree
  }

  /// The object that the run names for a path.
  func digest(of path: WorkspacePath) -> Digest? {
    // What a stage made comes first: an input of one may be the output of another.
    for output in run.stages.flatMap(\.outputs) + run.stages.flatMap(\.dependencies) {
      guard let place = WorkspacePath(output.path), path.isWithin(place), let digest = Digest(output.digest) else { continue }
      guard digest.isTree else { return digest }
      let inner = path.text.dropFirst(place.text.count + 1)
      return tree(digest, at: place)?.entries.first { $0.path == inner }?.digest
    }
    return nil
  }
}

extension GraphDescription.Status {
  init(_ outcome: StageRecord.Outcome) {
    self = GraphDescription.Status(rawValue: outcome.rawValue) ?? .unknown
  }
}
