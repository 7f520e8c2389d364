// The stages that a person declared, as values.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import Diagnostics

/// All that `pipeline.yaml` says.
package struct Pipeline: Sendable {
  /// The manifest at the project's root, for messages.
  package var file: String
  package var title: String?
  package var description: String?
  /// In the order of the file.
  package var stages: [Stage]
  /// `report:`: role → path of the document that the report shows in that role.
  package var reportSources: [(role: String, path: WorkspacePath)]
  /// `report.baseline`: a revision, an alias or a run that results are compared with. Native only.
  package var reportBaseline: String?
  /// `report.drift`, in order. Native only.
  package var drift: [DriftDeclaration] = []
  /// `evaluations:`, in order. Native only.
  package var evaluations: [EvaluationDeclaration] = []
  /// `models:`: what the registry takes from this pipeline.
  package var models: [ModelDeclaration]
  /// `secrets:`: variables of the environment whose values no record may have.
  package var secrets: [String] = []
  /// Top-level `params:`: files that `params diff` looks at beside those of the stages.
  package var parameterFiles: [WorkspacePath] = []
  /// Top-level `metrics:`.
  package var metricsFiles: [WorkspacePath] = []
  /// Top-level `plots:`, in order.
  package var plots: [PlotDefinition] = []
  /// Top-level `artifacts:`, in order.
  package var artifacts: [ArtifactDeclaration] = []

  package init(
    file: String, title: String? = nil, description: String? = nil, stages: [Stage],
    reportSources: [(role: String, path: WorkspacePath)] = [], models: [ModelDeclaration] = []
  ) {
    self.file = file
    self.title = title
    self.description = description
    self.stages = stages
    self.reportSources = reportSources
    self.models = models
  }

  /// Several manifests of one project as one pipeline. Title, description, report and models are those of the manifest at
  /// the root or, where it has none, of the first that has some.
  package static func merging(_ pipelines: [Pipeline]) -> Pipeline {
    let root = pipelines.first { !$0.file.contains("/") }
    let ranked = (root.map { [$0] } ?? []) + pipelines.filter { $0.file != root?.file }
    var merged = Pipeline(
      merged: pipelines, file: ranked.first?.file ?? "", title: ranked.lazy.compactMap(\.title).first,
      description: ranked.lazy.compactMap(\.description).first,
      reportSources: ranked.lazy.map(\.reportSources).first { !$0.isEmpty } ?? [],
      models: ranked.lazy.map(\.models).first { !$0.isEmpty } ?? [])
    merged.reportBaseline = ranked.lazy.compactMap(\.reportBaseline).first
    return merged
  }

  private init(
    merged: [Pipeline], file: String, title: String?, description: String?, reportSources: [(role: String, path: WorkspacePath)],
    models: [ModelDeclaration]
  ) {
    self.init(
      file: file, title: title, description: description, stages: merged.flatMap(\.stages), reportSources: reportSources,
      models: models)
    secrets = merged.flatMap(\.secrets)
    parameterFiles = merged.flatMap(\.parameterFiles)
    metricsFiles = merged.flatMap(\.metricsFiles)
    plots = merged.flatMap(\.plots)
    artifacts = merged.flatMap(\.artifacts)
    evaluations = merged.flatMap(\.evaluations)
    drift = merged.flatMap(\.drift)
  }

  package func stage(named name: String) -> Stage? { stages.first { $0.name == name } }
}

/// A model that the registry keeps versions of.
package struct ModelDeclaration: Sendable, Equatable {
  package var name: String
  /// Output that holds the version document.
  package var version: WorkspacePath
  /// Output that holds the bundle.
  package var bundle: WorkspacePath

  package init(name: String, version: WorkspacePath, bundle: WorkspacePath) {
    self.name = name
    self.version = version
    self.bundle = bundle
  }
}

/// An entry of top-level `plots:`.
package struct PlotDefinition: Sendable, Equatable {
  /// A file's or folder's path, or a name when `options` holds `y` as a mapping of files.
  package var id: String
  /// Folder of the manifest, which paths are relative to; `nil` is the project's.
  package var folder: WorkspacePath?
  /// `x`, `y`, `template`, `title`, `x_label`, `y_label`, `header` as written; `null` when there are none.
  package var options: ParameterValue

  package init(id: String, folder: WorkspacePath?, options: ParameterValue) {
    self.id = id
    self.folder = folder
    self.options = options
  }
}

/// An entry of top-level `artifacts:`.
package struct ArtifactDeclaration: Sendable, Equatable {
  package var name: String
  package var path: WorkspacePath
  /// `type`, `desc`, `labels`, `meta` as written.
  package var annotations: ParameterValue

  package init(name: String, path: WorkspacePath, annotations: ParameterValue) {
    self.name = name
    self.path = path
    self.annotations = annotations
  }
}

/// A named command or notebook with declared dependencies, parameters and outputs.
package struct Stage: Sendable {
  package enum Work: Sendable, Equatable {
    /// Each command runs in a shell of its own; the first that fails ends the stage.
    case commands([String])
    case notebook(WorkspacePath)
    /// Nothing runs: the stage stands for data under `add`, and its one output is the data.
    case data
  }

  /// The stage's address from the project's root, unique in it: `train`, `train@small`, `sub/dvc.yaml:train`, `data.csv.dvc`.
  package var name: String
  /// The name within its manifest, as the lock file has it: `train@small`; a pointer file's path for data.
  package var localName: String
  /// The manifest or pointer file that declares it.
  package var manifest: WorkspacePath?
  /// Name of the `foreach` or `matrix` stage that this one was made from.
  package var group: String?
  /// Whether `cmd` was written as a list.
  package var isCommandList = false
  /// Mutual exclusion: stages that name the same group never run at once. Native only.
  package var mutexes: [String] = []
  /// Name → amount of what the stage takes while it runs (`gpu: 1`, `memory_gb: 8`). Native only.
  package var resources: [String: Int] = [:]
  /// Ends an attempt that takes longer. Native only.
  package var timeoutSeconds: Double?
  /// Further attempts after a failure, from 0. Native only.
  package var retries = 0
  package var location: SourceLocation
  package var work: Work
  /// Folder that the work runs in; `nil` is the project's.
  package var workingDirectory: WorkspacePath?
  /// Paths from the root → the manifest's text for them, where that is not the shortest one from the working directory
  /// (`./a`, `data/`). DVC's lock files keep it, and know an entry only by it.
  package var spellings: [String: String] = [:]
  package var dependencies: [Dependency]
  package var outputs: [Output]
  package var parameters: [ParameterReference]
  package var environment: [EnvironmentVariable]
  package var description: String?
  package var isFrozen: Bool
  package var alwaysChanged: Bool

  package init(
    name: String, location: SourceLocation, work: Work, workingDirectory: WorkspacePath? = nil,
    dependencies: [Dependency] = [], outputs: [Output] = [], parameters: [ParameterReference] = [],
    environment: [EnvironmentVariable] = [], description: String? = nil, isFrozen: Bool = false, alwaysChanged: Bool = false
  ) {
    self.name = name
    self.localName = name
    self.location = location
    self.work = work
    self.workingDirectory = workingDirectory
    self.dependencies = dependencies
    self.outputs = outputs
    self.parameters = parameters
    self.environment = environment
    self.description = description
    self.isFrozen = isFrozen
    self.alwaysChanged = alwaysChanged
  }
}

/// A variable that a stage sets for its work.
package struct EnvironmentVariable: Sendable, Equatable {
  package var name: String
  package var value: String

  package init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

/// A file or directory that a stage reads.
package struct Dependency: Sendable {
  package enum Place: Sendable, Hashable {
    case workspace(WorkspacePath)
    /// An absolute path outside the workspace.
    case external(String)
    /// All files that match, as one tree. Native only.
    case pattern(PathPattern)

    package var text: String {
      switch self {
      case .workspace(let path): path.text
      case .external(let path): path
      case .pattern(let pattern): pattern.text
      }
    }
  }

  /// The name under which cells find it.
  package var name: String?
  package var place: Place
  package var location: SourceLocation

  package init(name: String?, place: Place, location: SourceLocation) {
    self.name = name
    self.place = place
    self.location = location
  }

  package var path: WorkspacePath? {
    if case .workspace(let path) = place { return path }
    return nil
  }
}

/// A file or directory that a stage writes.
package struct Output: Sendable {
  package enum Kind: String, Sendable { case data, metrics, plot }

  package var name: String?
  package var path: WorkspacePath
  package var kind: Kind
  /// `cache: false` says that Git keeps it: the store does not have to.
  package var isCached: Bool
  /// Stays in place when the stage runs again.
  package var isPersistent: Bool
  /// `push: false` keeps it from every remote.
  package var isPushed = true
  /// `remote:`: the only remote that it is exchanged with.
  package var remote: String?
  /// Options of a plot (`x`, `y`, `template` …) as written; `null` when there are none.
  package var plotOptions = ParameterValue.null
  package var location: SourceLocation

  package init(
    name: String?, path: WorkspacePath, kind: Kind, isCached: Bool, isPersistent: Bool, location: SourceLocation
  ) {
    self.name = name
    self.path = path
    self.kind = kind
    self.isCached = isCached
    self.isPersistent = isPersistent
    self.location = location
  }

  /// Metrics and plots are small and reports need them, so the store keeps them in either case.
  package var isStored: Bool { isCached || kind != .data }
}

/// A parameter that a stage names, with the value that was read along with the manifest.
package struct ParameterReference: Sendable, Equatable {
  package var file: WorkspacePath
  /// Dotted path; `nil` is the whole file.
  package var key: String?
  /// `nil` when the file or the key is not there (a stage may yet make it).
  package var value: ParameterValue?
  package var location: SourceLocation

  package init(file: WorkspacePath, key: String?, value: ParameterValue?, location: SourceLocation) {
    self.file = file
    self.key = key
    self.value = value
    self.location = location
  }
}

/// A key of a parameter file with the value it has now.
package struct Parameter: Sendable, Equatable {
  package var file: WorkspacePath
  /// Dotted path; `nil` is the whole file.
  package var key: String?
  package var value: ParameterValue

  package init(file: WorkspacePath, key: String?, value: ParameterValue) {
    self.file = file
    self.key = key
    self.value = value
  }
}
