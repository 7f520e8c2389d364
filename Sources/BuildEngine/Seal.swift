// An answer that was given once, with the stat of everything it followed from: while all of that is the same, so is it.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import Glibc

/// What one request answered, and the world it answered for.
///
/// A seal holds for a request as long as every path in it gives the stat that it gave. It is a convenience: one that is
/// missing, cut short, damaged or of another version is as one that does not hold.
package struct Seal: Sendable, Equatable {
  /// What was asked, word for word, with all that is not in a file: arguments, folder, program.
  package var request: [String]
  /// Variables of the environment that were asked for.
  package var variables: [Variable]
  package var output: String
  package var errorOutput: String
  package var sights: [Sight]

  package init(request: [String], variables: [Variable] = [], output: String, errorOutput: String, sights: [Sight]) {
    self.request = request
    self.variables = variables
    self.output = output
    self.errorOutput = errorOutput
    self.sights = sights
  }

  package struct Variable: Sendable, Equatable {
    package var name: String
    /// `nil` when it is not set.
    package var value: String?

    package init(name: String, value: String?) {
      self.name = name
      self.value = value
    }
  }

  /// What is to be seen at a path, links followed.
  package struct Sight: Sendable, Equatable {
    /// From the project's root, or absolute.
    package var path: String
    /// `nil` when nothing is there.
    package var stat: Look?

    package init(path: String, stat: Look?) {
      self.path = path
      self.stat = stat
    }
  }

  /// All of a stat that moves when a file or a folder's list of names does.
  package struct Look: Sendable, Equatable, BitwiseCopyable {
    var device: UInt64 = 0
    var inode: UInt64 = 0
    var size: Int64 = 0
    /// Nanoseconds since 1970.
    var modified: Int64 = 0
    package var changed: Int64 = 0
    var mode: UInt64 = 0

    init(_ info: stat) {
      device = UInt64(info.st_dev)
      inode = UInt64(info.st_ino)
      size = Int64(info.st_size)
      modified = Int64(info.st_mtim.tv_sec) * 1_000_000_000 + Int64(info.st_mtim.tv_nsec)
      changed = Int64(info.st_ctim.tv_sec) * 1_000_000_000 + Int64(info.st_ctim.tv_nsec)
      mode = UInt64(info.st_mode)
    }

    package var isFolder: Bool { UInt32(truncatingIfNeeded: mode) & S_IFMT == S_IFDIR }
  }
}

extension Seal {
  private struct Header: BitwiseCopyable {
    var magic: UInt64
    var sum: UInt64
    var request: UInt64
    var variables: UInt64
    var output: UInt64
    var errorOutput: UInt64
    var sights: UInt64
    var paths: UInt64
  }

  /// A stat with where its path ends; with no inode when nothing is there.
  private struct Row: BitwiseCopyable {
    var look: (UInt64, UInt64, Int64, Int64, Int64, UInt64)
    var pathEnd: UInt64
  }

  private static let magic: UInt64 = 0x31_6C61_6573_6570_69  // "ipeseal1"

  /// Header, request, variables, texts, rows, paths that each end in a zero; all little-endian.
  package var bytes: [UInt8] {
    var body: [UInt8] = []
    let request = Self.encoded(request)
    let variables = Self.encoded(variables.flatMap { [$0.name, $0.value.map { "=" + $0 } ?? ""] })
    body += request + variables + Array(output.utf8) + Array(errorOutput.utf8)
    var paths: [UInt8] = []
    body.reserveCapacity(body.count + sights.count * (MemoryLayout<Row>.stride + 64))
    paths.reserveCapacity(sights.count * 64)
    for sight in sights {
      paths += sight.path.utf8
      paths.append(0)
      let look = sight.stat
      let row = Row(
        look: (
          look?.device ?? 0, look?.inode ?? 0, look?.size ?? 0, look?.modified ?? 0, look?.changed ?? 0, look?.mode ?? 0
        ), pathEnd: UInt64(paths.count))
      withUnsafeBytes(of: row) { body += $0 }
    }
    body += paths
    let header = Header(
      magic: Self.magic, sum: body.withUnsafeBytes(Self.sum), request: UInt64(request.count),
      variables: UInt64(variables.count), output: UInt64(output.utf8.count), errorOutput: UInt64(errorOutput.utf8.count),
      sights: UInt64(sights.count), paths: UInt64(paths.count))
    return withUnsafeBytes(of: header) { Array($0) } + body
  }

  private static func encoded(_ request: [String]) -> [UInt8] {
    var writer = ByteWriter()
    writer.texts(request)
    return writer.bytes
  }

  /// Not a cryptographic one: who can write the file can write the project's files too.
  private static func sum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var sum: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(bytes.count)
    var position = 0
    while bytes.count - position >= 8 {
      sum = mixed(sum, bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      position += 8
    }
    while position < bytes.count {
      sum = mixed(sum, UInt64(bytes[position]))
      position += 1
    }
    return sum
  }

  private static func mixed(_ sum: UInt64, _ word: UInt64) -> UInt64 {
    let product = (sum ^ word).multipliedFullWidth(by: 0xC2B2_AE3D_27D4_EB4F)
    return product.high ^ product.low &+ 0x1656_67B1_9E37_79F9
  }

  /// The answer that a file has for a request, when all that it followed from is as it was.
  ///
  /// - Parameters:
  ///   - root: what relative paths begin at.
  ///   - variable: looks a variable of the environment up.
  package static func answer(
    in file: String, to request: [String], root: String, variable: (String) -> String? = { _ in nil }
  ) -> (output: String, errorOutput: String)? {
    guard let bytes = (try? AtomicFile.read(file)) ?? nil else { return nil }
    return bytes.withUnsafeBytes { bytes in
      guard let parts = Parts(bytes, request: encoded(request)) else { return nil }
      let folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard folder >= 0 else { return nil }
      defer { close(folder) }
      guard parts.variablesHold(variable), parts.hold(below: folder) else { return nil }
      return (String(decoding: parts.output, as: UTF8.self), String(decoding: parts.errorOutput, as: UTF8.self))
    }
  }

  /// A file's bytes, divided.
  private struct Parts {
    let output: UnsafeRawBufferPointer.SubSequence
    let errorOutput: UnsafeRawBufferPointer.SubSequence
    private let variables: UnsafeRawBufferPointer.SubSequence
    private let rows: UnsafeRawBufferPointer
    private let paths: UnsafeRawBufferPointer
    private let count: Int

    /// `nil` when anything is wrong with the bytes, or the request is another.
    init?(_ bytes: UnsafeRawBufferPointer, request: [UInt8]) {
      let start = MemoryLayout<Header>.size
      guard bytes.count >= start else { return nil }
      let header = bytes.loadUnaligned(as: Header.self)
      guard header.magic == Seal.magic, header.request == UInt64(request.count), header.sights < 1 << 32 else { return nil }
      var ends: [Int] = []
      var end = start
      let rowBytes = header.sights * UInt64(MemoryLayout<Row>.stride)
      for size in [header.request, header.variables, header.output, header.errorOutput, rowBytes, header.paths] {
        guard size <= UInt64(bytes.count - end) else { return nil }
        end += Int(size)
        ends.append(end)
      }
      guard end == bytes.count, header.sum == Seal.sum(UnsafeRawBufferPointer(rebasing: bytes[start...])),
        bytes[start..<ends[0]].elementsEqual(request)
      else { return nil }
      variables = bytes[ends[0]..<ends[1]]
      output = bytes[ends[1]..<ends[2]]
      errorOutput = bytes[ends[2]..<ends[3]]
      rows = UnsafeRawBufferPointer(rebasing: bytes[ends[3]..<ends[4]])
      paths = UnsafeRawBufferPointer(rebasing: bytes[ends[4]...])
      count = Int(header.sights)
    }

    func variablesHold(_ variable: (String) -> String?) -> Bool {
      var reader = ByteReader(Array(variables))
      guard let texts = reader.texts(), texts.count.isMultiple(of: 2) else { return false }
      return stride(from: 0, to: texts.count, by: 2).allSatisfy { index in
        (variable(texts[index]).map { "=" + $0 } ?? "") == texts[index + 1]
      }
    }

    func hold(below folder: Int32) -> Bool {
      guard count > 0, let names = paths.baseAddress else { return false }
      var start = 0
      var info = stat()
      for index in 0..<count {
        let row = rows.loadUnaligned(fromByteOffset: index * MemoryLayout<Row>.stride, as: Row.self)
        guard row.pathEnd > UInt64(start), row.pathEnd <= UInt64(paths.count), paths[Int(row.pathEnd) - 1] == 0 else {
          return false
        }
        let name = (names + start).assumingMemoryBound(to: CChar.self)
        start = Int(row.pathEnd)
        guard fstatat(folder, name, &info, 0) == 0 else {
          guard row.look.1 == 0, errno == ENOENT || errno == ENOTDIR else { return false }
          continue
        }
        let now = Look(info)
        guard row.look == (now.device, now.inode, now.size, now.modified, now.changed, now.mode) else { return false }
      }
      return true
    }
  }
}
