// Fingerprints: fixed for all time, and different for every difference that matters.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import PipelineModel
import Testing

@Test func `the fingerprint of a recipe is this digest, on every machine and in every version`() throws {
  // The encoding written out with Python's struct and hashed with hashlib.
  #expect(
    Fingerprint(of: try sampleRecipe()).digest.hex == "67225acace3bfc862312744a784b42c7ca7d09cca84a2cfdcd4311c7848e78c0")
  let notebook = Recipe(
    commands: [], notebook: Recipe.NotebookCode(path: "n.qmd", code: abc), workingDirectory: nil, tools: [], inputs: [],
    parameters: [
      Parameter(
        file: try #require(WorkspacePath("p.yaml")), key: nil,
        value: .mapping([("b", .text("é")), ("a", .list([.null, .bool(true), .bool(false)]))]))
    ], environment: [], targets: [])
  #expect(Fingerprint(of: notebook).digest.hex == "b1459fcb91af651c021a5aa7fdaa1e9579fde2c62575cc03e1f76ff9c469a54b")
}

@Test func `any one change of what decides a result changes the fingerprint, and no two changes agree`() throws {
  let file = try #require(WorkspacePath("params.yaml"))
  let other = try #require(WorkspacePath("other.yaml"))
  let changes: [(String, (inout Recipe) -> Void)] = [
    ("command", { $0.commands = ["echo ho"] }), ("two commands", { $0.commands = ["echo hi", ""] }),
    ("split command", { $0.commands = ["echo", "hi"] }), ("no command", { $0.commands = [] }),
    ("notebook", { $0.notebook = Recipe.NotebookCode(path: "n.qmd", code: abc) }),
    ("code", { $0.notebook = Recipe.NotebookCode(path: "n.qmd", code: Digest.of("x")) }),
    ("folder", { $0.workingDirectory = nil }), ("other folder", { $0.workingDirectory = "su" }),
    ("tool", { $0.tools = [] }), ("tool version", { $0.tools[0].version = 3 }), ("tool name", { $0.tools[0].name = "trai" }),
    ("input path", { $0.inputs[0].path = "data/b.csv" }), ("input", { $0.inputs[0].digest = Digest.of("x") }),
    ("input kind", { $0.inputs[0].digest = abc.asTree() }), ("no input", { $0.inputs = [] }),
    ("twice the input", { $0.inputs.append($0.inputs[0]) }),
    ("parameter", { $0.parameters[0].value = .integer(4) }), ("parameter kind", { $0.parameters[0].value = .text("3") }),
    ("parameter key", { $0.parameters[0].key = "m" }), ("parameter file", { $0.parameters[0].file = other }),
    ("no parameter", { $0.parameters.removeLast() }),
    ("another", { $0.parameters.append(Parameter(file: file, key: "z", value: .null)) }),
    ("variable", { $0.environment[0].value = "c" }), ("variable name", { $0.environment[0].name = "B" }),
    ("no variable", { $0.environment = [] }), ("variable cut", { $0.environment = [EnvironmentVariable(name: "", value: "Ab")] }),
    ("output", { $0.targets[0].path = "out.tx" }), ("no output", { $0.targets = [] }),
  ]
  var seen = [Fingerprint(of: try sampleRecipe()): "nothing"]
  for (name, change) in changes {
    var recipe = try sampleRecipe()
    change(&recipe)
    let fingerprint = Fingerprint(of: recipe)
    #expect(seen[fingerprint] == nil, "\(name) is like \(seen[fingerprint] ?? "")")
    seen[fingerprint] = name
  }
}

@Test func `what does not decide the result does not change the fingerprint`() throws {
  let expected = Fingerprint(of: try sampleRecipe())
  var recipe = try sampleRecipe()
  recipe.inputs[0].size = 99
  recipe.targets[0].isPersistent = true
  recipe.targets[0].isCached = false
  recipe.targets[0].kind = .metrics
  recipe.parameters[0].value = .double(3)
  #expect(Fingerprint(of: recipe) == expected)
}

@Test func `the order in which things are declared does not matter, but that of commands does`() throws {
  func recipe(_ flip: Bool, commands: [String] = ["a", "b"]) -> Recipe {
    func ordered<T>(_ items: [T]) -> [T] { flip ? items.reversed() : items }
    return Recipe(
      commands: commands, notebook: nil, workingDirectory: nil,
      tools: ordered([Recipe.Tool(name: "a", version: 1), Recipe.Tool(name: "b", version: 1)]),
      inputs: ordered(["x", "y"].map { Recipe.Input(path: $0, digest: abc, size: 3, files: nil) }),
      parameters: ordered(
        ["p.yaml", "q.yaml"].compactMap { WorkspacePath($0) }.map { Parameter(file: $0, key: "k", value: .null) }),
      environment: ordered(["A", "B"].map { EnvironmentVariable(name: $0, value: "v") }),
      targets: ordered(["u", "v"].map { Recipe.Target(path: $0, kind: .data, isCached: true, isPersistent: false) }))
  }
  #expect(recipe(true) == recipe(false))
  #expect(Fingerprint(of: recipe(true)) == Fingerprint(of: recipe(false)))
  #expect(Fingerprint(of: recipe(true, commands: ["b", "a"])) != Fingerprint(of: recipe(true)))
}
