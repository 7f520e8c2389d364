// `pipe init`: a first project in this folder, in either dialect.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import Diagnostics
import Glibc
import PipelineModel

struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Make a project in this folder: a pipeline, its parameters, and the folder for results.",
    discussion: """
      What is there already stays as it is. With `--dvc` the project has DVC's layout, and `dvc` and `pipe` may take turns in it.

      Examples:
        mkdir study && cd study && pipe init && pipe repro
        git init && pipe init --dvc
      """)

  @Flag(help: "Make a project in DVC's layout: `.dvc/` and `.dvcignore`.") var dvc = false
  @Flag(help: "With --dvc: do without Git.") var noScm = false
  @Flag(help: "With --dvc: make the project in a folder below the top of the Git repository.") var subdir = false
  @Flag(name: [.short, .long], help: "With --dvc: replace `.dvc/`, with all that it keeps.") var force = false
  @Flag(name: [.short, .long], help: "Say nothing when it is done.") var quiet = false
  @Argument(help: "The folder. Default: this one.", completion: .directory) var folder = "."

  func validate() throws {
    if !dvc, noScm || subdir || force { throw ValidationError("--no-scm, --subdir and --force go with --dvc") }
    if noScm, subdir { throw ValidationError("--no-scm and --subdir exclude each other") }
  }

  func run() throws {
    try AtomicFile.makeFolder(folder)
    guard let real = realpath(folder, nil) else { throw Diagnostic(.input, "there is no folder `\(folder)`") }
    defer { free(real) }
    let root = String(cString: real)
    if dvc { return try makeDVC(root) }
    if FileStat("\(root)/dvc.yaml") != nil {
      throw Diagnostic(
        .input, "`dvc.yaml` is here already; a folder has one manifest",
        hints: ["rename `dvc.yaml` to `pipeline.yaml`: the schema is the same"])
    }
    var made: [String] = []
    if FileStat("\(root)/\(Project.manifestName)") == nil {
      // Parameters that are there are somebody's own, and need not have the example's.
      let hasParameters = FileStat("\(root)/params.yaml") != nil
      try AtomicFile.write(hasParameters ? Self.plainManifest : Self.manifest, to: "\(root)/\(Project.manifestName)")
      made.append(Project.manifestName)
      if !hasParameters {
        try AtomicFile.write(Self.parameters, to: "\(root)/params.yaml")
        made.append("params.yaml")
      }
    }
    if FileStat("\(root)/.pipe") == nil { made.append(".pipe/") }
    try AtomicFile.makeFolder("\(root)/\(Dialect.native.markerFolder)")
    try Project.find(from: root).makeStateFolders()
    let sentence = made.isEmpty ? "there is a project already" : sentence(made)
    if !quiet { Terminal.standard.note("\(sentence); `pipe repro` runs the pipeline") }
  }

  private func makeDVC(_ root: String) throws {
    let marker = FileStat("\(root)/.dvc") == nil ? ".dvc/" : "a new .dvc/"
    let made = [marker] + (FileStat("\(root)/.dvcignore") == nil ? [".dvcignore"] : [])
    try DVCProjectFolder(root: root, usesGit: !noScm, isBelowTop: subdir).make(replacing: force)
    if !quiet { Terminal.standard.note("\(sentence(made))\(noScm ? "" : ", which the next commit should hold")") }
  }

  /// `made a, b and c`, and where, unless it is here.
  private func sentence(_ made: [String]) -> String {
    let list = made.count > 1 ? "\(made.dropLast().joined(separator: ", ")) and \(made[made.count - 1])" : made.joined()
    return "made \(list)\(folder == "." ? "" : " in \(folder)")"
  }

  private static let manifest = """
    # Stages with what they read and write. `pipe repro` runs what changed.
    stages:
      greet:
        cmd: echo "hello, $PIPE_PARAM_greet_name" > greeting.txt
        params: [greet.name]
        outs: [greeting.txt]

    """
  private static let plainManifest = """
    # Stages with what they read and write. `pipe repro` runs what changed.
    stages:
      greet:
        cmd: echo "hello" > greeting.txt
        outs: [greeting.txt]

    """
  private static let parameters = """
    greet:
      name: world

    """
}
