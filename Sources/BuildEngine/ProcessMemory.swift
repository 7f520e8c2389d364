// How this process asks the system for memory.
// SPDX-License-Identifier: Apache-2.0
internal import CLinux

package enum ProcessMemory {
  /// One heap for all threads, which grows in large steps and keeps what it has.
  ///
  /// By default glibc gives other threads than the first heaps of their own, which grow by a call for every few pages,
  /// and takes larger buffers from the system each time anew. Call it before the first thread is started.
  package static func useOneHeap() { clinux_one_heap() }
}
