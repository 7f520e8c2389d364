// How this process asks the system for memory.
// SPDX-License-Identifier: Apache-2.0
internal import CLinux

package enum ProcessMemory {
  /// Heaps that grow in large steps and keep what they have, one a thread, so that threads do not wait for each other.
  ///
  /// By default glibc has the heaps of all threads but the first grow by a call for every few pages, and takes larger
  /// buffers from the system each time anew. What is reserved is addresses: pages count once they are written.
  /// Call it before the first thread is started.
  package static func useRoomyHeaps() { clinux_roomy_heaps() }
}
