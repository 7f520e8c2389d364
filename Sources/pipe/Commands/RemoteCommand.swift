// `pipe remote` and `pipe cache`: where data is kept elsewhere, and where here.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import Diagnostics
import PipelineModel

struct RemoteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remote", abstract: "Add, list and change remotes.",
    discussion: """
      Examples:
        pipe remote add --default store /mnt/share/store
        pipe remote list
        pipe remote modify store jobs 4
      """,
    subcommands: [Add.self, Default.self, List.self, Modify.self, Remove.self, Rename.self])

  /// Changes the configuration and writes what came of it.
  static func edit(_ change: (Configuration) throws -> [ConfigurationLayer]) throws {
    let files = try ConfigurationFiles.here()
    let before = try files.read()
    // DVC writes every file that it looked through; natively only what differs.
    for layer in try change(before) where !files.dialect.isNative || !before.layers.contains(layer) { try files.write(layer) }
  }

  struct Add: ParsableCommand, HasVolume {
    static let configuration = CommandConfiguration(abstract: "Add a remote.")

    @Argument(help: "Its name.") var name: String
    @Argument(help: "A folder or url. A relative folder is one from here.") var url: String
    @Flag(name: [.short, .long], help: "Make it the default.") var `default` = false
    @Flag(name: [.short, .long], help: "Replace a remote of this name.") var force = false
    @OptionGroup var levels: LevelOptions
    @OptionGroup var volume: Volume

    func run() throws {
      let name = name.lowercased()
      try RemoteCommand.edit {
        [
          try $0.addingRemote(name, url: url, isDefault: `default`, replaces: force, at: levels.level ?? .project)
        ]
      }
      if `default` { Terminal.standard.out("Setting '\(name)' as a default remote.") }
    }
  }

  struct Default: ParsableCommand, HasVolume {
    static let configuration = CommandConfiguration(abstract: "Print, set or unset the default remote.")

    @Argument(help: "The remote. Without it the default is printed.") var name: String?
    @Flag(name: [.short, .long], help: "Have no default.") var unset = false
    @OptionGroup var levels: LevelOptions
    @OptionGroup var volume: Volume

    func run() throws {
      if name != nil || unset {
        return try RemoteCommand.edit {
          [try $0.settingDefaultRemote(unset ? nil : name?.lowercased(), at: levels.level ?? .project)]
        }
      }
      let configuration = try ConfigurationFiles.here().read()
      let option = OptionName(section: "core", option: "remote")
      let value =
        levels.level.map { level in configuration.layer(level).flatMap { configuration.value(option, at: $0) } }
        ?? configuration.value(option)?.value
      guard let value else {
        throw Diagnostic(.work, "there is no default remote", hints: ["`pipe remote default NAME` sets one"])
      }
      Terminal.standard.out(value.listed)
    }
  }

  struct List: ParsableCommand, HasVolume {
    static let configuration = CommandConfiguration(abstract: "Print all remotes with their places.")

    @OptionGroup var levels: LevelOptions
    @OptionGroup var volume: Volume

    func run() throws {
      let all = try ConfigurationFiles.here().read()
      let layers = all.layers.filter { levels.level == nil || $0.level == levels.level }
      let configuration = Configuration(layers, paths: all.paths)
      let rows = try configuration.remoteNames.map { name -> [String] in
        let remote = try configuration.remote(name)
        return [name, remote.url] + (name == configuration.defaultRemote ? ["(default)"] : [])
      }
      if !rows.isEmpty { Terminal.standard.out(rows.map { atTabStops($0) + "\n" }.joined()) }
    }

    /// Cells that begin at multiples of eight columns.
    private func atTabStops(_ cells: [String]) -> String {
      cells.dropLast().reduce("") { line, cell in
        let text = line + cell
        return text + String(repeating: " ", count: 8 - text.count % 8)
      } + (cells.last ?? "")
    }
  }

  struct Modify: ParsableCommand, HasVolume {
    static let configuration = CommandConfiguration(abstract: "Change an option of a remote.")

    @Argument(help: "The remote.") var name: String
    @Argument(help: "The option: `url`, `jobs`, `verify` …") var option: String
    @Argument(help: "Its value.") var value: String?
    @Flag(name: [.short, .long], help: "Remove the option.") var unset = false
    @OptionGroup var levels: LevelOptions
    @OptionGroup var volume: Volume

    func validate() throws {
      if !unset, value == nil { throw ValidationError("the value is missing; --unset removes the option") }
    }

    func run() throws {
      try RemoteCommand.edit {
        [
          try $0.modifyingRemote(
            name.lowercased(), option: option.lowercased(), value: unset ? nil : value, at: levels.level ?? .project)
        ]
      }
    }
  }

  struct Remove: ParsableCommand, HasVolume {
    static let configuration = CommandConfiguration(abstract: "Forget a remote. What it keeps stays there.")

    @Argument(help: "The remote.") var name: String
    @OptionGroup var levels: LevelOptions
    @OptionGroup var volume: Volume

    func run() throws {
      try RemoteCommand.edit { try $0.removingRemote(name.lowercased(), at: levels.level ?? .project) }
    }
  }

  struct Rename: ParsableCommand, HasVolume {
    static let configuration = CommandConfiguration(abstract: "Give a remote another name.")

    @Argument(help: "The remote.") var name: String
    @Argument(help: "Its new name.") var new: String
    @OptionGroup var levels: LevelOptions
    @OptionGroup var volume: Volume

    func run() throws {
      try RemoteCommand.edit {
        try $0.renamingRemote(name.lowercased(), to: new.lowercased(), at: levels.level ?? .project)
      }
    }
  }
}

struct CacheCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cache", abstract: "Where this project keeps its data.", subcommands: [Dir.self])

  struct Dir: ParsableCommand, HasVolume {
    static let configuration = CommandConfiguration(
      commandName: "dir", abstract: "Print or change the folder.",
      discussion: """
        Example:
          pipe cache dir /mnt/big/cache
        """)

    @Argument(help: "The folder; a relative one is one from here. Without it the folder is printed.", completion: .directory)
    var value: String?
    @Flag(name: [.short, .long], help: "Go back to the folder inside the project.") var unset = false
    @OptionGroup var levels: LevelOptions
    @OptionGroup var volume: Volume

    func run() throws {
      let files = try ConfigurationFiles.here()
      let configuration = try files.read()
      let name = OptionName(section: "cache", option: "dir")
      if unset { return try files.write(configuration.unsetting(name, at: levels.level ?? .project)) }
      if let value { return try files.write(configuration.setting(name, to: value, at: levels.level ?? .project)) }
      if let level = levels.level {
        guard let layer = configuration.layer(level), let folder = configuration.value(name, at: layer) else {
          throw Diagnostic(.input, "`cache.dir` is not set in the \(level.rawValue) configuration")
        }
        return Terminal.standard.out(folder.listed)
      }
      if let folder = configuration.cacheFolder { return Terminal.standard.out(folder) }
      guard let root = files.root else { throw Diagnostic(.input, "this folder is in no project") }
      Terminal.standard.out("\(root)/\(files.dialect.markerFolder)/\(files.dialect.isNative ? "store" : "cache")")
    }
  }
}
