// `pipe root` and `pipe version`: where one is, and with what.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Diagnostics
import Glibc
import PipelineModel

struct RootCommand: ParsableCommand, HasVolume {
  static let configuration = CommandConfiguration(
    commandName: "root", abstract: "Print the path from here to the project's folder.",
    discussion: """
      Example:
        cd "$(pipe root)"
      """)
  @OptionGroup var volume: Volume

  func run() throws {
    let files = try ConfigurationFiles.here()
    guard let root = files.root else {
      throw Diagnostic(.input, "this folder is in no project", hints: ["`pipe init` makes one"])
    }
    Terminal.standard.out(ConfigurationPaths.relative(root, to: files.current))
  }
}

struct VersionCommand: ParsableCommand, HasVolume {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Print the version, the system and the project.", aliases: ["doctor"])
  @OptionGroup var volume: Volume

  func run() throws {
    var rows = [["pipe", pipeVersion], ["system", Self.system]]
    let files = try ConfigurationFiles.here()
    if let root = files.root {
      let configuration = try files.read()
      let home = "\(root)/\(files.dialect.markerFolder)/\(files.dialect.isNative ? "store" : "cache")"
      rows += [
        ["project", root], ["dialect", files.dialect.isNative ? "native (pipeline.yaml, SHA-256)" : "DVC (dvc.yaml, MD5)"],
        ["cache", configuration.cacheFolder ?? home], ["links", configuration.cacheTypes.joined(separator: ", ")],
        ["remotes", configuration.remoteNames.isEmpty ? "none" : configuration.remoteNames.joined(separator: ", ")],
      ]
    } else {
      rows.append(["project", "none around this folder"])
    }
    Terminal.standard.out(columns(rows))
  }

  private static var system: String {
    var name = utsname()
    guard uname(&name) == 0 else { return "unknown" }
    return [text(&name.sysname), text(&name.release), text(&name.machine)].joined(separator: " ")
  }

  private static func text<Characters>(_ characters: inout Characters) -> String {
    withUnsafeBytes(of: &characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
