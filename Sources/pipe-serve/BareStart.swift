// Lets the static binary start where nothing is mounted, not even /proc.
// SPDX-License-Identifier: Apache-2.0
@preconcurrency import Glibc

/// The arguments of this process without its name.
///
/// The standard library reads them from `/proc/self/cmdline` and finds none in an empty root folder. There they are taken
/// from where the kernel put them: below the environment on the initial stack. Call this first in the program: `setenv`
/// moves the environment away.
///
/// Source: System V ABI, x86-64 and AArch64 supplements, "Initial process stack": argc, argv[0...argc], envp[0...].
func commandLineArguments() -> [String] {
  let known = CommandLine.arguments
  guard known.isEmpty || (known.count == 1 && known[0].isEmpty) else { return Array(known.dropFirst()) }
  let word = MemoryLayout<Int>.stride
  // The null that ends argv lies right below the environment, and argc right below argv.
  var slot = UnsafeRawPointer(environ) - 2 * word
  var arguments: [String] = []
  while slot.load(as: Int.self) != arguments.count {
    guard let text = slot.load(as: UnsafePointer<CChar>?.self), arguments.count < 10_000 else { return [] }
    arguments.append(String(cString: text))
    slot -= word
  }
  return Array(arguments.reversed().dropFirst())
}

// The functions below stand in for parts of the Swift runtime, in the static build only: the linker puts them in place with
// `--wrap` (Package.swift, `staticExecutable`); other builds do not use them.

/// The runtime's search for its crash reporter, which it makes before `main`.
///
/// A static binary finds itself through `/proc`, and in a folder without `/proc` the runtime gives up and aborts. The
/// exported directory ships no crash reporter, so there is nothing to find.
@_cdecl("__wrap_swift_copyAuxiliaryExecutablePath")
func noAuxiliaryExecutable(_ name: UnsafePointer<CChar>?) -> UnsafeMutablePointer<CChar>? { nil }

/// libdispatch's watch over its worker threads, begun by the first one that registers.
///
/// Once a second it reads `/proc/TID/stat` of the workers of a queue that has work, to add threads when all of them block;
/// a file that is not there ends the process. Nothing in the server blocks a worker thread, so there is nothing to watch.
@_cdecl("__wrap__dispatch_workq_worker_register")
func workerRegistered(_ queue: OpaquePointer?) {}

/// The other end of the same watch.
@_cdecl("__wrap__dispatch_workq_worker_unregister")
func workerUnregistered(_ queue: OpaquePointer?) {}
