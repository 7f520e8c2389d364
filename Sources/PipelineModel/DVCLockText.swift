// The text of `dvc.lock`: read as a whole, changed entry by entry.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

/// The entries of a `dvc.lock`, by local stage name, in the order of the file.
package struct DVCLock: Sendable {
  package private(set) var entries: [(name: String, entry: DVCLockEntry)]
  private var places: [String: Int]

  package init(entries: [(name: String, entry: DVCLockEntry)] = []) {
    self.entries = []
    places = [:]
    for (name, entry) in entries { self[name] = entry }
  }

  /// Adds an entry at the end; says whether there was none of its name.
  mutating func append(_ name: String, _ entry: DVCLockEntry) -> Bool {
    guard places.updateValue(entries.count, forKey: name) == nil else { return false }
    entries.append((name, entry))
    return true
  }

  /// A new entry goes to the end.
  package subscript(name: String) -> DVCLockEntry? {
    get { places[name].map { entries[$0].entry } }
    set {
      if let place = places[name] {
        if let newValue {
          entries[place].entry = newValue
        } else {
          entries.remove(at: place)
          places = Dictionary(uniqueKeysWithValues: entries.indices.map { (entries[$0].name, $0) })
        }
      } else if let newValue {
        places[name] = entries.count
        entries.append((name, newValue))
      }
    }
  }
}

package enum DVCLockText {
  /// Reads the text.
  ///
  /// - Throws: all mistakes; a lock file that cannot be read is never taken for an empty one. Keys that are not DVC's are
  ///   passed over.
  package static func read(_ text: String, file: String) throws(DiagnosticList) -> DVCLock {
    if let lock = DVCLockScan.read(text, file: file) { return lock }
    return try readAsYAML(text, file: file)
  }

  /// The same, whatever the text looks like.
  package static func readAsYAML(_ text: String, file: String) throws(DiagnosticList) -> DVCLock {
    let stages = try stages(of: text, file: file)
    var reader = DVCRowReader(file: file)
    var lock = DVCLock()
    guard let stages else { return lock }
    for (key, value) in reader.pairs(stages, of: "`stages`") ?? [] {
      if let entry = reader.entry(value, of: "the entry of stage `\(key.text)`") { lock[key.text] = entry }
    }
    try reader.mistakes.throwIfErrors()
    return lock
  }

  /// The value of `stages`, after the checks that concern the file as a whole.
  static func stages(of text: String, file: String) throws(DiagnosticList) -> YAMLNode? {
    var (tree, mistakes) = YAMLReader.read(text, file: file)
    if mistakes.hasErrors {
      let hints = hasConflict(text) ? ["the file holds the marks of a merge conflict: settle it first"] : recovery
      throw DiagnosticList(
        mistakes.diagnostics.map {
          Diagnostic($0.category, $0.message, at: $0.location, causes: $0.causes, hints: $0.hints + hints)
        })
    }
    guard let tree, tree.value != .null else {
      throw DiagnosticList([Diagnostic(.input, "the lock file is empty", at: SourceLocation(file: file), hints: recovery)])
    }
    if tree.pairs == nil {
      mistakes.add(
        Diagnostic(
          .input, "the lock file has to be a mapping, not \(tree.kindName)", at: tree.location(in: file), hints: recovery))
    } else if let schema = tree["schema"] {
      if schema.value != .text("2.0") {
        mistakes.add(
          Diagnostic(
            .input, "`schema` has to be `'2.0'`, in quotes", at: schema.location(in: file),
            causes: ["DVC reads no other, and takes a number for another"]))
      }
    } else {
      mistakes.add(
        Diagnostic(
          .input, "the lock file has no `schema`", at: tree.location(in: file),
          causes: ["DVC 1 wrote lock files without one; DVC 2 and later do not read them"],
          hints: ["`dvc commit` of DVC 2 rewrites it, or remove the file and run `pipe repro`"]))
    }
    try mistakes.throwIfErrors()
    return tree["stages"]
  }

  private static func hasConflict(_ text: String) -> Bool {
    text.utf8.starts(with: "<<<<<<< ".utf8) || text.contains("\n<<<<<<< ")
  }

  private static let recovery = [
    "take the file from Git (`git checkout -- dvc.lock`), or remove it: `pipe repro` then restores what it knows"
  ]
}

// MARK: changes

extension DVCLockText {
  /// The text with entries replaced, added at the end in the order given, and removed.
  ///
  /// All other lines stay byte for byte, comments between entries among them; a comment within a replaced entry goes with it.
  ///
  /// - Parameters:
  ///   - text: the file's text; `nil` when there is none.
  ///   - file: for messages.
  /// - Returns: `nil` when no entry is left, as DVC then removes the file.
  /// - Throws: the mistakes that keep the text from being understood.
  /// - Complexity: linear in the text; a text as DVC writes it is not parsed.
  package static func updating(
    _ text: String?, replacing: [(name: String, entry: DVCLockEntry)], removing: [String] = [], file: String = "dvc.lock"
  ) throws(DiagnosticList) -> String? {
    let blocks = replacing.map { ($0.name, $0.entry.tree) }
    guard let text, text.utf8.contains(where: { $0 != 10 && $0 != 13 && $0 != 32 }) else {
      return replacing.isEmpty ? nil : RoundTripYAML.text(.mapping([("schema", .text("2.0")), ("stages", .mapping(blocks))]))
    }
    var section: YAMLSection
    if let quick = YAMLSection(scanning: text, key: "stages") {
      section = quick
    } else {
      section = try careful(text, file: file)
    }
    return section.applying(replacing: blocks, removing: removing)
  }

  /// The section by the places that the YAML reader gives.
  private static func careful(_ text: String, file: String) throws(DiagnosticList) -> YAMLSection {
    _ = try stages(of: text, file: file)
    guard let section = YAMLSection(parsing: text, key: "stages") else {
      throw DiagnosticList([Diagnostic(.input, "`stages` has to be a mapping", at: SourceLocation(file: file))])
    }
    return section
  }
}
