// What the configuration files say that the commands need.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Foundation
import PipelineModel

/// The levels of a project's configuration, read from where they lie.
struct ConfigurationFiles {
  let root: String
  let dialect: Dialect
  private let environment = ProcessInfo.processInfo.environment

  init(root: String, dialect: Dialect) {
    self.root = root
    self.dialect = dialect
  }

  /// Absolute path of a level's file, there or not.
  func file(_ level: ConfigurationLevel) -> String {
    let name = dialect.isNative ? "pipe" : "dvc"
    let home = environment["HOME"] ?? "/"
    switch level {
    case .system: return (environment["DVC_SYSTEM_CONFIG_DIR"] ?? "/etc/xdg/\(name)") + "/config"
    case .global:
      let folder = environment["XDG_CONFIG_HOME"] ?? "\(home)/.config"
      return (environment["DVC_GLOBAL_CONFIG_DIR"] ?? "\(folder)/\(name)") + "/config"
    case .project: return "\(root)/\(dialect.markerFolder)/config"
    case .local: return "\(root)/\(dialect.markerFolder)/config.local"
    }
  }

  func read() throws -> Configuration {
    let layers = try ConfigurationLevel.allCases.compactMap { level -> ConfigurationLayer? in
      let file = file(level)
      guard let text = try AtomicFile.readText(file), !text.isEmpty else { return nil }
      return ConfigurationLayer(level: level, file: file, text: try ConfigText.read(text, file: file))
    }
    return Configuration(
      layers,
      paths: ConfigurationPaths(home: environment["HOME"] ?? "/", current: FileManager.default.currentDirectoryPath))
  }
}

struct ProjectSettings: Sendable {
  let configuration: Configuration

  static func read(root: String, dialect: Dialect) throws -> ProjectSettings {
    ProjectSettings(configuration: try ConfigurationFiles(root: root, dialect: dialect).read())
  }

  /// Absolute; `nil` is the dialect's place.
  var cacheFolder: String? { configuration.cacheFolder }
  var isCacheShared: Bool { configuration.isCacheShared }
  var isAutostaged: Bool { configuration.isAutostaging }
  var usesGit: Bool { !configuration.hasNoSourceControl }
  var interpolation: InterpolationSettings {
    InterpolationSettings(
      negatesFalse: configuration.unpacksFalseAsNo, repeatsLists: configuration.repeatsListOptions)
  }
}
