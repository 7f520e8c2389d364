// Changes of a manifest's text that commands make: freeze, add, replace and remove a stage.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

/// Lines that do not change stay byte for byte. Comments are lost with what they stand in: a stage that is removed, or a list
/// that gets another length, as DVC loses them.
package enum YAMLEdit {
  /// The text with `frozen: true` in a stage, or without it.
  ///
  /// - Parameters:
  ///   - stage: its name in this file; of a `foreach` or `matrix` stage the name of all.
  /// - Throws: the mistakes of the text, or that there is no such stage.
  package static func settingFrozen(
    _ isFrozen: Bool, stage: String, in text: String, file: String
  ) throws(DiagnosticList) -> String {
    let entry = try declaration(of: stage, in: text, file: file)
    let isTemplate = entry["do"]?.pairs != nil
    guard let pairs = (isTemplate ? entry["do"] : entry)?.pairs else {
      throw mistake("stage `\(stage)` has to be a mapping", at: entry.location(in: file))
    }
    var new = pairs.map { ($0.key.text, $0.value.dvcValue) }
    let place = new.firstIndex { $0.0 == "frozen" }
    switch (isFrozen, place) {
    case (true, let place?): new[place].1 = .bool(true)
    case (true, nil): new.append(("frozen", .bool(true)))
    case (false, let place?): new.remove(at: place)
    case (false, nil): return text
    }
    let path = ["stages", stage] + (isTemplate ? ["do"] : [])
    guard let changed = YAMLPatch.apply(new, to: text, at: path) else {
      throw mistake("stage `\(stage)` cannot be changed", at: entry.location(in: file))
    }
    return changed
  }

  /// The text with a stage after the last one.
  ///
  /// - Parameter text: `nil` when there is no file.
  /// - Throws: the mistakes of the text, or that the name is taken.
  package static func adding(
    _ stage: StageDraft, named name: String, to text: String?, file: String
  ) throws(DiagnosticList) -> String {
    let new = (name, ParameterValue.mapping(stage.pairs))
    guard let text, text.utf8.contains(where: { $0 > 32 }) else {
      return RoundTripYAML.text(.mapping([("stages", .mapping([new]))]))
    }
    let section = try section(of: text, file: file)
    if section.entries.contains(where: { $0.name == name }) {
      throw mistake(
        "stage `\(name)` is there already", at: SourceLocation(file: file), hints: ["`--force` replaces it"])
    }
    return section.applying(replacing: [new]) ?? text
  }

  /// The text in which a stage that is there says what the new one does; its place and the comments in it stay.
  ///
  /// - Throws: the mistakes of the text, or that there is no such stage.
  package static func replacing(
    _ name: String, with stage: StageDraft, in text: String, file: String
  ) throws(DiagnosticList) -> String {
    let entry = try declaration(of: name, in: text, file: file)
    if entry.pairs?.isEmpty == false, let changed = YAMLPatch.apply(stage.pairs, to: text, at: ["stages", name]) {
      return changed
    }
    return try section(of: text, file: file).applying(replacing: [(name, .mapping(stage.pairs))]) ?? text
  }

  /// The text without a stage; `nil` when nothing is left that the file would say, as it then goes.
  ///
  /// - Throws: the mistakes of the text, or that there is no such stage.
  package static func removing(_ name: String, from text: String, file: String) throws(DiagnosticList) -> String? {
    _ = try declaration(of: name, in: text, file: file)
    return try section(of: text, file: file).applying(replacing: [], removing: [name])
  }

  private static func section(of text: String, file: String) throws(DiagnosticList) -> YAMLSection {
    let (_, mistakes) = YAMLReader.read(text, file: file)
    try mistakes.throwIfErrors()
    guard let section = YAMLSection(parsing: text, key: "stages") else {
      throw mistake("`stages` has to be a mapping", at: SourceLocation(file: file))
    }
    return section
  }

  private static func declaration(of name: String, in text: String, file: String) throws(DiagnosticList) -> YAMLNode {
    let (tree, mistakes) = YAMLReader.read(text, file: file)
    try mistakes.throwIfErrors()
    if let entry = tree?["stages"]?[name] { return entry }
    let known = tree?["stages"]?.pairs?.map(\.key.text) ?? []
    let near = closestMatch(to: name, among: known).map { ["did you mean `\($0)`?"] } ?? []
    throw mistake("there is no stage `\(name)`", at: SourceLocation(file: file), hints: near)
  }

  private static func mistake(_ message: String, at location: SourceLocation, hints: [String] = []) -> DiagnosticList {
    DiagnosticList([Diagnostic(.input, message, at: location, hints: hints)])
  }
}
