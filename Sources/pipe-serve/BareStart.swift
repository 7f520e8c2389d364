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

/// Stands in for the Swift runtime's search for its crash reporter, in the static build only.
///
/// Before `main` the runtime looks for `swift-backtrace` beside itself; a static binary finds itself through `/proc`, and
/// in a folder without `/proc` the runtime gives up and aborts. The exported directory ships no crash reporter, so there
/// is nothing to find. The linker puts this in place with `--wrap=swift_copyAuxiliaryExecutablePath` (make/serve.mk);
/// other builds do not use it.
@_cdecl("__wrap_swift_copyAuxiliaryExecutablePath")
func noAuxiliaryExecutable(_ name: UnsafePointer<CChar>?) -> UnsafeMutablePointer<CChar>? { nil }
