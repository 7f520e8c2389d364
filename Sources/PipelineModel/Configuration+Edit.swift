// Changes to one configuration file, checked against all levels below it.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

extension Configuration {
  /// Changes the file of a level and gives the layer as it is to be written.
  ///
  /// Relative paths in it are rewritten in their shortest form, as DVC does.
  /// - Throws: what `change` throws; a `Diagnostic` when the result would not be a valid configuration, or outside a project.
  package func editing(
    _ level: ConfigurationLevel, _ change: (inout ConfigText) throws(Diagnostic) -> Void
  ) throws(Diagnostic) -> ConfigurationLayer {
    guard var layer = layer(level) else { throw Self.outside(level) }
    try change(&layer.text)
    rewritePaths(&layer)
    let weaker = layers.filter { $0.level <= level && $0.file != layer.file }
    try Configuration(weaker + [layer], paths: paths).check()
    return layer
  }

  private static func outside(_ level: ConfigurationLevel) -> Diagnostic {
    Diagnostic(
      .input, "the \(level.rawValue) configuration belongs to a project, and this folder is in none",
      hints: ["`--global` and `--system` work everywhere"])
  }

  private func rewritePaths(_ layer: inout ConfigurationLayer) {
    for section in layer.text.sections {
      let (kind, name) = section.parts
      for entry in section.entries where ConfigurationSchema.isPath(entry.key, in: name, kind: kind) {
        guard case .text(let path) = entry.value else { continue }
        layer.text.set(.text(paths.rewritten(path, in: layer.folder)), for: entry.key, in: name, kind: kind)
      }
    }
  }

  /// Sets an option. A relative path is taken from the current folder.
  package func setting(_ name: OptionName, to text: String, at level: ConfigurationLevel) throws(Diagnostic) -> ConfigurationLayer
  {
    let folder = layer(level)?.folder ?? ""
    let isPath = ConfigurationSchema.isPath(name.option, in: name.section, kind: name.kind)
    return try editing(level) { (text_) throws(Diagnostic) in
      text_.set(
        .text(isPath ? paths.written(text, in: folder) : text), for: name.option, in: name.section, kind: name.kind)
    }
  }

  /// Removes an option from one level.
  ///
  /// - Throws: a `Diagnostic` when that level does not set it.
  package func unsetting(_ name: OptionName, at level: ConfigurationLevel) throws(Diagnostic) -> ConfigurationLayer {
    try editing(level) { (text) throws(Diagnostic) in
      guard text.remove(name.option, in: name.section, kind: name.kind) else {
        throw Diagnostic(.input, "`\(name)` is not set in the \(level.rawValue) configuration")
      }
    }
  }

  /// Every section and option must be known and of its kind.
  ///
  /// - Throws: the first that is not.
  package func check() throws(Diagnostic) {
    for layer in layers {
      for section in layer.text.sections { try check(section, of: layer) }
    }
  }

  private func check(_ section: ConfigText.Section, of layer: ConfigurationLayer) throws(Diagnostic) {
    let (kind, name) = section.parts
    guard let known = try known(kind, name) else {
      let near = closestMatch(to: name, among: Array(ConfigurationSchema.plain.keys))
      throw Diagnostic(
        .input, "section `\(name)` is not known", at: SourceLocation(file: layer.file),
        hints: [
          near.map { "did you mean `\($0)`?" }
            ?? "sections are \(ConfigurationSchema.plain.keys.sorted().joined(separator: ", "))"
        ])
    }
    for entry in section.entries {
      let option = OptionName(kind: kind, section: name, option: entry.key)
      guard let kind = known[entry.key] else {
        let near = closestMatch(to: entry.key, among: Array(known.keys))
        throw Diagnostic(
          .input, "option `\(option)` is not known", at: SourceLocation(file: layer.file),
          hints: near.map { ["did you mean `\($0)`?"] } ?? [])
      }
      if let wanted = kind.complaint(about: entry.value) {
        throw Diagnostic(
          .input, "`\(option)` is `\(entry.value.items.joined(separator: ", "))`, which is not \(wanted)",
          at: SourceLocation(file: layer.file))
      }
    }
  }

  private func known(_ kind: String?, _ name: String) throws(Diagnostic) -> [String: OptionKind]? {
    guard let kind else { return ConfigurationSchema.plain[name] }
    guard kind == "remote" else { return ConfigurationSchema.named[kind] }
    guard case .text(let url)? = value(OptionName(kind: kind, section: name, option: "url"))?.value else {
      throw Diagnostic(.input, "remote `\(name)` has no `url`", hints: ["`pipe remote add \(name) URL` sets it"])
    }
    let scheme = ConfigurationPaths.scheme(of: url)
    guard let known = ConfigurationSchema.remote(scheme: scheme) else {
      throw Diagnostic(.input, "remote `\(name)` has a url of a kind that is not known: `\(scheme)://`")
    }
    return known
  }
}

extension ConfigurationPaths {
  /// `s3` of `s3://bucket/key`; empty for a path, and for a url without a host.
  package static func scheme(of url: String) -> String {
    guard isURL(url), let mark = url.firstRange(of: "://") else { return "" }
    let host = url[mark.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    return host.isEmpty ? "" : url[..<mark.lowerBound].lowercased()
  }
}

// MARK: Remotes

extension Configuration {
  /// - Parameters:
  ///   - isDefault: also make it the default.
  ///   - replaces: whether one of this name may be there.
  package func addingRemote(
    _ name: String, url: String, isDefault: Bool, replaces: Bool, at level: ConfigurationLevel
  ) throws(Diagnostic) -> ConfigurationLayer {
    let folder = layer(level)?.folder ?? ""
    return try editing(level) { (text) throws(Diagnostic) in
      if text.section(name, kind: "remote") != nil, !replaces {
        throw Diagnostic(.input, "remote `\(name)` is there already", hints: ["`--force` replaces it"])
      }
      // In its old place, with the url alone.
      let place = text.makeSection(name, kind: "remote")
      text.sections[place].entries = []
      text.set(.text(paths.written(url, in: folder)), for: "url", in: name, kind: "remote")
      if isDefault { text.set(.text(name), for: "remote", in: "core") }
    }
  }

  /// - Parameter value: `nil` removes the option.
  package func modifyingRemote(
    _ name: String, option: String, value: String?, at level: ConfigurationLevel
  ) throws(Diagnostic) -> ConfigurationLayer {
    let folder = layer(level)?.folder ?? ""
    let isKnown = layers.contains { $0.level <= level && $0.text.section(name, kind: "remote") != nil }
    return try editing(level) { (text) throws(Diagnostic) in
      guard isKnown else { throw unknownRemote(name) }
      text.makeSection(name, kind: "remote")
      guard let value else {
        text.remove(option, in: name, kind: "remote")
        return
      }
      let isPath = ConfigurationSchema.isPath(option, in: name, kind: "remote")
      text.set(.text(isPath ? paths.written(value, in: folder) : value), for: option, in: name, kind: "remote")
    }
  }

  /// Removes a remote from one level, and from there to the strongest level the default that named it.
  ///
  /// - Returns: the layers to write; DVC writes those of the stronger levels too, changed or not.
  package func removingRemote(_ name: String, at level: ConfigurationLevel) throws(Diagnostic) -> [ConfigurationLayer] {
    let removed = try editing(level) { (text) throws(Diagnostic) in
      guard text.section(name, kind: "remote") != nil else { throw unknownRemote(name) }
      text.removeSection(name, kind: "remote")
      Self.rename(name, to: nil, in: &text)
    }
    return [removed] + renamingDefault(above: level, name, to: nil)
  }

  package func renamingRemote(_ name: String, to new: String, at level: ConfigurationLevel) throws(Diagnostic)
    -> [ConfigurationLayer]
  {
    guard !remoteNames.contains(new) else { throw Diagnostic(.input, "remote `\(new)` is there already") }
    let renamed = try editing(level) { (text) throws(Diagnostic) in
      guard var section = text.section(name, kind: "remote") else { throw unknownRemote(name) }
      text.removeSection(name, kind: "remote")
      section.name = "remote \"\(new)\""
      text.sections.append(section)
      Self.rename(name, to: new, in: &text)
    }
    return [renamed] + renamingDefault(above: level, name, to: new)
  }

  /// Makes a remote the default of a level; `nil` unsets it.
  package func settingDefaultRemote(_ name: String?, at level: ConfigurationLevel) throws(Diagnostic) -> ConfigurationLayer {
    let isKnown = layers.contains { $0.level <= level && name.map($0.text.names(of: "remote").contains) ?? true }
    return try editing(level) { (text) throws(Diagnostic) in
      guard isKnown else { throw unknownRemote(name ?? "") }
      guard let name else {
        text.remove("remote", in: "core")
        return
      }
      text.set(.text(name), for: "remote", in: "core")
    }
  }

  private func renamingDefault(above level: ConfigurationLevel, _ name: String, to new: String?) -> [ConfigurationLayer] {
    layers.filter { $0.level > level }.map { layer in
      var layer = layer
      Self.rename(name, to: new, in: &layer.text)
      rewritePaths(&layer)
      return layer
    }
  }

  private static func rename(_ name: String, to new: String?, in text: inout ConfigText) {
    guard text.value("remote", in: "core") == .text(name) else { return }
    if let new { text.set(.text(new), for: "remote", in: "core") } else { text.remove("remote", in: "core") }
  }

  private func unknownRemote(_ name: String) -> Diagnostic {
    let near = closestMatch(to: name, among: remoteNames)
    return Diagnostic(
      .input, "remote `\(name)` is not known",
      hints: [near.map { "did you mean `\($0)`?" } ?? "`pipe remote list` shows the remotes"])
  }
}
