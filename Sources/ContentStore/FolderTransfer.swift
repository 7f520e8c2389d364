// Objects brought from one folder to another by several threads: files first, then the trees that list them.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Synchronization

/// What is written to the destination is complete before it has its name, so whatever stops a transfer leaves objects that
/// the next one finds, and a tree only where all its files are.
struct FolderTransfer {
  private let source: OpenStore
  private let destination: OpenStore
  private let sourceFolder: DirectoryObjectStore
  private let width: Int

  init(_ source: DirectoryObjectStore, _ destination: DirectoryObjectStore, _ width: Int) throws(StoreError) {
    self.source = try source.opened()
    self.destination = try destination.opened(makes: true)
    sourceFolder = source
    self.width = width
  }

  private enum Outcome: UInt8, Sendable { case unseen, copied, alreadyThere, missing }

  func copy(_ digests: some Sequence<Digest>, _ onProgress: (Transfer.Summary) -> Void) throws(StoreError) -> Transfer.Summary {
    let plan = try Plan(digests, source, destination, sourceFolder)
    let files = plan.files
    let outcomes = Slots(files.count, Outcome.unseen)
    let (copied, alreadyThere) = (Counter(), Counter())
    let (source, destination) = (source, destination)
    var summary = Transfer.Summary()
    try Workers.run(
      files.count, piece: 16, width: width,
      meanwhile: {
        summary.copied = copied.value
        summary.alreadyThere = plan.alreadyThere + alreadyThere.value
        onProgress(summary)
      }
    ) { (range, room) throws(StoreError) in
      for index in range {
        outcomes[index] = try Self.copy(files[index], from: source, to: destination, room)
        if outcomes[index] == .copied { copied.add() }
        if outcomes[index] == .alreadyThere { alreadyThere.add() }
      }
    }
    summary.copied = copied.value
    summary.alreadyThere = plan.alreadyThere + alreadyThere.value
    let lost = files.indices.filter { outcomes[$0] == .missing }.map { files[$0] }
    summary.missing = plan.missing(lost)
    try copyTrees(plan, Set(lost), &summary)
    onProgress(summary)
    return summary
  }

  /// Trees that are whole at the destination now.
  private func copyTrees(_ plan: Plan, _ lost: Set<Digest>, _ summary: inout Transfer.Summary) throws(StoreError) {
    let room = Workers.Room()
    for (digest, bytes, tree) in plan.trees where lost.isEmpty || !tree.entries.contains(where: { lost.contains($0.digest) }) {
      let isNew = try DirectoryObjectStore.with(bytes) { (bytes) throws(StoreError) in
        try destination.insert(bytes, as: digest, room)
      }
      if isNew { summary.copied += 1 } else { summary.alreadyThere += 1 }
    }
  }

  private static func copy(_ digest: Digest, from source: OpenStore, to destination: OpenStore, _ room: Workers.Room)
    throws(StoreError) -> Outcome
  {
    let object: (file: Int32, size: Int, mustHash: Bool)
    do throws(StoreError) {
      object = try source.open(digest)
    } catch .missingObject {
      return try destination.contains(digest, room) ? .alreadyThere : .missing
    }
    defer { close(object.file) }
    // One that may not be believed is looked at first: a damaged one is as good as missing.
    if object.mustHash, source.layout.kind == .dvc, try !source.contains(digest, room) { return .missing }
    let isNew = try destination.insert(
      object.file, source.path(of: digest), as: digest, hashes: true, sharing: true, isSmall: object.size <= 128 << 10, room)
    return isNew ? .copied : .alreadyThere
  }

  /// What is to be copied, each object once.
  private struct Plan {
    /// Files in the order asked for, those of trees among them.
    var files: [Digest] = []
    var trees: [(digest: Digest, bytes: [UInt8], tree: FileTree)] = []
    /// Trees that the destination has.
    var alreadyThere = 0
    /// Trees that the source lacks, with the number of files before them.
    private var missingTrees: [(digest: Digest, before: Int)] = []
    private var positions: [Digest: Int] = [:]

    init(_ digests: some Sequence<Digest>, _ source: OpenStore, _ destination: OpenStore, _ folder: DirectoryObjectStore)
      throws(StoreError)
    {
      let room = Workers.Room()
      var seen: Set<Digest> = []
      for digest in digests where seen.insert(digest).inserted {
        guard digest.isTree else {
          want(digest)
          continue
        }
        // A tree at the destination was written after its files.
        if try destination.contains(digest, room) {
          alreadyThere += 1
        } else if try source.contains(digest, room) {
          let bytes = try folder.bytes(of: digest)
          let tree = try FileTree(decoding: bytes, named: digest)
          trees.append((digest, bytes, tree))
          for entry in tree.entries { want(entry.digest) }
        } else {
          missingTrees.append((digest, files.count))
        }
      }
    }

    private mutating func want(_ digest: Digest) {
      guard positions[digest] == nil else { return }
      positions[digest] = files.count
      files.append(digest)
    }

    /// What the source lacks, in the order asked for.
    func missing(_ files: [Digest]) -> [Digest] {
      guard !missingTrees.isEmpty else { return files }
      let all = files.map { ($0, positions[$0] ?? 0) } + missingTrees.map { ($0.digest, $0.before) }
      return all.sorted { $0.1 < $1.1 }.map(\.0)
    }
  }

  private final class Counter: Sendable {
    private let count = Atomic(0)
    var value: Int { count.load(ordering: .relaxed) }
    func add() { count.add(1, ordering: .relaxed) }
  }
}
