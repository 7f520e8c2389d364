// `pipe init`: a first project in this folder.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import Diagnostics
import Foundation

struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Make a project in this folder: a pipeline, its parameters, and the folder for results.",
    discussion: """
      What is there already stays as it is.

      Example:
        mkdir study && cd study && pipe init && pipe repro
      """)

  func run() throws {
    let root = FileManager.default.currentDirectoryPath
    if FileStat("\(root)/dvc.yaml") != nil {
      throw Diagnostic(
        .input, "`dvc.yaml` is here already; a folder has one manifest",
        hints: ["rename `dvc.yaml` to `pipeline.yaml`: the schema is the same"])
    }
    var made: [String] = []
    for (name, text) in [(Project.manifestName, Self.manifest), ("params.yaml", Self.parameters)]
    where FileStat("\(root)/\(name)") == nil {
      try AtomicFile.write(text, to: "\(root)/\(name)")
      made.append(name)
    }
    try Project(root: root).makeStateFolders()
    let list = made.isEmpty ? "nothing new" : made.joined(separator: ", ")
    Terminal.standard.note("made \(list) and .pipe/; `pipe repro` runs the pipeline")
  }

  private static let manifest = """
    # Stages with what they read and write. `pipe repro` runs what changed.
    stages:
      greet:
        cmd: echo "hello, $PIPE_PARAM_greet_name" > greeting.txt
        params: [greet.name]
        outs: [greeting.txt]

    """
  private static let parameters = """
    greet:
      name: world

    """
}
