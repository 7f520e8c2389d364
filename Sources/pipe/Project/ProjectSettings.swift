// What the configuration files say that the commands need.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import PipelineModel

struct ProjectSettings: Sendable {
  let configuration: Configuration
  /// Absolute paths of the files that were read or looked for in vain.
  let files: [String]

  static func read(root: String, dialect: Dialect, here: String) throws -> ProjectSettings {
    let files = ConfigurationFiles(root: root, dialect: dialect, current: here)
    return ProjectSettings(configuration: try files.read(), files: files.all)
  }

  /// Absolute; `nil` is the dialect's place.
  var cacheFolder: String? { configuration.cacheFolder }
  var isCacheShared: Bool { configuration.isCacheShared }
  var isAutostaged: Bool { configuration.isAutostaging }
  /// DVC's lock is a hard link, for file systems without other locks.
  var usesHardLinkLock: Bool { configuration["core.hardlink_lock"]?.lowercased() == "true" }
  var usesGit: Bool { !configuration.hasNoSourceControl }
  var interpolation: InterpolationSettings {
    InterpolationSettings(
      flags: configuration.unpacksFalseAsNo ? .booleanOptional : .storeTrue,
      lists: configuration.repeatsListOptions ? .append : .nargs)
  }
}
