// `pipe config`: read and change options.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Diagnostics
import PipelineModel

/// Which configuration file a command reads or changes.
struct LevelOptions: ParsableArguments {
  enum Choice: String, EnumerableFlag {
    case global, system, project, local

    static func help(for value: Choice) -> ArgumentHelp? {
      switch value {
      case .global: "The file of this user."
      case .system: "The file of this machine."
      case .project: "The file of this project, which Git keeps. Default for changes."
      case .local: "The file of this project that Git ignores."
      }
    }
  }

  @Flag(exclusivity: .exclusive) var choice: Choice?

  var level: ConfigurationLevel? { choice.flatMap { ConfigurationLevel(rawValue: $0.rawValue) } }
}

extension OptionName: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

struct ConfigCommand: ParsableCommand, HasVolume {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Print or change an option of the configuration.",
    discussion: """
      Examples:
        pipe config core.autostage true
        pipe config cache.type
        pipe config --unset core.remote
        pipe config --list --show-origin
      """)

  @Argument(help: "`section.option`, or `remote.NAME.option`.") var name: OptionName?
  @Argument(help: "The value to set. Without it the option is printed.") var value: String?
  @Flag(name: [.short, .long], help: "Remove the option.") var unset = false
  @Flag(name: [.short, .long], help: "Print all options that are set.") var list = false
  @Flag(help: "Print the file of each option before it.") var showOrigin = false
  @OptionGroup var levels: LevelOptions
  @OptionGroup var volume: Volume

  func validate() throws {
    if list, name != nil || unset { throw ValidationError("--list goes without a name and without --unset") }
    if showOrigin, value != nil || unset { throw ValidationError("--show-origin goes without a value and without --unset") }
    if unset, value != nil { throw ValidationError("--unset goes without a value") }
    if !list, name == nil { throw ValidationError("the name of an option is missing, as in `core.remote`") }
  }

  func run() throws {
    let files = try ConfigurationFiles.here()
    let configuration = try files.read()
    guard let name else { return try printAll(configuration, files) }
    if let value { return try files.write(configuration.setting(name, to: value, at: levels.level ?? .project)) }
    if unset { return try files.write(configuration.unsetting(name, at: levels.level ?? .project)) }
    try print(name, configuration, files)
  }

  private func print(_ name: OptionName, _ configuration: Configuration, _ files: ConfigurationFiles) throws {
    guard let level = levels.level else {
      if let (value, layer) = configuration.value(name) { Terminal.standard.out(prefix(layer, files) + value.listed) }
      return
    }
    guard let layer = configuration.layer(level), let value = configuration.value(name, at: layer) else {
      throw Diagnostic(.input, "`\(name)` is not set in the \(level.rawValue) configuration")
    }
    Terminal.standard.out(prefix(layer, files) + value.listed)
  }

  private func printAll(_ configuration: Configuration, _ files: ConfigurationFiles) throws {
    if let level = levels.level, configuration.layer(level) == nil {
      throw Diagnostic(.input, "the \(level.rawValue) configuration belongs to a project, and this folder is in none")
    }
    let lines = configuration.layers.filter { levels.level == nil || $0.level == levels.level }.flatMap { layer in
      configuration.options(at: layer).map { "\(prefix(layer, files))\($0.name)=\($0.value.listed)\n" }
    }
    if !lines.isEmpty { Terminal.standard.out(lines.joined()) }
  }

  private func prefix(_ layer: ConfigurationLayer, _ files: ConfigurationFiles) -> String {
    showOrigin ? files.shown(layer.file) + "\t" : ""
  }
}

extension ConfigText.Value {
  /// As DVC prints it: a list in brackets with quotes.
  var listed: String {
    switch self {
    case .text(let text): text
    case .list(let items): "[" + items.map { "'\($0)'" }.joined(separator: ", ") + "]"
    }
  }
}
