// The person's browser, asked to show a page.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Shows a page to a person; where there is no browser, its address.
enum Browser {
  static func open(_ path: String) {
    let absolute = path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
    for program in ["xdg-open", "open"] where start(program, absolute) { return }
    Terminal.standard.note("no browser was found; the page is file://\(absolute)")
  }

  private static func start(_ program: String, _ path: String) -> Bool {
    var child = pid_t()
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(program), strdup(path), nil]
    defer { for argument in arguments { free(argument) } }
    guard posix_spawnp(&child, program, nil, nil, &arguments, environ) == 0 else { return false }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    return status == 0
  }
}
