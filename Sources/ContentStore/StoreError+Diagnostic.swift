// The words for what can go wrong with bytes on a disk.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics
internal import Glibc

extension StoreError: DiagnosticConvertible {
  package var diagnostic: Diagnostic {
    switch self {
    case .system(let call, let path, let code):
      Diagnostic(
        .storage, "cannot \(call) `\(path)`: \(String(cString: strerror(code)))", hints: hints(for: code, path))
    case .missingObject(let digest):
      Diagnostic(
        .storage, "object \(digest.short)… is not in the store",
        hints: ["`pipe fetch` gets it from the remote; `pipe repro` makes it again"])
    case .corruptObject(let digest, let path):
      Diagnostic(
        .storage, "object \(digest.short)… does not match its name", causes: ["`\(path)` was changed or damaged"],
        hints: ["remove that file; then `pipe fetch` gets it again, or `pipe repro` makes it again"])
    case .malformedTree(let digest, let why):
      Diagnostic(
        .storage, "the directory list \(digest.short)… cannot be used: \(why)",
        hints: ["remove that object from the store; then `pipe fetch` gets it again, if the remote has a sound one"])
    case .specialFile(let path):
      Diagnostic(
        .input, "`\(path)` is neither a file nor a directory", hints: ["sockets, devices and pipes cannot be kept"])
    case .escapes(let path):
      Diagnostic(.input, "`\(path)` leads out of the workspace through a symbolic link")
    case .changedMeanwhile(let path):
      Diagnostic(.storage, "`\(path)` changed while it was read", hints: ["run the command again when it is at rest"])
    case .locked(let holder):
      Diagnostic(
        .locked, "another process holds this workspace", causes: [holder],
        hints: ["wait for it to end, or pass `--wait`"])
    case .malformedFile(let path, let why):
      Diagnostic(.storage, "`\(path)` cannot be read: \(why)")
    }
  }

  private func hints(for code: Int32, _ path: String) -> [String] {
    switch code {
    case ENOSPC, EDQUOT: ["free some room; nothing that was recorded is lost, and `pipe repro` goes on from there"]
    case EACCES, EPERM, EROFS: ["check who may write there"]
    case ELOOP: ["it is a symbolic link, and none is followed here: remove it"]
    case EMFILE, ENFILE: ["raise the limit of open files (`ulimit -n`)"]
    default: []
    }
  }
}
