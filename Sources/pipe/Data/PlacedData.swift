// Which data `pipe` put in the workspace, so that `checkout` can take away what no stage and no pointer file names any more.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import PipelineModel

/// Paths with the digest that they had when `pipe` made or kept them. A file of lines, `md5:… path`.
struct PlacedData {
  private let file: String
  private let text: String
  private(set) var digests: [WorkspacePath: Digest] = [:]

  /// A file that is not there, or lines that are none of ours, count as nothing.
  init(of project: Project) throws {
    file = Self.file(of: project)
    text = try AtomicFile.readText(file) ?? ""
    for line in text.split(separator: "\n") {
      guard let blank = line.firstIndex(of: " "), let digest = Digest(line[..<blank]),
        let path = WorkspacePath(line[line.index(after: blank)...])
      else { continue }
      digests[path] = digest
    }
  }

  /// A path with a line break in it is not remembered: it is never taken away.
  mutating func add(_ path: WorkspacePath, _ digest: Digest) {
    if !path.text.utf8.contains(10) { digests[path] = digest }
  }

  /// Forgets data that is a link and is about to be a file of its own: that is a person's from then on.
  mutating func forget(_ path: WorkspacePath, in workspace: Workspace) {
    guard let info = FileStat(workspace.absolute(path), followingLinks: false) else { return }
    let isLinked = info.kind == .directory ? workspace.links.first?.sharesBytes == true : info.kind == .link || info.links > 1
    if isLinked { remove(path) }
  }

  mutating func remove(_ path: WorkspacePath) { digests[path] = nil }

  func save() throws {
    let lines = digests.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)\n" }.joined()
    if lines != text { try AtomicFile.write(lines, to: file) }
  }

  /// Adds data and saves; lines of other paths stay as they are.
  static func record(_ data: [(WorkspacePath, Digest)], in project: Project) throws {
    guard !data.isEmpty else { return }
    let file = Self.file(of: project)
    let before = try AtomicFile.read(file) ?? []
    let after = lines(before, with: data)
    if after != before { try AtomicFile.write(after, to: file) }
  }

  private static func lines(_ text: [UInt8], with data: [(WorkspacePath, Digest)]) -> [UInt8] {
    var added = Dictionary(
      data.filter { !$0.0.text.utf8.contains(10) }.map { ($0.0.text, $0.1) }, uniquingKeysWith: { _, last in last })
    var out: [UInt8] = []
    out.reserveCapacity(text.count + added.count * 100)
    for line in text.split(separator: 10) {
      let path = line.firstIndex(of: 32).map { String(decoding: line[($0 + 1)...], as: UTF8.self) }
      if let path, let digest = added.removeValue(forKey: path) {
        out += Array("\(digest) \(path)\n".utf8)
      } else {
        out += line
        out.append(10)
      }
    }
    for (path, digest) in added.sorted(by: { $0.key < $1.key }) { out += Array("\(digest) \(path)\n".utf8) }
    return out
  }

  private static func file(of project: Project) -> String { "\(project.stateFolder)/placed" }
}
