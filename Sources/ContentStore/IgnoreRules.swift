// What a project leaves out: the patterns of its ignore files, as DVC reads them.
// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// The ignore files of a workspace, each read when a path below its folder is asked for.
///
/// The syntax is that of `.gitignore`, with what DVC makes of it: lines are stripped, rules of nested files are rewritten
/// to the root, a file below an ignored folder cannot be brought back, and a folder that is a project of its own is left out.
package final class IgnoreRules: Sendable {
  /// A rule that a path met.
  package struct Match: Sendable, Equatable {
    /// Relative to the root; empty for a rule that is always there.
    package let file: String
    /// From 1; 0 for a rule that is always there.
    package let line: Int
    package let pattern: String
    /// Whether the rule brings paths back.
    package let isNegated: Bool

    /// `file:line:pattern`, as `check-ignore --details` prints it.
    package var text: String {
      if file.isEmpty { return line == 0 ? ":\(pattern)" : pattern }
      return "\(file):\(line):\(pattern)"
    }
  }

  /// Whether a path is left out, with the rules that decided.
  package struct Verdict: Sendable, Equatable {
    package var isIgnored = false
    package var matches: [Match] = []
  }

  private let root: String
  let fileName: String
  private let markerFolder: String
  /// Ignore files by path, of a state that is not on the disk; `nil` is the workspace as it is.
  private let texts: [String: [UInt8]]?
  private let folders: Mutex<[String: RuleList]>

  /// - Parameters:
  ///   - root: absolute path of the workspace.
  ///   - fileName: `.dvcignore` or `.pipeignore`.
  ///   - markerFolder: what a project of its own has at its root; left out itself, as `.git` and `.hg` are.
  ///   - texts: bytes of each ignore file by its path, where they are not those of the workspace.
  package init(
    root: String, fileName: String = ".dvcignore", markerFolder: String = ".dvc", texts: [String: [UInt8]]? = nil
  ) {
    self.root = root
    self.texts = texts
    self.fileName = fileName
    self.markerFolder = markerFolder
    var rules: [Rule] = []
    for pattern in [".hg/", ".git/", ".git", "\(markerFolder)/"] + (markerFolder == ".pipe" ? [".dvc/"] : []) {
      if let rule = Rule(pattern, Match(file: "", line: 0, pattern: pattern, isNegated: false)) { rules.append(rule) }
    }
    let always = RuleList(rules, isUsual: true)
    folders = Mutex(["": Self.extended(always, by: Self.lines(of: fileName, root, texts), file: fileName, folder: "")])
  }

  package func isIgnored(_ path: String, isDirectory: Bool) -> Bool { verdict(path, isDirectory: isDirectory).isIgnored }

  /// What becomes of a path.
  ///
  /// - Parameter path: relative to the root, normalised.
  package func verdict(_ path: String, isDirectory: Bool) -> Verdict {
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    return rules(in: slash.map { String(path[..<$0]) } ?? "").verdict(path, isDirectory: isDirectory, isProject: isProject)
  }

  /// The rules for the names in a folder.
  ///
  /// - Parameter folder: relative to the root; empty is the root.
  func rules(in folder: String) -> RuleList {
    if let known = folders.withLock({ $0[folder] }) { return known }
    let slash = folder.utf8.lastIndex(of: UInt8(ascii: "/"))
    let above = rules(in: slash.map { String(folder[..<$0]) } ?? "")
    let file = "\(folder)/\(fileName)"
    var list = above
    if let lines = Self.lines(of: file, root, texts), !above.verdict(file, isDirectory: false, isProject: isProject).isIgnored {
      list = Self.extended(above, by: lines, file: file, folder: folder)
    }
    folders.withLock { $0[folder] = list }
    return list
  }

  /// Whether a folder, relative to the root, is a project of its own.
  func isProject(_ folder: String) -> Bool {
    texts == nil && FileStat("\(root)/\(folder)/\(markerFolder)", followingLinks: false) != nil
  }

  /// Whether no rule but those that are always there applies to names in a folder.
  private static func extended(_ list: RuleList, by lines: [String]?, file: String, folder: String) -> RuleList {
    guard let lines else { return list }
    var rules = list.rules
    for (index, line) in lines.enumerated() where !line.isEmpty && !line.utf8.starts(with: "#".utf8) {
      let match = Match(file: file, line: index + 1, pattern: line, isNegated: line.utf8.starts(with: "!".utf8))
      if let rule = Rule(folder.isEmpty ? line : Rule.moved(line, into: folder), match) { rules.append(rule) }
    }
    return RuleList(rules, isUsual: list.isUsual && rules.count == list.rules.count)
  }

  /// Stripped lines; `nil` when the file is not there or no text.
  private static func lines(of path: String, _ root: String, _ texts: [String: [UInt8]]?) -> [String]? {
    let found = texts.map { $0[path] } ?? (try? AtomicFile.read("\(root)/\(path)", limit: 1 << 24)) ?? nil
    guard let bytes = found, let text = String(validating: bytes, as: UTF8.self) else {
      return nil
    }
    var lines: [String] = []
    var line: [UInt8] = []
    var previous: UInt8 = 0
    for byte in text.utf8 {
      if byte == 10 || byte == 13 {
        if !(byte == 10 && previous == 13) {
          lines.append(stripped(line))
          line.removeAll(keepingCapacity: true)
        }
      } else {
        line.append(byte)
      }
      previous = byte
    }
    if !line.isEmpty { lines.append(stripped(line)) }
    return lines
  }

  private static func stripped(_ line: [UInt8]) -> String {
    let isSpace = { (scalar: Unicode.Scalar) in scalar.properties.isWhitespace || (28...31).contains(scalar.value) }
    let scalars = String(decoding: line, as: UTF8.self).unicodeScalars
    let rest = scalars.drop(while: isSpace)
    guard let last = rest.lastIndex(where: { !isSpace($0) }) else { return "" }
    return String(rest[...last])
  }
}

/// One line of an ignore file, compiled.
struct Rule: Sendable {
  let match: IgnoreRules.Match
  let ignores: Bool
  /// Whether the line ends in a slash, so that it is about folders alone.
  let isFolderRule: Bool
  private let test: Test

  private enum Test: Sendable {
    case everything
    case nothing
    /// A whole component that is this.
    case name(String)
    case glob(Glob)
  }

  /// - Parameter pattern: relative to the root; `nil` when the line says nothing, or is no pattern.
  init?(_ line: String, _ match: IgnoreRules.Match) {
    var pattern = Substring(line)
    guard !pattern.isEmpty, pattern.utf8.first != UInt8(ascii: "#"), pattern != "/" else { return nil }
    ignores = pattern.utf8.first != UInt8(ascii: "!")
    if !ignores { pattern = pattern.dropFirst() }
    var segments = pattern.split(separator: "/", omittingEmptySubsequences: false)
    let isFolder = segments.last?.isEmpty ?? true
    if segments[0].isEmpty {
      segments.removeFirst()
    } else if segments.count == 1 || (segments.count == 2 && segments[1].isEmpty) {
      if segments[0] != "**" { segments.insert("**", at: 0) }
    }
    guard let last = segments.last else { return nil }
    if last.isEmpty { segments[segments.count - 1] = "**" }
    segments = segments.enumerated().filter { $0.offset == 0 || $0.element != "**" || segments[$0.offset - 1] != "**" }.map(
      \.element)
    self.match = match
    isFolderRule = line.utf8.last == UInt8(ascii: "/")
    guard let test = Self.test(segments, isFolder: isFolder) else { return nil }
    self.test = test
  }

  private static func test(_ segments: [Substring], isFolder: Bool) -> Test? {
    switch segments {
    // DVC looks for the slash of `**/` and `*/` at the path's first byte, where there is none.
    case ["**"]: return isFolder ? .nothing : .everything
    case ["**", "*"]: return .everything
    case ["**", "*", "**"]: return .nothing
    default: break
    }
    if segments.count == 2, segments[0] == "**", segments[1] != "**",
      !segments[1].utf8.contains(where: { "*?[\\".utf8.contains($0) })
    {
      return .name(String(segments[1]))
    }
    if segments.count == 3, segments[0] == "**", segments[2] == "**",
      !segments[1].utf8.contains(where: { "*?[\\".utf8.contains($0) })
    {
      return .name(String(segments[1]))
    }
    return (try? Glob(segments, coversBelow: true)).map(Test.glob)
  }

  /// Whether the rule meets a path, read with a slash at its end or without.
  func meets(_ path: String, withSlash: Bool) -> Bool {
    switch test {
    case .everything: return true
    case .nothing: return false
    case .name(let name): return Self.hasComponent(path, name, mustBeFolder: isFolderRule && !withSlash)
    case .glob(let glob): return glob.matches(path, isFolder: withSlash)
    }
  }

  private static func hasComponent(_ path: String, _ name: String, mustBeFolder: Bool) -> Bool {
    withBytes(path) { path in
      withBytes(name) { name in
        var start = 0
        while start < path.count {
          var end = start
          while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
          if end - start == name.count, end < path.count || !mustBeFolder,
            UnsafeBufferPointer(rebasing: path[start..<end]).elementsEqual(name)
          {
            return true
          }
          start = end + 1
        }
        return false
      }
    }
  }

  /// A line of an ignore file in a folder, written for the root.
  static func moved(_ line: String, into folder: String) -> String {
    let isNegated = line.utf8.first == UInt8(ascii: "!")
    var rule = Substring(line).dropFirst(isNegated ? 1 : 0)
    let isAnchored = rule.dropLast().utf8.contains(UInt8(ascii: "/")) && !rule.hasPrefix("**/")
    if isAnchored, rule.utf8.first == UInt8(ascii: "/") { rule = rule.dropFirst() }
    if !isAnchored, rule.hasPrefix("**/") { rule = rule.dropFirst(3) }
    if rule.utf8.first == UInt8(ascii: "\\") { rule = rule.dropFirst() }
    return "\(isNegated ? "!/" : "")\(folder)\(isAnchored ? "/" : "/**/")\(rule)"
  }
}

/// The rules that hold in a folder, in their order; later ones win.
struct RuleList: Sendable {
  let rules: [Rule]
  /// Whether these are only the rules that are always there.
  let isUsual: Bool
  /// Neighbours that ignore alike are looked through from the first, as DVC does; it decides which rule is named.
  private let groups: [Range<Int>]

  init(_ rules: [Rule], isUsual: Bool) {
    self.rules = rules
    self.isUsual = isUsual
    var groups: [Range<Int>] = []
    for index in rules.indices {
      if let last = groups.last, rules[index].ignores, rules[last.lowerBound].ignores,
        rules[index].isFolderRule == rules[last.lowerBound].isFolderRule
      {
        groups[groups.count - 1] = last.lowerBound..<(index + 1)
      } else {
        groups.append(index..<(index + 1))
      }
    }
    self.groups = groups
  }

  func verdict(_ path: String, isDirectory: Bool, isProject: (String) -> Bool) -> IgnoreRules.Verdict {
    var verdict = IgnoreRules.Verdict()
    var end = path.startIndex
    while true {
      end = path.utf8[end...].firstIndex(of: UInt8(ascii: "/")) ?? path.endIndex
      let isLast = end == path.endIndex
      let part = isLast ? path : String(path[..<end])
      let isFolder = isDirectory || !isLast
      if isFolder, isProject(part) {
        let name = part.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? part
        return IgnoreRules.Verdict(
          isIgnored: true, matches: [IgnoreRules.Match(file: "", line: -1, pattern: "in sub_repo:\(name)", isNegated: false)])
      }
      if let rule = rule(for: part, isDirectory: isFolder) {
        verdict.isIgnored = rule.ignores
        if isLast || rule.ignores { verdict.matches.append(rule.match) }
      } else {
        verdict.isIgnored = false
      }
      if isLast || verdict.isIgnored { return verdict }
      end = path.utf8.index(after: end)
    }
  }

  /// The rule that decides a path, not looking at the folders above it.
  func rule(for path: String, isDirectory: Bool) -> Rule? {
    for group in groups.reversed() {
      if rules[group.lowerBound].isFolderRule, !isDirectory { continue }
      if let rule = rules[group].first(where: { $0.meets(path, withSlash: false) }) { return rule }
      if isDirectory, let rule = rules[group].first(where: { $0.meets(path, withSlash: true) }) { return rule }
    }
    return nil
  }
}
