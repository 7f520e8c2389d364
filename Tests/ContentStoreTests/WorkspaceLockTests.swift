// One holder at a time, named, and gone with its process.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Foundation
import TestSupport
import Testing

private func isFree(_ file: String) throws -> Bool {
  do {
    _ = try WorkspaceLock(file: file)
    return true
  } catch StoreError.locked {
    return false
  }
}

@Test func `a second taker is told who holds the workspace`() throws {
  try withTemporaryDirectory { (folder: URL) in
    let file = folder.path + "/lock"
    do {
      let lock = try WorkspaceLock(file: file)
      #expect(throws: StoreError.locked(holder: "its holder left no name")) { _ = try WorkspaceLock(file: file) }
      try WorkspaceLock.announce("a much longer text that is written over", in: file)
      try WorkspaceLock.announce("pid 42: pipe repro", in: file)
      #expect(throws: StoreError.locked(holder: "pid 42: pipe repro")) { _ = try WorkspaceLock(file: file) }
      #expect(StoreError.locked(holder: "pid 42").diagnostic.exitCode == 5)
      _ = lock
    }
    #expect(try isFree(file))
    #expect(try AtomicFile.readText(file) == "")
  }
}

@Test func `a lock that was only taken writes nothing`() throws {
  try withTemporaryDirectory { (folder: URL) throws in
    let file = folder.path + "/lock"
    #expect(try isFree(file))
    let before = FileStat(file)
    usleep(12_000)
    #expect(try isFree(file))
    #expect(FileStat(file) == before)
  }
}

@Test func `a link in a lock's place is not followed, and its target stays as it was`() throws {
  try withTemporaryDirectory { (folder: URL) in
    let file = folder.path + "/lock"
    try folder.write("theirs", to: "target")
    try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: folder.path + "/target")
    #expect(throws: StoreError.system("open", path: file, code: ELOOP)) { _ = try WorkspaceLock(file: file) }
    #expect(throws: StoreError.system("open", path: file, code: ELOOP)) { try WorkspaceLock.announce("pid 1", in: file) }
    #expect(try folder.text(of: "target") == "theirs")
  }
}

@Test func `a lock in a folder that is not there says so`() throws {
  try withTemporaryDirectory { (folder: URL) in
    let file = folder.path + "/none/lock"
    #expect(throws: StoreError.system("open", path: file, code: ENOENT)) { _ = try WorkspaceLock(file: file) }
  }
}

@Test func `a lock ends with the process that held it, in whatever way, and one who waits gets it then`() throws {
  try withTemporaryDirectory { (folder: URL) in
    let file = folder.path + "/lock"
    let ready = folder.path + "/ready"
    let holder = Process()
    holder.executableURL = URL(fileURLWithPath: "/bin/sh")
    holder.arguments = ["-c", #"exec 9<>"$1"; flock 9; echo "the other" >&9; : > "$2"; exec sleep 60"#, "sh", file, ready]
    try holder.run()
    defer { if holder.isRunning { kill(holder.processIdentifier, SIGKILL) } }
    for _ in 0..<1000 where FileStat(ready) == nil { usleep(10_000) }
    #expect(throws: StoreError.locked(holder: "the other\n")) { _ = try WorkspaceLock(file: file) }
    let pid = holder.processIdentifier
    Thread.detachNewThread {
      usleep(50_000)
      kill(pid, SIGKILL)
    }
    _ = try WorkspaceLock(file: file, waits: true)
    holder.waitUntilExit()
    #expect(try isFree(file))
    #expect(try AtomicFile.readText(file) == "")
  }
}
