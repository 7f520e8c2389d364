// `pipe report`: write the pages of a run again.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import PipelineModel

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write reports/index.html and reports/index.md for a run.",
    discussion: """
      `repro` does this after every run.

      Examples:
        pipe report
        pipe report 20261121T09
      """)

  @Argument(help: "The run, or the beginning of its name. Default: the newest.") var name: String?

  func run() throws {
    let project = try Project.find()
    let pipeline = try project.pipeline()
    let writer = ReportWriter(project: project, pipeline: pipeline, graph: try StageGraph(pipeline.stages))
    try Terminal.standard.out(writer.write(project.run(name)))
  }
}
