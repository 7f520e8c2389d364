// What a stage finds in its environment (docs/formats.md).
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import PipelineModel

struct StageEnvironment {
  private let stage: Stage
  private let place: BuildPlace
  private let scratch: String

  init(_ stage: Stage, _ place: BuildPlace, scratch: String) {
    self.stage = stage
    self.place = place
    self.scratch = scratch
  }

  /// Writes the context document and gives the variables.
  func write() throws(StoreError) -> [String: String] {
    try AtomicFile.create(context.json + "\n", at: "\(scratch)/context.json")
    return variables
  }

  private var named: (dependencies: [(String, String)], outputs: [(String, String)]) {
    (
      stage.dependencies.map { ($0.name ?? $0.place.text, relative($0.place)) },
      stage.outputs.map { ($0.name ?? $0.path.text, relative(.workspace($0.path))) }
    )
  }

  private var context: ParameterValue {
    .mapping([
      ("stage", .text(stage.name)), ("root", .text(place.workspace.root)),
      ("params", .mapping(stage.parameters.map { ($0.key ?? $0.file.text, $0.value ?? .null) })),
      ("deps", .mapping(named.dependencies.map { ($0, .text($1)) })),
      ("outs", .mapping(named.outputs.map { ($0, .text($1)) })), ("tmp", .text("\(scratch)/tmp")),
    ])
  }

  private var variables: [String: String] {
    var variables = place.environment
    if place.dialect.isNative {
      variables["TZ"] = "UTC"
      variables["LC_ALL"] = "C.UTF-8"
      variables["LANG"] = nil
      variables["PYTHONHASHSEED"] = "0"
      variables["OMP_NUM_THREADS"] = "1"
    } else {
      variables["DVC_ROOT"] = variables["DVC_ROOT"] ?? place.workspace.root
      variables["DVC_STAGE"] = stage.name
    }
    let folder = place.program.lastIndex(of: "/").map { String(place.program[..<$0]) } ?? "."
    variables["PATH"] = "\(folder):\(variables["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")"
    variables["PIPE_ROOT"] = place.workspace.root
    variables["PIPE_STAGE"] = stage.name
    variables["PIPE_CONTEXT"] = "\(scratch)/context.json"
    variables["PIPE_TMP"] = "\(scratch)/tmp"
    for dependency in stage.dependencies {
      if let name = dependency.name { variables["PIPE_DEP_\(environmentName(name))"] = relative(dependency.place) }
    }
    for output in stage.outputs {
      if let name = output.name { variables["PIPE_OUT_\(environmentName(name))"] = relative(.workspace(output.path)) }
    }
    for parameter in stage.parameters {
      if let key = parameter.key, let value = parameter.value { variables["PIPE_PARAM_\(environmentName(key))"] = value.display }
    }
    for variable in stage.environment { variables[variable.name] = variable.value }
    return variables
  }

  /// A path as seen from the stage's working directory.
  private func relative(_ place: Dependency.Place) -> String {
    guard case .workspace(let path) = place, let folder = stage.workingDirectory else { return place.text }
    let from = folder.text.split(separator: "/")
    let to = path.text.split(separator: "/")
    let shared = zip(from, to).prefix { $0 == $1 }.count
    return (Array(repeating: "..", count: from.count - shared) + to.dropFirst(shared).map(String.init)).joined(separator: "/")
  }
}
