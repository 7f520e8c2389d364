// `pipe completion`: scripts for bash, zsh and fish.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

struct CompletionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "completion",
    abstract: "Print a completion script for a shell.",
    discussion: """
      Examples:
        pipe completion bash > ~/.local/share/bash-completion/completions/pipe
        pipe completion zsh > ~/.zfunc/_pipe
        pipe completion fish > ~/.config/fish/completions/pipe.fish
      """)

  enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

  @Argument(help: "bash, zsh or fish.") var shell: Shell

  func run() {
    let shell: CompletionShell =
      switch shell {
      case .bash: .bash
      case .zsh: .zsh
      case .fish: .fish
      }
    Terminal.standard.out(Pipe.completionScript(for: shell))
  }
}
