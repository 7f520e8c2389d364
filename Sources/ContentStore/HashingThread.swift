// Hashing on a thread of its own, so that a large file is copied at the speed of its hash.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// A few buffers that go round between one who fills them and a thread that hashes them in the same order.
///
/// Used by one thread: `free`, fill, `hash`, and so on; then `finish` or `cancel`, once.
final class HashingThread: @unchecked Sendable {
  // Guarded by the two semaphores: a buffer belongs to the filler between a wait on `empty` and a post to `full`, and to
  // the hasher between a wait on `full` and a post to `empty`; the digest is read when the thread has ended.
  private static let count = 4
  private static let size = 256 << 10

  private let algorithm: Digest.Algorithm
  private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count * size, alignment: 4096)
  private let empty = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
  private let full = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
  private let lengths = UnsafeMutablePointer<Int>.allocate(capacity: count)
  private var filling = 0
  private var thread = pthread_t()
  private var digest: Digest?

  /// - Parameter first: bytes before those that come in buffers, at most as many as fit into one.
  /// - Returns: `nil` when there cannot be another thread.
  init?(_ algorithm: Digest.Algorithm, startingWith first: UnsafeRawBufferPointer) {
    self.algorithm = algorithm
    sem_init(empty, 0, UInt32(Self.count))
    sem_init(full, 0, 0)
    lengths.initialize(repeating: 0, count: Self.count)
    let reference = Unmanaged.passRetained(self)
    let code = pthread_create(
      &thread, nil,
      {
        Unmanaged<HashingThread>.fromOpaque($0!).takeRetainedValue().run(); return nil
      }, reference.toOpaque())
    guard code == 0 else {
      reference.release()
      return nil
    }
    free().copyBytes(from: first)
    hash(first.count)
  }

  deinit {
    sem_destroy(empty)
    sem_destroy(full)
    empty.deallocate()
    full.deallocate()
    lengths.deallocate()
    memory.deallocate()
  }

  private func buffer(_ number: Int) -> UnsafeMutableRawBufferPointer {
    let start = number % Self.count * Self.size
    return UnsafeMutableRawBufferPointer(rebasing: memory[start..<(start + Self.size)])
  }

  private static func wait(_ semaphore: UnsafeMutablePointer<sem_t>) { while sem_wait(semaphore) != 0, errno == EINTR {} }

  /// A buffer that may be filled; waits for one.
  func free() -> UnsafeMutableRawBufferPointer {
    Self.wait(empty)
    return buffer(filling)
  }

  /// Hands over the buffer that `free` gave. It may still be read. 0 bytes are the end.
  func hash(_ count: Int) {
    lengths[filling % Self.count] = count
    filling += 1
    sem_post(full)
  }

  /// The digest, after `hash(0)`.
  func finish() -> Digest {
    pthread_join(thread, nil)
    guard let digest else { preconditionFailure("a hashing thread ends with a digest") }
    return digest
  }

  /// Ends the thread when filling or writing failed.
  func cancel() {
    _ = free()
    hash(0)
    pthread_join(thread, nil)
  }

  private func run() {
    var hasher = ContentHasher(algorithm)
    var number = 0
    while true {
      Self.wait(full)
      let length = lengths[number % Self.count]
      if length == 0 { break }
      hasher.update(UnsafeRawBufferPointer(rebasing: buffer(number)[..<length]))
      number += 1
      sem_post(empty)
    }
    digest = hasher.finish()
  }
}
