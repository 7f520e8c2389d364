// Where the configuration files of a project and of its user are; reading and writing them.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Foundation
import Glibc
import PipelineModel

struct ConfigurationFiles {
  /// Absolute; `nil` outside a project.
  let root: String?
  let dialect: Dialect
  /// Absolute, without links.
  let current: String

  /// The files of the project around the folder one is in.
  static func here() throws -> ConfigurationFiles {
    guard let real = realpath(".", nil) else { throw Diagnostic(.input, "the folder one is in is gone") }
    defer { free(real) }
    let current = String(cString: real)
    var folder = current
    while !folder.isEmpty {
      for dialect in [Dialect.native, .dvc] where FileStat("\(folder)/\(dialect.markerFolder)")?.kind == .directory {
        return ConfigurationFiles(root: folder, dialect: dialect, current: current)
      }
      if FileStat("\(folder)/\(Dialect.native.manifestName)") != nil {
        return ConfigurationFiles(root: folder, dialect: .native, current: current)
      }
      guard let slash = folder.lastIndex(of: "/") else { break }
      folder = String(folder[..<slash])
    }
    return ConfigurationFiles(root: nil, dialect: .dvc, current: current)
  }

  /// The file of a level; `nil` for the project's levels outside a project.
  func file(_ level: ConfigurationLevel) -> String? {
    switch level {
    case .system: "\(systemFolder)/config"
    case .global: "\(globalFolder)/config"
    case .project: root.map { "\($0)/\(dialect.markerFolder)/config" }
    case .local: root.map { "\($0)/\(dialect.markerFolder)/config.local" }
    }
  }

  /// All levels together.
  ///
  /// - Throws: a `Diagnostic` for a file that cannot be read, `StoreError`.
  func read() throws -> Configuration {
    var layers: [ConfigurationLayer] = []
    if let older = try olderNativeLayer() { layers.append(older) }
    for level in ConfigurationLevel.allCases {
      guard let file = file(level) else { continue }
      let text = try AtomicFile.readText(file) ?? ""
      layers.append(ConfigurationLayer(level: level, file: file, text: try ConfigText.read(text, file: shown(file))))
    }
    return Configuration(layers, paths: ConfigurationPaths(home: home, current: current))
  }

  /// Every file that `read` looks for.
  var all: [String] {
    let older = dialect.isNative ? root.map { ["\($0)/\(dialect.markerFolder)/config.yaml"] } ?? [] : []
    return older + ConfigurationLevel.allCases.compactMap(file)
  }

  func write(_ layer: ConfigurationLayer) throws {
    try AtomicFile.makeFolder(layer.folder)
    try AtomicFile.write(layer.text.text, to: layer.file)
  }

  /// A file's name as listings show it: inside the project from its root.
  func shown(_ file: String) -> String {
    guard let root, file.hasPrefix(root + "/") else { return file }
    return String(file.dropFirst(root.utf8.count + 1))
  }

  /// `.pipe/config.yaml` of earlier versions has one key, `remote`: a folder, from the project's root.
  private func olderNativeLayer() throws -> ConfigurationLayer? {
    guard dialect.isNative, let root else { return nil }
    let file = "\(root)/\(dialect.markerFolder)/config.yaml"
    guard let text = try AtomicFile.readText(file) else { return nil }
    let (tree, mistakes) = YAMLReader.read(text, file: shown(file))
    try mistakes.throwIfErrors()
    guard let folder = tree?["remote"]?.text else { return nil }
    var config = ConfigText()
    config.set(.text("default"), for: "remote", in: "core")
    config.set(.text(folder.hasPrefix("/") ? folder : "\(root)/\(folder)"), for: "url", in: "default", kind: "remote")
    return ConfigurationLayer(level: .project, file: file, text: config)
  }

  // MARK: Folders of the system and of the user

  private var home: String { variable("HOME") ?? NSHomeDirectory() }

  private var systemFolder: String {
    let first = variable("XDG_CONFIG_DIRS")?.split(separator: ":").first.map(String.init) ?? "/etc/xdg"
    return override("SYSTEM_CONFIG_DIR") ?? "\(first)/\(program)"
  }

  private var globalFolder: String {
    override("GLOBAL_CONFIG_DIR") ?? "\(variable("XDG_CONFIG_HOME") ?? "\(home)/.config")/\(program)"
  }

  private var program: String { dialect.isNative ? "pipe" : "dvc" }

  private func override(_ name: String) -> String? { variable((dialect.isNative ? "PIPE_" : "DVC_") + name) }

  private func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }
}
