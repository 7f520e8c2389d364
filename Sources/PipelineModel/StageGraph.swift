// Which stage needs which: acyclic, one producer a path, no output inside another.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import Diagnostics

/// The order of the stages. One that exists is sound.
package struct StageGraph: Sendable {
  /// In the order of the manifest.
  package let stages: [Stage]
  /// Index of a stage → indices of the stages that make what it reads, ascending.
  package let upstream: [[Int]]
  /// Index of a stage → indices of the stages that read what it makes, ascending.
  package let downstream: [[Int]]
  /// Every stage after those it needs; among free ones, the order of the manifest.
  package let order: [Int]

  /// - Throws: every conflict of outputs, or one circle.
  package init(_ stages: [Stage]) throws(DiagnosticList) {
    var mistakes = DiagnosticList()
    let producers = Self.producers(stages, &mistakes)
    try mistakes.throwIfErrors()
    var upstream: [[Int]] = []
    for (index, stage) in stages.enumerated() {
      var found: Set<Int> = []
      for dependency in stage.dependencies {
        switch dependency.place {
        case .workspace(let path): found.formUnion(producers.makers(of: path))
        case .pattern(let pattern): found.formUnion(producers.makers(of: pattern))
        case .external: break
        }
      }
      for file in Set(stage.parameters.map(\.file)) { found.formUnion(producers.makers(of: file)) }
      if found.remove(index) != nil {
        mistakes.add(
          Diagnostic(
            .input, "stage `\(stage.name)` reads what it writes itself", at: stage.location,
            hints: ["a file that stays between runs is an output with `persist: true`"]))
      }
      upstream.append(found.sorted())
    }
    try mistakes.throwIfErrors()
    var downstream = [[Int]](repeating: [], count: stages.count)
    for (index, needed) in upstream.enumerated() { for other in needed { downstream[other].append(index) } }
    self.stages = stages
    self.producers = producers
    self.upstream = upstream
    self.downstream = downstream
    self.order = try Self.sorted(stages, upstream, downstream)
  }

  private let producers: Producers

  private struct Producers: Sendable {
    /// Output path → stage.
    var exact: [String: Int] = [:]
    /// Folder → stages with an output somewhere below it.
    var below: [String: [Int]] = [:]

    /// Of the path or of a folder around it.
    func maker(of path: WorkspacePath) -> Int? {
      if let maker = exact[path.text] { return maker }
      var folder = path.parent
      while let current = folder {
        if let maker = exact[current.text] { return maker }
        folder = current.parent
      }
      return nil
    }

    func makers(of path: WorkspacePath) -> [Int] { maker(of: path).map { [$0] } ?? below[path.text] ?? [] }

    /// Stages with an output that matches, or with a folder that matching files may lie in.
    func makers(of pattern: PathPattern) -> [Int] {
      guard let base = pattern.base else { return exact.values.sorted() }
      return makers(of: base)
    }
  }

  private static func producers(_ stages: [Stage], _ mistakes: inout DiagnosticList) -> Producers {
    var producers = Producers()
    producers.exact.reserveCapacity(stages.count)
    for (index, stage) in stages.enumerated() {
      for output in stage.outputs {
        if let other = producers.exact.updateValue(index, forKey: output.path.text) {
          producers.exact[output.path.text] = other
          let owner = other == index ? "the same stage" : "stage `\(stages[other].name)`"
          let first = stages[other].outputs.first { $0.path == output.path }
          mistakes.add(
            Diagnostic(
              .input, "`\(output.path)` is already an output of \(owner)", at: output.location,
              causes: first.map { ["declared first at \($0.location)"] } ?? []))
        } else if let folder = output.path.parent {
          producers.below[folder.text, default: []].append(index)
        }
      }
    }
    gather(&producers)
    for mistake in nested(stages, producers) { mistakes.add(mistake) }
    return producers
  }

  /// Hands what is known of the folders that hold outputs on to the folders around them.
  private static func gather(_ producers: inout Producers) {
    for (folder, makers) in producers.below {
      var outer = WorkspacePath(folder)?.parent
      while let current = outer {
        producers.below[current.text, default: []] += makers
        outer = current.parent
      }
    }
    for folder in producers.below.keys { producers.below[folder]?.sort() }
  }

  /// Outputs inside others, by path.
  private static func nested(_ stages: [Stage], _ producers: Producers) -> [Diagnostic] {
    // Only a folder that holds an output can be an output around one.
    let around = producers.below.keys.filter { producers.exact[$0] != nil }.compactMap { WorkspacePath($0) }
    guard !around.isEmpty else { return [] }
    var found: [(path: WorkspacePath, mistake: Diagnostic)] = []
    let owned = stages.enumerated().flatMap { index, stage in
      stage.outputs.filter { producers.exact[$0.path.text] == index }
    }
    for output in owned {
      for folder in around where output.path != folder && output.path.isWithin(folder) {
        guard let owner = producers.exact[folder.text], let outer = stages[owner].outputs.first(where: { $0.path == folder })
        else { continue }
        found.append(
          (
            output.path,
            Diagnostic(
              .input, "output `\(output.path)` lies inside output `\(folder)`", at: output.location,
              causes: ["`\(folder)` is declared at \(outer.location)"],
              hints: ["declare the folder, or the files in it, not both"])
          ))
      }
    }
    return found.sorted { $0.path == $1.path ? $0.mistake.message < $1.mistake.message : $0.path < $1.path }.map(\.mistake)
  }

  /// Kahn's algorithm, taking the first free stage of the manifest each time.
  private static func sorted(_ stages: [Stage], _ upstream: [[Int]], _ downstream: [[Int]]) throws(DiagnosticList) -> [Int] {
    var missing = upstream.map(\.count)
    var free = Heap(missing.indices.filter { missing[$0] == 0 })
    var order: [Int] = []
    while let next = free.pop() {
      order.append(next)
      for other in downstream[next] {
        missing[other] -= 1
        if missing[other] == 0 { free.push(other) }
      }
    }
    guard order.count < stages.count else { return order }
    let circle = circle(among: Set(missing.indices.filter { missing[$0] > 0 }), upstream)
    let names = (circle + circle.prefix(1)).map { "`\(stages[$0].name)`" }
    throw DiagnosticList([
      Diagnostic(
        .input, "stages depend on one another in a circle: \(names.joined(separator: " → "))",
        at: circle.first.map { stages[$0].location },
        causes: circle.map { "`\(stages[$0].name)` is declared at \(stages[$0].location)" })
    ])
  }

  private static func circle(among rest: Set<Int>, _ upstream: [[Int]]) -> [Int] {
    guard var current = rest.min() else { return [] }
    var path: [Int] = []
    var position: [Int: Int] = [:]
    while position[current] == nil {
      position[current] = path.count
      path.append(current)
      guard let next = upstream[current].first(where: rest.contains) else { return path }
      current = next
    }
    return Array(path[(position[current] ?? 0)...].reversed())
  }

  /// The stages with those they need, in order. A frozen stage needs none.
  package func closure(of targets: [Int]) -> [Int] {
    reach(targets) { stages[$0].isFrozen ? [] : upstream[$0] }
  }

  /// The stages with those that need them, in order.
  package func descendants(of targets: [Int]) -> [Int] { reach(targets) { downstream[$0] } }

  /// The stages with all that are linked to them in either direction, in order.
  package func component(of targets: [Int]) -> [Int] { reach(targets) { upstream[$0] + downstream[$0] } }

  private func reach(_ targets: [Int], _ neighbours: (Int) -> [Int]) -> [Int] {
    var wanted = [Bool](repeating: false, count: stages.count)
    var stack = targets
    while let next = stack.popLast() {
      if wanted[next] { continue }
      wanted[next] = true
      stack += neighbours(next)
    }
    return order.filter { wanted[$0] }
  }

  /// Whether a stage makes a path, a folder around it or something below it.
  package func isMade(_ path: WorkspacePath) -> Bool { !producers.makers(of: path).isEmpty }

  /// The stage that makes a path or a folder around it.
  package func producer(of path: WorkspacePath) -> Stage? { producerIndex(of: path).map { stages[$0] } }

  package func producerIndex(of path: WorkspacePath) -> Int? { producers.maker(of: path) }

  /// Stages with an output below a folder.
  package func producers(below folder: WorkspacePath) -> [Int] {
    producers.below[folder.text] ?? []
  }
}

/// The smallest of a changing set of integers.
private struct Heap {
  private var items: [Int] = []

  init(_ items: [Int]) { for item in items { push(item) } }

  mutating func push(_ item: Int) {
    items.append(item)
    var child = items.count - 1
    while child > 0, items[child] < items[(child - 1) / 2] {
      items.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop() -> Int? {
    guard let top = items.first, let last = items.popLast() else { return nil }
    guard !items.isEmpty else { return top }
    items[0] = last
    var parent = 0
    while true {
      var smallest = parent
      for child in [parent * 2 + 1, parent * 2 + 2] where child < items.count && items[child] < items[smallest] {
        smallest = child
      }
      guard smallest != parent else { return top }
      items.swapAt(parent, smallest)
      parent = smallest
    }
  }
}
