// What libraries of charts and tables show, and that it is the same on every run.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Notebooks

/// A virtual environment with matplotlib, altair, plotly, pandas, polars and nbformat.
private let environmentFolder = ProcessInfo.processInfo.environment["PIPE_PYTHON_VENV"]

@Suite(
  .enabled(
    if: environmentFolder != nil,
    "PIPE_PYTHON_VENV names no virtual environment with matplotlib, altair, plotly, pandas, polars and nbformat"))
struct RichOutputTests {
  private func runRich(_ text: String) throws -> Ran {
    let path = "\(environmentFolder ?? "")/bin:\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
    return try run(text, environment: ["PATH": path])
  }

  private static let notebook = """
    ```{python}
    #| label: figure
    import matplotlib.pyplot as plt
    fig, ax = plt.subplots()
    ax.plot([1, 2, 3])
    plt.figure(); plt.bar(["a", "b"], [1, 2])
    ```
    ```{python}
    import altair as alt, pandas as pd
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, None]}, index=pd.Index(["x", "y"], name="key"))
    alt.Chart(frame).mark_point().encode(x="a:Q", y="b:Q").show()
    alt.Chart(frame).mark_bar().encode(x="a:Q")
    ```
    ```{python}
    import plotly.graph_objects as go
    figure = go.Figure(go.Bar(x=["a"], y=[1]))
    figure.show()
    figure
    ```
    ```{python}
    display(frame)
    import polars
    polars.DataFrame({"n": [1, 2, 3], "t": ["u", None, "v"], "x": [1/3, 115.61430130683084, 1.0000000001]})
    ```
    ```{python}
    frame.style.highlight_max()
    ```
    ```{python}
    import io
    buffer = io.BytesIO(); fig.savefig(buffer, format="png"); display(buffer.getvalue())
    from IPython.display import display as shown, HTML
    shown(HTML("<b>bold</b>"))
    shown({"text/plain": "raw"}, raw=True)
    ```

    """

  @Test func `charts are data, figures are SVG, frames are tables, and two runs give the same bytes`() throws {
    let ran = try runRich(Self.notebook)
    #expect(ran.outcome == .done, "\(ran.failure ?? "")")
    let displays = ran.cells.map { cell in cell.outputs.filter { $0.kind == .display }.map(\.data) }
    #expect(displays[0].map { $0.keys.sorted() } == [["image/svg+xml", "text/plain"], ["image/svg+xml", "text/plain"]])
    let svg = try #require(displays[0].first?["image/svg+xml"])
    #expect(svg.hasPrefix("<svg") && !svg.contains("dc:date"))
    #expect(displays[1].map { $0["text/plain"] } == ["<altair.Chart>", "<altair.Chart>"])
    #expect(displays[1].allSatisfy { $0.keys.contains { $0.hasPrefix("application/vnd.vegalite.v") } && $0["text/html"] == nil })
    #expect(
      displays[2].map { $0.keys.sorted() }.allSatisfy {
        $0.contains("application/vnd.plotly.v1+json") && !$0.contains("text/html")
      })
    #expect(displays[2].count == 2)
    #expect(
      displays[3].map { $0["application/vnd.pipe.table+json"] } == [
        #"{"columns":["key","a","b"],"rows":[["x","1","0.5"],["y","2",null]],"totalRows":2}"#,
        #"{"columns":["n","t","x"],"rows":[["1","u","0.333333"],["2",null,"115.614301"],["3","v","1.0"]],"totalRows":3}"#,
      ])
    #expect(displays[4].first?["text/html"]?.contains("T_5-1") == true)
    #expect(displays[5].map { $0.keys.sorted() } == [["image/png", "text/plain"], ["text/html", "text/plain"], ["text/plain"]])
    #expect(displays[5][0]["image/png"]?.hasPrefix("iVBORw0KGgo") == true)
    #expect(try runRich(Self.notebook).woven.canonicalJSON() == ran.woven.canonicalJSON())
  }

  @Test func `an exported notebook is valid for nbformat, also when a cell failed`() throws {
    let failing = try runRich(Self.notebook + "```{bash}\n#| label: x\necho a; exit 3\n```\n```{sql}\nSELECT 1\n```\n")
    #expect(failing.failure?.contains("exit status 3") == true)
    let text = try failing.woven.jupyterText()
    #expect(text.contains(#""outcome": "notRun""#) && text.contains(#""output_type": "error""#))
    let check =
      "```{python}\nimport nbformat, pathlib\nnotebook = nbformat.reads(pathlib.Path('a.ipynb').read_text(), 4)\nnbformat.validate(notebook)\nprint(len(notebook.cells))\n```"
    let path = "\(environmentFolder ?? "")/bin:\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
    let ran = try run(check, files: ["a.ipynb": text], environment: ["PATH": path])
    #expect(ran.outcome == .done, "\(ran.texts(.failure))")
    #expect(ran.printed == "8\n")
  }
}
