// Which plots a command draws: those that manifests declare and those that are asked for by file.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import PipelineModel

/// A plot at one revision, before its data is read.
package struct PlotRequest: Sendable, Equatable {
  /// Unique among the plots of a command: the id, with the manifest before it where two share one.
  package var name: String
  /// A file's path, or the name of a plot that names its files.
  package var id: String
  package var options: PlotOptions

  /// Images are shown as they are.
  package var isImage: Bool { Self.isImage(id) }

  package static func isImage(_ path: String) -> Bool {
    [".jpg", ".jpeg", ".gif", ".png", ".svg"].contains { path.hasSuffix($0) }
  }
}

/// What a revision has, as far as plots need it. Paths are as a person sees them from the folder one is in.
package struct PlotSurroundings {
  /// A path in the project as it is shown.
  package var display: (WorkspacePath) -> String
  /// Files in a folder and below it; `nil` when the path is no folder.
  package var filesBelow: (String) -> [String]?
  package var exists: (String) -> Bool

  package init(
    display: @escaping (WorkspacePath) -> String, filesBelow: @escaping (String) -> [String]?, exists: @escaping (String) -> Bool
  ) {
    self.display = display
    self.filesBelow = filesBelow
    self.exists = exists
  }
}

extension PlotRequest {
  /// Top-level plots by manifest, then plots among the outputs, then targets that are files.
  ///
  /// - Parameters:
  ///   - targets: beginnings of ids, or regular expressions for them; none means all.
  ///   - override: options of the command line, which win.
  package static func all(
    of pipeline: Pipeline, manifestName: String, targets: [String], override: PlotOptions, in surroundings: PlotSurroundings
  ) -> [PlotRequest] {
    var found = Found()
    let chosen = Targets(targets)
    var manifests: [String] = []
    for plot in pipeline.plots {
      let manifest = manifestPath(plot.folder, manifestName, surroundings)
      if !manifests.contains(manifest) { manifests.append(manifest) }
      guard chosen.match(plot.id, in: manifest) else { continue }
      add(plot, from: pipeline.plots, manifest, override, surroundings, to: &found)
    }
    for stage in pipeline.stages {
      for output in stage.outputs where output.kind == .plot {
        let path = surroundings.display(output.path)
        let manifest = stage.manifest.map(surroundings.display) ?? manifestName
        guard chosen.match(path, in: manifest) else { continue }
        let options = override.over(PlotOptions(output.plotOptions))
        for file in surroundings.filesBelow(path) ?? [path] { found.add("", file, options) }
      }
    }
    for target in targets where found.isEmpty || surroundings.exists(target) {
      for file in surroundings.filesBelow(target) ?? [target] { found.add("", file, override) }
    }
    return found.requests
  }

  private static func add(
    _ plot: PlotDefinition, from all: [PlotDefinition], _ manifest: String, _ override: PlotOptions,
    _ surroundings: PlotSurroundings, to found: inout Found
  ) {
    func place(_ path: String) -> String { WorkspacePath(path, in: plot.folder).map(surroundings.display) ?? path }
    let options = override.over(PlotOptions(plot.options, place: place))
    if case .files? = PlotOptions(plot.options).y { return found.add(manifest, plot.id, options) }
    let path = place(plot.id)
    guard let files = surroundings.filesBelow(path) else { return found.add(manifest, path, options) }
    // A folder leaves to a plot of a file or folder inside it what that names.
    let inner = all.filter { $0.folder == plot.folder && $0 != plot }.map { place($0.id) }.filter { $0.hasPrefix(path + "/") }
    for file in files where !inner.contains(where: { file == $0 || file.hasPrefix($0 + "/") }) {
      found.add(manifest, file, options)
    }
  }

  private static func manifestPath(_ folder: WorkspacePath?, _ name: String, _ surroundings: PlotSurroundings) -> String {
    WorkspacePath(name, in: folder).map(surroundings.display) ?? name
  }

  /// Definitions by manifest and id, in order.
  private struct Found {
    private var entries: [(manifest: String, id: String, options: PlotOptions)] = []

    var isEmpty: Bool { entries.isEmpty }

    mutating func add(_ manifest: String, _ id: String, _ options: PlotOptions) {
      if let place = entries.firstIndex(where: { $0.manifest == manifest && $0.id == id }) {
        entries[place].options = options.over(entries[place].options)
      } else {
        entries.append((manifest, id, options))
      }
    }

    var requests: [PlotRequest] {
      var manifests: [String: Int] = [:]
      for entry in entries { manifests[entry.id, default: 0] += 1 }
      return entries.map { manifest, id, options in
        let isShared = (manifests[id] ?? 0) > 1 && !manifest.isEmpty
        return PlotRequest(name: isShared ? "\(manifest)::\(id)" : id, id: id, options: options)
      }
    }
  }

  private struct Targets {
    private let texts: [String]
    private let patterns: [Regex<AnyRegexOutput>]

    init(_ targets: [String]) {
      texts = targets
      patterns = targets.compactMap { try? Regex($0) }
    }

    func match(_ id: String, in manifest: String) -> Bool {
      if texts.isEmpty { return true }
      return [id, "\(manifest)::\(id)"].contains { name in
        texts.contains { name.hasPrefix($0) } || patterns.contains { (try? $0.prefixMatch(in: name)) != nil }
      }
    }
  }
}
