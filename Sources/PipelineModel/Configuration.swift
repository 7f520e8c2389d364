// What the configuration files say together: the nearest level wins.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

/// Whose settings a configuration file holds; a later case wins over an earlier one.
package enum ConfigurationLevel: String, Sendable, CaseIterable, Comparable {
  case system, global, project, local

  package static func < (a: Self, b: Self) -> Bool {
    (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
  }
}

/// `core.autostage`, or with a kind `remote.store.url`; all in lower case.
package struct OptionName: Sendable, Equatable, CustomStringConvertible {
  /// `remote` or `db`; `nil` for a plain section.
  package var kind: String?
  package var section: String
  package var option: String

  package init(kind: String? = nil, section: String, option: String) {
    self.kind = kind
    self.section = section
    self.option = option
  }

  /// - Returns: `nil` unless the text is `section.option`, `remote.name.option` or `db.name.option`.
  package init?(_ text: String) {
    let parts = text.lowercased().split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    switch parts.count {
    case 2: self.init(section: parts[0], option: parts[1])
    case 3 where ["remote", "db"].contains(parts[0]): self.init(kind: parts[0], section: parts[1], option: parts[2])
    default: return nil
    }
  }

  package var description: String { [kind, section, option].compactMap { $0 }.joined(separator: ".") }

  fileprivate var isPath: Bool { ConfigurationSchema.isPath(option, in: section, kind: kind) }
}

/// Folders that paths in configuration files and on the command line are relative to. All absolute, no `/` at the end.
package struct ConfigurationPaths: Sendable, Equatable {
  package var home: String
  /// The folder that the command runs in.
  package var current: String

  package init(home: String, current: String) {
    self.home = home
    self.current = current
  }

  /// What a path in a file means: a url and an absolute path stay, `~` is the home folder, all else is relative to the file's folder.
  package func resolve(_ path: String, in folder: String) -> String {
    if Self.isURL(path) || path.hasPrefix("/") { return path }
    if let expanded = expandingHome(path) { return expanded }
    return Self.normal("\(folder)/\(path)")
  }

  /// What is written for a path that a person typed: relative ones are turned from the current folder to the file's.
  package func written(_ typed: String, in folder: String) -> String {
    if Self.isURL(typed) || typed.hasPrefix("/") || expandingHome(typed) != nil { return typed }
    return Self.relative(Self.normal("\(current)/\(typed)"), to: folder)
  }

  /// What a rewrite of the file leaves of a path in it: `./../x` becomes `../x`.
  func rewritten(_ path: String, in folder: String) -> String {
    if Self.isURL(path) || path.hasPrefix("/") || expandingHome(path) != nil { return path }
    return Self.relative(Self.normal("\(folder)/\(path)"), to: folder)
  }

  private func expandingHome(_ path: String) -> String? {
    path == "~" ? home : path.hasPrefix("~/") ? home + path.dropFirst() : nil
  }

  /// Whether the text begins with `scheme://`.
  static func isURL(_ text: String) -> Bool {
    guard let mark = text.firstRange(of: "://"), mark.lowerBound > text.startIndex else { return false }
    return text[..<mark.lowerBound].unicodeScalars.allSatisfy {
      $0.properties.isAlphabetic || $0 == "_" || ("0"..."9").contains($0)
    }
  }

  /// An absolute path without `.`, `..`, and doubled `/`.
  package static func normal(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }

  /// A normal absolute path as seen from a folder; `.` for the folder itself.
  package static func relative(_ path: String, to folder: String) -> String {
    let target = path.split(separator: "/")
    let start = normal(folder).split(separator: "/")
    let shared = zip(target, start).prefix { $0 == $1 }.count
    let parts = [Substring](repeating: "..", count: start.count - shared) + target.dropFirst(shared)
    return parts.isEmpty ? "." : parts.joined(separator: "/")
  }
}

/// One configuration file.
package struct ConfigurationLayer: Sendable, Equatable {
  package var level: ConfigurationLevel
  /// Absolute.
  package var file: String
  package var text: ConfigText

  package init(level: ConfigurationLevel, file: String, text: ConfigText) {
    self.level = level
    self.file = file
    self.text = text
  }

  package var folder: String { file.lastIndex(of: "/").map { String(file[..<$0]) } ?? "." }
}

/// All levels, and what they say together.
package struct Configuration: Sendable, Equatable {
  /// From the weakest to the strongest.
  package private(set) var layers: [ConfigurationLayer]
  package var paths: ConfigurationPaths

  package init(_ layers: [ConfigurationLayer], paths: ConfigurationPaths) {
    self.layers = layers.sorted { $0.level < $1.level }
    self.paths = paths
  }

  /// The layer of a level that edits go to; `nil` outside a project for the levels that a project has.
  ///
  /// Of two files of one level the later one is stronger.
  package func layer(_ level: ConfigurationLevel) -> ConfigurationLayer? { layers.last { $0.level == level } }

  /// An option as the strongest level sets it, with paths resolved.
  package func value(_ name: OptionName) -> (value: ConfigText.Value, layer: ConfigurationLayer)? {
    for layer in layers.reversed() { if let value = value(name, at: layer) { return (value, layer) } }
    return nil
  }

  /// An option as one file sets it, with paths resolved.
  package func value(_ name: OptionName, at layer: ConfigurationLayer) -> ConfigText.Value? {
    guard let value = layer.text.value(name.option, in: name.section, kind: name.kind) else { return nil }
    guard name.isPath, case .text(let path) = value else { return value }
    return .text(paths.resolve(path, in: layer.folder))
  }

  /// Everything that one file sets, in the order in which DVC lists it: named sections first.
  package func options(at layer: ConfigurationLayer) -> [(name: OptionName, value: ConfigText.Value)] {
    let sections = layer.text.sections
    let named = ConfigText.namedKinds.flatMap { kind in sections.filter { $0.parts.kind == kind } }
    return (named + sections.filter { $0.parts.kind == nil }).flatMap { section in
      section.entries.compactMap { entry -> (name: OptionName, value: ConfigText.Value)? in
        let name = OptionName(kind: section.parts.kind, section: section.parts.name, option: entry.key)
        return value(name, at: layer).map { (name, $0) }
      }
    }
  }

  /// Names of all remotes, those of the weakest level first.
  package var remoteNames: [String] {
    var seen: Set<String> = []
    return layers.flatMap { $0.text.names(of: "remote") }.filter { seen.insert($0).inserted }
  }

  package subscript(option: String) -> String? {
    guard let name = OptionName(option), case .text(let text)? = value(name)?.value else { return nil }
    return text
  }

  func flag(_ option: String, default standard: Bool) -> Bool { self[option].map { $0.lowercased() == "true" } ?? standard }
}

// MARK: What the rest of the program asks

/// A remote with what is known of it.
package struct RemoteSettings: Sendable, Equatable {
  package var name: String
  /// An absolute path, or `scheme://…`.
  package var url: String
  /// Transfers at once; `nil` leaves the choice.
  package var jobs: Int?
  /// Whether what comes from it is hashed again.
  package var isVerified: Bool
  package var isVersionAware: Bool

  package init(name: String, url: String, jobs: Int?, isVerified: Bool, isVersionAware: Bool) {
    self.name = name
    self.url = url
    self.jobs = jobs
    self.isVerified = isVerified
    self.isVersionAware = isVersionAware
  }
}

extension Configuration {
  package var defaultRemote: String? { self["core.remote"]?.lowercased() }
  /// Whether files that `pipe` writes are added to Git's index.
  package var isAutostaging: Bool { flag("core.autostage", default: false) }
  package var hasNoSourceControl: Bool { flag("core.no_scm", default: false) }
  package var checksumJobs: Int? { self["core.checksum_jobs"].flatMap(Int.init) }
  package var siteCacheFolder: String? { self["core.site_cache_dir"] }
  /// Absolute; `nil` is the place inside the project's state.
  package var cacheFolder: String? { self["cache.dir"] }
  /// How files are linked, best first.
  package var cacheTypes: [String] {
    value(OptionName(section: "cache", option: "type"))?.value.items ?? ["reflink", "copy"]
  }
  package var isCacheShared: Bool { self["cache.shared"]?.lowercased() == "group" }
  package var isCacheVerified: Bool { flag("cache.verify", default: false) }
  package var warnsOfSlowLinks: Bool { flag("cache.slow_link_warning", default: true) }
  /// Whether a false value in a command's mapping is written as `--no-key`.
  package var unpacksFalseAsNo: Bool { self["parsing.bool"]?.lowercased() == "boolean_optional" }
  /// Whether a list in a command's mapping is written as `--key a --key b`.
  package var repeatsListOptions: Bool { self["parsing.list"]?.lowercased() == "append" }
  package var plotsFolder: String? { self["plots.out_dir"] }
  package var plotsTemplate: String? { self["plots.html_template"] }
  package var opensPlots: Bool { flag("plots.auto_open", default: false) }

  /// The remote of this name, or the default one.
  ///
  /// - Throws: a `Diagnostic` when there is no such remote, or no default.
  package func remote(_ name: String? = nil) throws(Diagnostic) -> RemoteSettings {
    guard let name = name?.lowercased() ?? defaultRemote else {
      throw Diagnostic(
        .input, "no remote is set", hints: ["`pipe remote add --default NAME URL` sets one", "or name one with `--remote`"])
    }
    func option(_ key: String) -> String? { self["remote.\(name).\(key)"] ?? named(name, key) }
    guard let url = option("url") else {
      let near = closestMatch(to: name, among: remoteNames)
      throw Diagnostic(
        .input, "remote `\(name)` is not known",
        hints: [near.map { "did you mean `\($0)`?" } ?? "`pipe remote list` shows the remotes"])
    }
    if case .text("")? = value(OptionName(kind: "remote", section: name, option: "url"))?.value {
      throw Diagnostic(
        .input, "remote `\(name)` has an empty url", hints: ["`pipe remote modify \(name) url FOLDER` says where it is"])
    }
    return RemoteSettings(
      name: name, url: url, jobs: option("jobs").flatMap(Int.init), isVerified: option("verify")?.lowercased() == "true",
      isVersionAware: option("version_aware")?.lowercased() == "true")
  }

  /// For names that hold a dot, which `OptionName` does not read.
  private func named(_ name: String, _ key: String) -> String? {
    guard case .text(let text)? = value(OptionName(kind: "remote", section: name, option: key))?.value else { return nil }
    return text
  }
}
