// Configuration files read and written; the expected text is what DVC 3.67.1 left.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import PipelineModel
import Testing

@Suite struct ConfigTextTests {
  private func read(_ text: String) throws -> ConfigText { try ConfigText.read(text, file: "config") }

  @Test func `an edit leaves four spaces, and named sections last`() throws {
    var config = try read(
      "[Core]\nAnalytics = false\nremote = 'store'\n['remote \"store\"']\nurl = ../s\n[cache]\ntype = hardlink, copy\n")
    config.set(.text("true"), for: "autostage", in: "core")
    #expect(
      config.text == """
        [core]
            analytics = false
            remote = store
            autostage = true
        [cache]
            type = hardlink, copy
        ['remote "store"']
            url = ../s

        """)
  }

  @Test func `comments stay where they were`() throws {
    let text = """
      # head

      [core]
          # why
          analytics = false    # beside
      # before the remote
      ['remote "a"']
          url = ../s
      # the end

      """
    #expect(try read(text).text == text)
  }

  @Test func `a value that ends in a quote is read as it was written`() throws {
    var config = ConfigText()
    config.set(.text("it's \"so\""), for: "k", in: "core")
    #expect(config.text == "[core]\n    k = \"\"\"it's \"so\"\"\"\"\n")
    #expect(try read(config.text).value("k", in: "core") == .text("it's \"so\""))
    #expect(try read("[a]\nk = \'\'\'x\'\'\'\' # why\n").value("k", in: "a") == .text("x'"))
  }

  @Test func `a mark that combines with what stands before it takes no blank, quote or bracket along`() throws {
    let mark = "\u{0CF3}\u{301}"
    let text = "[\(mark)a]\n    \(mark)k =\(mark)v\n    l = \"\(mark),\"#\(mark)\n['remote \"\(mark)\"']\n    m = x,\(mark)\n"
    let config = try read(text)
    #expect(config.value("\(mark)k", in: "\(mark)a") == .text("\(mark)v"))
    #expect(config.value("l", in: "\(mark)a") == .text("\(mark),"))
    #expect(config.names(of: "remote") == [mark])
    #expect(config.value("m", in: mark, kind: "remote") == .list(["x", mark]))
    #expect(try read(config.text) == config)
    var written = ConfigText()
    for (index, value) in [" \(mark)", "a,\(mark)", "\"\(mark)", "it's \"\(mark)"].enumerated() {
      written.set(.text(value), for: "k\(index)", in: "core")
    }
    #expect(try read(written.text) == written)
  }

  @Test func `values are quoted only where they must be`() throws {
    var config = ConfigText()
    for (index, value) in ["a b#c'd", "a,b", " sp", "q\"x", "", "a'\"b", "plain it's"].enumerated() {
      config.set(.text(value), for: "k\(index)", in: "core")
    }
    let text = """
      [core]
          k0 = "a b#c'd"
          k1 = "a,b"
          k2 = " sp"
          k3 = q"x
          k4 = ""
          k5 = \"\"\"a'"b\"\"\"
          k6 = plain it's

      """
    #expect(config.text == text)
    #expect(try read(text) == config)
  }

  @Test func `a hash begins a comment, in quotes it does not`() throws {
    let config = try read("[a]\nx = /abs/x#y\ny = 'b # c' # d\nz = # only\n")
    #expect(config.value("x", in: "a") == .text("/abs/x"))
    #expect(config.value("y", in: "a") == .text("b # c"))
    #expect(config.value("z", in: "a") == .text(""))
  }

  @Test func `commas make lists`() throws {
    let config = try read("[a]\nnone = ,\none = x,\ntwo = \"a,b\", c\n")
    #expect(config.value("none", in: "a") == .list([]))
    #expect(config.value("one", in: "a") == .list(["x"]))
    #expect(config.value("two", in: "a") == .list(["a,b", "c"]))
    #expect(config.text == "[a]\n    none = ,\n    one = x,\n    two = \"a,b\", c\n")
  }

  @Test func `a text over several lines stands in three quotes`() throws {
    let config = try read("[a]\nx = '''one\ntwo''' # c\ny = 1\n")
    #expect(config.value("x", in: "a") == .text("one\ntwo"))
    #expect(config.value("y", in: "a") == .text("1"))
  }

  @Test func `without sections one newline is left`() throws {
    var config = try read("[core]\n    autostage = true\n")
    config.remove("autostage", in: "core")
    #expect(config.text == "\n")
    #expect(try read("\n").sections.isEmpty)
    #expect(try read("").sections.isEmpty)
  }

  @Test func `a remote is found by its name`() throws {
    let config = try read("['remote \"My Store\"']\nURL = /x\n[\"remote 'no'\"]\na = 1\n[remote \"plain\"]\nurl = y\n")
    #expect(config.names(of: "remote") == ["my store", "plain"])
    #expect(config.value("url", in: "my store", kind: "remote") == .text("/x"))
  }

  @Test(arguments: [
    ("[remote \"a]b\"] # see [1]", "remote \"a]b\""), ("['remote \"a\"'] # see [1]", "remote \"a\""),
    ("['remote \"s']t\"']", "remote \"s']t\""), ("['a' ]#x", "a"), ("[a] # b]", "a"), ("[\"remote \"x\"\"]", "remote \"x\""),
  ])
  func `a section's name ends where nothing but a comment follows`(line: String, name: String) throws {
    #expect(try read(line + "\nurl = y\n").sections.map(\.name) == [name])
  }

  @Test(arguments: [
    ("[core]\nnonsense\n", "a line is `key = value`, `[section]` or `# comment`", 2),
    ("a = 1\n", "`a` stands before any section", 1),
    ("[core]\na = 1\nA = 2\n", "`a` is there twice in section `core`", 3),
    ("[core]\n[Core]\n", "section `Core` is there twice", 2),
    ("[core\n", "the section has no `]`", 1),
    ("[[core]]\n", "a section is `[name]` or `['remote \"name\"']`", 1),
    ("[core] x\n", "`x` stands after the section's name", 1),
    ("[core]\n\"a'b\"\" = 1\n", "no key has both kinds of quotes, which no line can quote", 2),
    ("[core]\na = x, \"b\"c'd\"\n", "no item of a list has both kinds of quotes, which no line can quote", 2),
    ("[core]\na = \"b\n", "the value has no closing \"", 2),
    ("[core]\n\na = '''b\n", "the value has no closing '''", 3),
  ])
  func `a mistake has its line`(text: String, message: String, line: Int) {
    let found = #expect(throws: Diagnostic.self) { try ConfigText.read(text, file: "config") }
    #expect(found?.message == message)
    #expect(found?.location == SourceLocation(file: "config", line: line))
  }
}
