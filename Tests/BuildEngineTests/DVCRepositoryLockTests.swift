// DVC's lock and its table of paths, as another process would see them.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Foundation
import Glibc
import TestSupport
import Testing

/// Whether somebody else could take the file's lock now.
private func isFree(_ file: String) -> Bool {
  let descriptor = open(file, O_RDWR)
  guard descriptor >= 0 else { return true }
  defer { close(descriptor) }
  return flock(descriptor, LOCK_EX | LOCK_NB) == 0
}

@Suite struct `DVC's lock` {
  @Test func `is held until it is released, and names its holder as DVC does`() throws {
    try withTemporaryDirectory { url in
      let folder = url.path
      let file = "\(folder)/lock"
      let lock = try DVCRepositoryLock(file: file)
      #expect(!isFree(file))
      #expect(try AtomicFile.readText(file) == " \(getpid())\n")
      lock.release()
      #expect(isFree(file))
    }
  }

  @Test func `is refused with the holder's name while another has it`() throws {
    try withTemporaryDirectory { url in
      let folder = url.path
      let file = "\(folder)/lock"
      let other = open(file, O_RDWR | O_CREAT, 0o666)
      defer { close(other) }
      #expect(flock(other, LOCK_EX | LOCK_NB) == 0)
      #expect(write(other, " 4194304\n", 9) == 9)
      #expect(throws: StoreError.locked(holder: "process 4194304")) {
        _ = try DVCRepositoryLock(file: file, patienceMilliseconds: 0)
      }
    }
  }

  @Test func `is free while a command runs, until the last of several has ended`() throws {
    try withTemporaryDirectory { url in
      let folder = url.path
      let file = "\(folder)/lock"
      let lock = try DVCRepositoryLock(file: file)
      let (inner, between) = lock.released {
        let inner = lock.released { isFree(file) }
        return (inner, isFree(file))
      }
      #expect(inner)
      #expect(between)
      #expect(!isFree(file))
    }
  }

  @Test func `as a hard link has two names and leaves none behind`() throws {
    try withTemporaryDirectory { url in
      let folder = url.path
      let file = "\(folder)/lock"
      let lock = try DVCRepositoryLock(file: file, usesHardLink: true)
      #expect(FileStat(file)?.links == 2)
      #expect(throws: StoreError.self) { _ = try DVCRepositoryLock(file: file, usesHardLink: true, patienceMilliseconds: 0) }
      lock.release()
      #expect(try AtomicFile.list(folder) == [])
    }
  }

  @Test func `as a hard link is taken from a holder whose time is over`() throws {
    try withTemporaryDirectory { url in
      let folder = url.path
      let file = "\(folder)/lock"
      try AtomicFile.write("somebody", to: file)
      var times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
      #expect(utimensat(AT_FDCWD, file, &times, 0) == 0)
      let lock = try DVCRepositoryLock(file: file, usesHardLink: true, patienceMilliseconds: 1000)
      #expect(try AtomicFile.readText(file)?.hasPrefix(file) == true)
      lock.release()
    }
  }
}

@Suite struct `DVC's table of paths` {
  private func locks(_ folder: String) -> DVCPathLocks {
    DVCPathLocks(folder: folder, usesHardLink: false, command: "pipe repro")
  }

  @Test func `gets a claim and loses it again`() throws {
    try withTemporaryDirectory { url in
      let folder = url.path
      let claim = DVCPathLocks.Claim(reads: ["/p/in"], writes: ["/p/out"])
      try locks(folder).enter(claim)
      let owner = "{\"pid\": \(getpid()), \"cmd\": \"pipe repro\"}"
      #expect(
        try AtomicFile.readText("\(folder)/rwlock") == "{\"write\": {\"/p/out\": \(owner)}, \"read\": {\"/p/in\": [\(owner)]}}")
      try locks(folder).leave(claim)
      #expect(try AtomicFile.readText("\(folder)/rwlock") == "{\"write\": {}, \"read\": {}}")
    }
  }

  @Test(arguments: ["/p/d", "/p/d/file", "/p"])
  func `refuses a path that another process writes in, above or below`(path: String) throws {
    try withTemporaryDirectory { url in
      let folder = url.path
      // The parent process is alive as long as this one is looked at.
      try AtomicFile.write("{\"write\": {\"/p/d\": {\"pid\": \(getppid()), \"cmd\": \"dvc repro\"}}}", to: "\(folder)/rwlock")
      #expect(throws: StoreError.locked(holder: "process \(getppid()) runs `dvc repro`")) {
        try locks(folder).enter(DVCPathLocks.Claim(reads: [path], writes: []))
      }
    }
  }

  @Test func `lets two read the same, but not one write what another reads`() throws {
    try withTemporaryDirectory { url in
      let folder = url.path
      try AtomicFile.write("{\"read\": {\"/p/in\": [{\"pid\": \(getppid()), \"cmd\": \"dvc status\"}]}}", to: "\(folder)/rwlock")
      try locks(folder).enter(DVCPathLocks.Claim(reads: ["/p/in"], writes: []))
      #expect(throws: StoreError.self) { try locks(folder).enter(DVCPathLocks.Claim(reads: [], writes: ["/p/in"])) }
    }
  }

  @Test func `is read again when another process has written it meanwhile`() throws {
    try withTemporaryDirectory { url in
      let locks = locks(url.path)
      let mine = DVCPathLocks.Claim(reads: [], writes: ["/p/mine"])
      try locks.enter(mine)
      let theirs = "{\"pid\": \(getppid()), \"cmd\": \"dvc repro\"}"
      try AtomicFile.write("{\"write\": {\"/p/d\": \(theirs)}}", to: "\(url.path)/rwlock")
      #expect(throws: StoreError.self) { try locks.enter(DVCPathLocks.Claim(reads: ["/p/d"], writes: [])) }
      try locks.leave(mine)
      #expect(try AtomicFile.readText("\(url.path)/rwlock") == "{\"write\": {\"/p/d\": \(theirs)}, \"read\": {}}")
    }
  }

  @Test func `forgets processes that are gone`() throws {
    try withTemporaryDirectory { url in
      let folder = url.path
      // Larger than any process number of Linux.
      try AtomicFile.write("{\"write\": {\"/p/d\": {\"pid\": 4194305, \"cmd\": \"dvc repro\"}}}", to: "\(folder)/rwlock")
      try locks(folder).enter(DVCPathLocks.Claim(reads: ["/p/d"], writes: []))
      #expect(try AtomicFile.readText("\(folder)/rwlock")?.contains("dvc repro") == false)
    }
  }

  @Test func `is not guessed at when it is damaged`() throws {
    try withTemporaryDirectory { url in
      let folder = url.path
      try AtomicFile.write("{\"write\": [", to: "\(folder)/rwlock")
      #expect(throws: StoreError.self) { try locks(folder).enter(DVCPathLocks.Claim(reads: [], writes: ["/p/d"])) }
      #expect(try AtomicFile.readText("\(folder)/rwlock") == "{\"write\": [")
    }
  }
}
