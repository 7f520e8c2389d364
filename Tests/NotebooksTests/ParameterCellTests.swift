// The cell that papermill knows by its tag: variables are defaults, and the stage's values come after them.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import Testing

@testable import Notebooks

struct `A cell tagged parameters` {
  private static let jupyter = ##"""
    {"cells": [
     {"cell_type": "code", "execution_count": null, "metadata": {"tags": ["parameters"]}, "outputs": [],
      "source": "lr = 0.1\nname: str = 'default'\nflags = {}\nother = 5"},
     {"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [],
      "source": "print(lr, name, flags, other)"}
    ], "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
    "nbformat": 4, "nbformat_minor": 4}
    """##
  private static let values: [String: ContextValue] = [
    "lr": .number(0.5), "name": .text("it's \"x\""), "flags": .mapping(["a": .boolean(true), "b": .null]),
  ]

  @Test func `gets the values of the stage in a Jupyter notebook, and shows which`() throws {
    let notebook = try NotebookParser.parse(Self.jupyter, file: "a.ipynb")
    let ran = try run(notebook, params: Self.values)
    #expect(ran.outcome == .done, "\(ran.failure ?? "")")
    #expect(ran.printed.hasPrefix("0.5 it's \"x\" {") && ran.printed.hasSuffix("} 5\n"))
    #expect(ran.warnings == [])
    #expect(
      ran.cells[0].outputs.last?.data["text/plain"]
        == "# Parameters\nlr = 0.5\nname = \"it's \\\"x\\\"\"\nflags = {\"a\": True, \"b\": None}")
    let exported = try ran.woven.jupyterText()
    #expect(exported.contains("\"injected-parameters\"") && exported.contains(#""lr = 0.5\n""#))
  }

  @Test func `keeps its defaults where the stage has none, and says when a name is only the end of a parameter's`() throws {
    let notebook = try NotebookParser.parse(Self.jupyter, file: "a.ipynb")
    #expect(try run(notebook).printed == "0.1 default {} 5\n")
    let ran = try run(notebook, params: ["train.lr": .number(0.5)])
    #expect(ran.printed == "0.1 default {} 5\n")
    #expect(
      ran.warnings.first?.message == "the cell tagged `parameters` keeps its own `lr`: the stage's parameter is `train.lr`")
    #expect(ran.warnings.first?.hints == ["name the variable `train_lr`, and it takes the parameter's value"])
  }

  @Test func `works in the other forms and in bash, by the full path with underscores`() throws {
    let ran = try run(
      """
      ```{python}
      #| tags: [parameters]
      train_lr = 1
      if True:
          train_depth = 3
      ```
      ```{bash}
      #| tags: [parameters, x]
      train_name=none
      ```
      ```{python}
      print(train_lr, train_depth)
      ```
      ```{bash}
      echo "$train_name"
      ```
      """, params: ["train.lr": .integer(2), "train.depth": .integer(9), "train.name": .text("a b")],
      environment: ["PIPE_PARAM_train_name": "a b"])
    #expect(ran.outcome == .done, "\(ran.failure ?? "")")
    // Only what stands at the beginning of a line is a default.
    #expect(ran.printed == "2 3\na b\n")
  }

  @Test func `in bash takes a value of a mapping that is declared as a whole`() throws {
    let ran = try run(
      "```{bash}\n#| tags: [parameters]\ntrain_name=none\ntrain_lr=0\n```\n```{bash}\necho \"$train_name $train_lr\"\n```\n",
      params: ["train": .mapping(["name": .text("it's"), "lr": .number(0.5)])])
    #expect(ran.outcome == .done, "\(ran.failure ?? "")")
    #expect(ran.printed == "it's 0.5\n")
  }

  @Test func `says why its variables do not take the values`() throws {
    let ran = try run(
      "```{bash}\n#| tags: [parameters]\nlr=1\nreadonly lr\n```\n", params: ["lr": .integer(2)],
      environment: ["PIPE_PARAM_lr": "2"])
    #expect(
      ran.failure == "3: cell 1 (1 of 1) failed: after the cell, its variables do not take the stage's values: exit status 1")
    #expect(ran.complained.contains("lr: readonly variable"))
  }

  @Test func `may have the tag for all its tags, as papermill takes it`() throws {
    let one = Self.jupyter.replacing(#"{"tags": ["parameters"]}"#, with: #"{"tags": "parameters"}"#)
    #expect(try run(try NotebookParser.parse(one, file: "a.ipynb"), params: ["lr": .number(0.5)]).printed.hasPrefix("0.5 "))
  }

  /// As papermill leaves it, or an export: the values of an earlier run stand below the defaults.
  private static let injected = jupyter.replacing(
    ##"{"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [],"##,
    with: ##"""
      {"cell_type": "code", "execution_count": null, "metadata": {"tags": ["injected-parameters"]}, "outputs": [],
       "source": "# Parameters\nlr = 0.9\nother = 9"},
      {"cell_type": "code", "execution_count": null, "metadata": {"tags": ["hide-input"]}, "outputs": [],
      """##)

  @Test func `is followed by the values of this run alone, whatever an earlier one left in the file`() throws {
    let notebook = try NotebookParser.parse(Self.injected, file: "a.ipynb")
    let ran = try run(notebook, params: ["lr": .number(0.5)])
    // `other` is no parameter any more: its default counts.
    #expect(ran.printed == "0.5 default {} 5\n", "\(ran.failure ?? "")")
    let exported = try ran.woven.jupyterText()
    #expect(exported.components(separatedBy: "\"injected-parameters\"").count == 2 && !exported.contains("0.9"))
    // Tags are for who reads the file next.
    #expect(exported.contains("\"parameters\"") && exported.contains("\"hide-input\""))
    // What was exported runs and is exported to the same.
    let again = try run(try NotebookParser.parse(exported, file: "a.ipynb"), params: ["lr": .number(0.5)])
    #expect(try again.woven.jupyterText() == exported)
    #expect(ran.woven.rewoven(as: notebook) == ran.woven)
  }

  @Test func `stays without a say where nothing gives it values, and the values in the file count`() throws {
    let ran = try run(try NotebookParser.parse(Self.injected, file: "a.ipynb"))
    #expect(ran.printed == "0.9 default {} 9\n")
  }

  @Test func `may be the one that papermill put in, where there is no other`() throws {
    let text = Self.injected.replacing(#"{"tags": ["parameters"]}"#, with: "{}")
    let ran = try run(try NotebookParser.parse(text, file: "a.ipynb"), params: ["lr": .number(0.5)])
    #expect(ran.printed == "0.5 default {} 9\n", "\(ran.failure ?? "")")
    let exported = try ran.woven.jupyterText()
    #expect(exported.components(separatedBy: "\"injected-parameters\"").count == 2)
    #expect(exported.components(separatedBy: "\"parameters\"").count == 2)
    #expect(ran.woven.rewoven(as: try NotebookParser.parse(text, file: "a.ipynb")) == ran.woven)
  }

  @Test func `is part of what a stage follows from`() throws {
    let plain = try NotebookParser.parse("```{python}\nlr = 1\n```", file: "a.qmd")
    let tagged = try NotebookParser.parse("```{python}\n#| tags: [parameters]\nlr = 1\n```", file: "a.qmd")
    let other = try NotebookParser.parse("```{python}\n#| tags: [slow]\nlr = 1\n```", file: "a.qmd")
    #expect(plain.fingerprintText != tagged.fingerprintText)
    #expect(plain.fingerprintText == other.fingerprintText)
  }
}
