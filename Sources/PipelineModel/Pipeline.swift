// The stages that a person declared, as values.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import Diagnostics

/// All that `pipeline.yaml` says.
package struct Pipeline: Sendable {
  /// The manifest's file name, for messages.
  package var file: String
  package var title: String?
  package var description: String?
  /// In the order of the file.
  package var stages: [Stage]
  /// `report:`: role → path of the document that the report shows in that role.
  package var reportSources: [(role: String, path: WorkspacePath)]
  /// `models:`: what the registry takes from this pipeline.
  package var models: [ModelDeclaration]

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

/// A named command or notebook with declared dependencies, parameters and outputs.
package struct Stage: Sendable {
  package enum Work: Sendable, Equatable {
    /// Each command runs in a shell of its own; the first that fails ends the stage.
    case commands([String])
    case notebook(WorkspacePath)
  }

  package var name: String
  package var location: SourceLocation
  package var work: Work
  /// Folder that the work runs in; `nil` is the project's.
  package var workingDirectory: WorkspacePath?
  package var dependencies: [Dependency]
  package var outputs: [Output]
  package var parameters: [Parameter]
  package var environment: [EnvironmentVariable]
  package var description: String?
  package var isFrozen: Bool
  package var alwaysChanged: Bool

  package init(
    name: String, location: SourceLocation, work: Work, workingDirectory: WorkspacePath? = nil,
    dependencies: [Dependency] = [], outputs: [Output] = [], parameters: [Parameter] = [],
    environment: [EnvironmentVariable] = [], description: String? = nil, isFrozen: Bool = false, alwaysChanged: Bool = false
  ) {
    self.name = name
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

    package var text: String {
      switch self {
      case .workspace(let path): path.text
      case .external(let path): path
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
