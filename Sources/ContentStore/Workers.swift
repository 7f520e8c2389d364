// Blocking work on a bounded number of threads of its own, off Swift's cooperative pool.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Hashing
internal import Synchronization

package enum Workers {
  /// Threads for work that keeps a processor busy.
  static let width = max(1, min(16, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))

  /// Calls `body` with ranges that together are `0..<count`, from several threads, and waits for all.
  ///
  /// - Parameters:
  ///   - piece: how many indices one call gets at most.
  ///   - meanwhile: called by the calling thread, between the pieces that it works on itself.
  ///   - body: called with a range and memory of this thread's own for reading files.
  /// - Throws: what the first failing call threw; ranges that were not begun by then are left out.
  static func run(
    _ count: Int, piece: Int, width: Int = Workers.width, meanwhile: () -> Void = {},
    _ body: @escaping @Sendable (Range<Int>, Room) throws(StoreError) -> Void
  ) throws(StoreError) {
    let job = Job(count: count, piece: max(1, piece), body: body)
    let helpers = min(width, (count + job.piece - 1) / job.piece) - 1
    var threads: [pthread_t] = []
    for _ in 0..<max(0, helpers) {
      var thread = pthread_t()
      let reference = Unmanaged.passRetained(job)
      let code = pthread_create(
        &thread, nil,
        {
          Unmanaged<Job>.fromOpaque($0!).takeRetainedValue().work {}; return nil
        }, reference.toOpaque())
      // Without another thread the work is done by those there are.
      guard code == 0 else {
        reference.release()
        break
      }
      threads.append(thread)
    }
    job.work(meanwhile)
    for thread in threads { pthread_join(thread, nil) }
    if let error = job.failure.withLock({ $0 }) { throw error }
  }

  /// What `body` makes of each of `0..<count`, in pieces of that many, from several threads.
  package static func map<Value: Sendable>(_ count: Int, piece: Int, _ body: @escaping @Sendable (Int) -> Value) -> [Value] {
    Array(unsafeUninitializedCapacity: count) { array, made in
      // Guarded by the split of the indices: each is one thread's, once, and `run` waits for all.
      nonisolated(unsafe) let memory = array
      do throws(StoreError) {
        try run(count, piece: piece) { (range, _) throws(StoreError) in
          for index in range { memory.initializeElement(at: index, to: body(index)) }
        }
      } catch {
        preconditionFailure("nothing throws")
      }
      made = count
    }
  }

  /// What one thread keeps from file to file.
  final class Room {
    /// For reading files.
    let buffer: UnsafeMutableRawBufferPointer
    /// Whether the object that was kept last was new to the store, so that the next is likely to be.
    var expectsNew = true
    private var hash: (algorithm: Digest.Algorithm, hash: RepeatedHash)?

    init() { buffer = .allocate(byteCount: 256 << 10, alignment: 4096) }
    deinit { buffer.deallocate() }

    /// The digest of bytes in memory.
    func digest(of bytes: UnsafeRawBufferPointer, _ algorithm: Digest.Algorithm) -> Digest {
      guard algorithm != .md5dos2unix else {
        var hasher = ContentHasher(algorithm)
        hasher.update(bytes)
        return hasher.finish()
      }
      let known = hash?.algorithm == algorithm ? hash?.hash : nil
      let hash = known ?? RepeatedHash(algorithm == .sha256 ? .sha256 : .md5)
      if known == nil { self.hash = (algorithm, hash) }
      var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
      withUnsafeMutableBytes(of: &words) { hash.hash(bytes, into: $0.baseAddress!) }
      return Digest(algorithm, words, isTree: false)
    }
  }

  private final class Job: Sendable {
    let count: Int
    let piece: Int
    let body: @Sendable (Range<Int>, Room) throws(StoreError) -> Void
    let next = Atomic(0)
    let failure = Mutex<StoreError?>(nil)

    init(count: Int, piece: Int, body: @escaping @Sendable (Range<Int>, Room) throws(StoreError) -> Void) {
      self.count = count
      self.piece = piece
      self.body = body
    }

    func work(_ meanwhile: () -> Void) {
      let room = Room()
      while true {
        let start = next.add(piece, ordering: .relaxed).oldValue
        guard start < count else { return }
        do throws(StoreError) {
          try body(start..<min(start + piece, count), room)
        } catch {
          failure.withLock { $0 = $0 ?? error }
          next.store(count, ordering: .relaxed)
          return
        }
        meanwhile()
      }
    }
  }
}

/// Values that workers write, each index by one of them, and that are read when all are done.
final class Slots<Value: Sendable>: @unchecked Sendable {
  // Guarded by the split of the indices: no two threads have the same one, and `Workers.run` joins them before it returns.
  private let memory: UnsafeMutableBufferPointer<Value>

  init(_ count: Int, _ value: Value) {
    memory = .allocate(capacity: count)
    memory.initialize(repeating: value)
  }

  deinit {
    memory.deinitialize()
    memory.deallocate()
  }

  subscript(_ index: Int) -> Value {
    get { memory[index] }
    set { memory[index] = newValue }
  }

  var count: Int { memory.count }
  func array() -> [Value] { Array(memory) }
}
