// Whole small files: read, made once, listed.
// SPDX-License-Identifier: Apache-2.0
import Glibc
import Hashing

/// Size and time of change, enough to see that a file was replaced.
struct FileStamp: Hashable, Sendable {
  var size: Int64
  var modifiedNanoseconds: Int64
}

/// All bytes of a file; `nil` when there is none.
func readFile(_ path: String) throws(TrackingError) -> [UInt8]? {
  // Without `O_NONBLOCK`, opening a pipe waits for its writer.
  let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
  if file < 0, errno == ENOENT || errno == ENOTDIR { return nil }
  guard file >= 0 else { throw .file(path: path, operation: "read", reason: systemMessage()) }
  defer { close(file) }
  return try readAll(file, path)
}

/// All bytes from the start of an open file.
func readAll(_ file: Int32, _ path: String) throws(TrackingError) -> [UInt8] {
  var facts = stat()
  guard fstat(file, &facts) == 0 else { throw .file(path: path, operation: "read", reason: systemMessage()) }
  guard facts.st_mode & S_IFMT == S_IFREG else { throw .file(path: path, operation: "read", reason: "it is not a file") }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: max(4096, Int(facts.st_size) + 1))
  while true {
    let count = pread(file, &chunk, chunk.count, off_t(bytes.count))
    if count < 0, errno == EINTR { continue }
    guard count >= 0 else { throw .file(path: path, operation: "read", reason: systemMessage()) }
    if count == 0 { return bytes }
    bytes += chunk[..<count]
  }
}

/// Makes a file that must not exist yet; it appears with all its bytes or not at all.
///
/// - Returns: `false` when a file of that name is there already, which stays as it is.
func createFile(_ path: String, _ bytes: [UInt8]) throws(TrackingError) -> Bool {
  try makeFolder(parent(of: path))
  let name = path.split(separator: "/").last.map(String.init) ?? ""
  let temporary = "\(parent(of: path))/.\(name).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
  let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
  guard file >= 0 else { throw .file(path: path, operation: "write", reason: systemMessage()) }
  defer { unlink(temporary) }
  let isWritten = writeAll(bytes, to: file)
  let reason = systemMessage()
  close(file)
  guard isWritten else { throw .file(path: path, operation: "write", reason: reason) }
  if link(temporary, path) == 0 { return true }
  if errno == EEXIST { return false }
  throw .file(path: path, operation: "write", reason: systemMessage())
}

func writeAll(_ bytes: [UInt8], to file: Int32) -> Bool {
  bytes.withUnsafeBytes { buffer in
    var rest = buffer[...]
    while !rest.isEmpty {
      let count = write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}

/// Makes a folder and those above it.
func makeFolder(_ path: String) throws(TrackingError) {
  if mkdir(path, 0o777) == 0 || errno == EEXIST { return }
  guard errno == ENOENT, !path.isEmpty, path != "/" else {
    throw .file(path: path, operation: "make the folder", reason: systemMessage())
  }
  try makeFolder(parent(of: path))
  guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
    throw .file(path: path, operation: "make the folder", reason: systemMessage())
  }
}

/// The names in a folder that end in a suffix, without it, sorted by bytes; hidden ones are left out.
///
/// A folder that does not exist has none.
func names(in folder: String, endingIn suffix: String = "") throws(TrackingError) -> [String] {
  guard let stream = opendir(folder) else {
    if errno == ENOENT { return [] }
    throw .file(path: folder, operation: "list", reason: systemMessage())
  }
  defer { closedir(stream) }
  var found: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    if name.hasPrefix(".") || !name.hasSuffix(suffix) { continue }
    found.append(String(name.dropLast(suffix.count)))
  }
  return found.sorted(by: precedes)
}

/// `nil` when the file is not there.
func fileStamp(_ path: String) -> FileStamp? {
  var facts = stat()
  guard stat(path, &facts) == 0 else { return nil }
  return FileStamp(
    size: Int64(facts.st_size),
    modifiedNanoseconds: Int64(facts.st_mtim.tv_sec) * 1_000_000_000 + Int64(facts.st_mtim.tv_nsec))
}

func parent(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

func systemMessage() -> String { String(cString: strerror(errno)) }

/// `sha256:` and 64 hexadecimal digits.
func sha256(_ bytes: some Sequence<UInt8>) -> String { "sha256:" + sha256Digits(Array(bytes)) }
