// What the configuration files say that the commands need.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import PipelineModel

struct ProjectSettings: Sendable {
  let configuration: Configuration

  static func read(root: String, dialect: Dialect, here: String) throws -> ProjectSettings {
    ProjectSettings(configuration: try ConfigurationFiles(root: root, dialect: dialect, current: here).read())
  }

  /// Absolute; `nil` is the dialect's place.
  var cacheFolder: String? { configuration.cacheFolder }
  var isCacheShared: Bool { configuration.isCacheShared }
  var isAutostaged: Bool { configuration.isAutostaging }
  var usesGit: Bool { !configuration.hasNoSourceControl }
  var interpolation: InterpolationSettings {
    InterpolationSettings(
      flags: configuration.unpacksFalseAsNo ? .booleanOptional : .storeTrue,
      lists: configuration.repeatsListOptions ? .append : .nargs)
  }
}
