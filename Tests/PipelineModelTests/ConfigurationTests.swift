// Levels of configuration, their paths, and edits.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import PipelineModel
import Testing

@Suite struct ConfigurationTests {
  private func configuration(
    system: String = "", global: String = "", project: String? = "", local: String = "", in current: String = "/p/sub"
  ) throws -> Configuration {
    var layers = [
      ConfigurationLayer(level: .system, file: "/etc/dvc/config", text: try .read(system, file: "s")),
      ConfigurationLayer(level: .global, file: "/users/u/.config/dvc/config", text: try .read(global, file: "g")),
    ]
    if let project {
      layers.append(ConfigurationLayer(level: .local, file: "/p/.dvc/config.local", text: try .read(local, file: "l")))
      layers.append(ConfigurationLayer(level: .project, file: "/p/.dvc/config", text: try .read(project, file: "p")))
    }
    return Configuration(layers, paths: ConfigurationPaths(home: "/users/u", current: current))
  }

  @Test func `the nearest level wins`() throws {
    let some = try configuration(
      system: "[core]\nremote = s\nautostage = true\n", global: "[core]\nremote = g\n", project: "[core]\nremote = p\n",
      local: "[core]\nremote = l\n")
    #expect(some["core.remote"] == "l")
    #expect(some.isAutostaging)
    #expect(some["core.analytics"] == nil)
  }

  @Test func `a remote is put together from its levels`() throws {
    let some = try configuration(
      project: "[core]\nremote = Store\n['remote \"store\"']\nurl = ../../store\nverify = True\n",
      local: "['remote \"store\"']\njobs = 3\n")
    #expect(
      try some.remote() == RemoteSettings(name: "store", url: "/store", jobs: 3, isVerified: true, isVersionAware: false))
    let found = #expect(throws: Diagnostic.self) { try some.remote("stor") }
    #expect(found?.hints == ["did you mean `store`?"])
    #expect(throws: Diagnostic.self) { try configuration().remote() }
  }

  @Test func `paths are relative to the file that says them`() throws {
    let some = try configuration(
      global: "[cache]\ndir = cache\n",
      project:
        "['remote \"a\"']\nurl = ./../x/../y\n['remote \"b\"']\nurl = s3://b/k\n['remote \"c\"']\nurl = ~/x\n['remote \"d\"']\nurl = /x/../y\n"
    )
    #expect(some.cacheFolder == "/users/u/.config/dvc/cache")
    #expect(try some.remote("a").url == "/p/y")
    #expect(try some.remote("b").url == "s3://b/k")
    #expect(try some.remote("c").url == "/users/u/x")
    #expect(try some.remote("d").url == "/x/../y")
  }

  @Test func `a typed path is written as the file sees it`() throws {
    let some = try configuration()
    let url = OptionName(kind: "remote", section: "a", option: "url")
    func written(_ typed: String) throws -> String {
      try some.setting(url, to: typed, at: .project).text.text.split(separator: "\n")[1].description
    }
    #expect(try written("../store") == "    url = ../store")
    #expect(try written("../../store") == "    url = ../../store")
    #expect(try written("store") == "    url = ../sub/store")
    #expect(try written("/abs") == "    url = /abs")
    #expect(try written("~/x") == "    url = ~/x")
    #expect(try written("s3://b/k") == "    url = s3://b/k")
    #expect(try written("../.dvc") == "    url = .")
  }

  @Test func `an edit writes the other paths in their shortest form`() throws {
    let some = try configuration(project: "['remote \"a\"']\nurl = ./../x/../y\n")
    let layer = try some.setting(OptionName(section: "core", option: "autostage"), to: "true", at: .project)
    #expect(layer.text.text == "[core]\n    autostage = true\n['remote \"a\"']\n    url = ../y\n")
  }

  @Test func `names of options have two parts or, for remotes, three`() {
    #expect(OptionName("Core.Remote") == OptionName(section: "core", option: "remote"))
    #expect(OptionName("remote.a.URL") == OptionName(kind: "remote", section: "a", option: "url"))
    #expect(OptionName("core") == nil)
    #expect(OptionName("core.a.b") == nil)
    #expect(OptionName("remote.a.b.c") == nil)
  }

  @Test(arguments: [
    ("no.such", "1", "section `no` is not known"),
    ("core.autostag", "true", "option `core.autostag` is not known"),
    ("core.autostage", "yes", "`core.autostage` is `yes`, which is not true or false"),
    ("core.checksum_jobs", "0", "`core.checksum_jobs` is `0`, which is not a whole number from 1"),
    ("cache.type", "reflink,foo", "`cache.type` is `reflink, foo`, which is not a list of reflink, hardlink, symlink, copy"),
    ("cache.shared", "all", "`cache.shared` is `all`, which is not group"),
    ("remote.a.user", "me", "option `remote.a.user` is not known"),
    ("remote.b.user", "me", "remote `b` has no `url`"),
  ])
  func `what is not known is refused`(name: String, value: String, message: String) throws {
    let some = try configuration(project: "['remote \"a\"']\nurl = /x\n")
    let name = try #require(OptionName(name))
    let found = #expect(throws: Diagnostic.self) { try some.setting(name, to: value, at: .project) }
    #expect(found?.message == message)
  }

  @Test func `a remote's options are those of its kind`() throws {
    let some = try configuration(project: "['remote \"a\"']\nurl = ssh://host/x\n")
    _ = try some.setting(OptionName(kind: "remote", section: "a", option: "port"), to: "22", at: .local)
    let strange = try configuration(project: "['remote \"z\"']\nurl = zip://host/x\n")
    let found = #expect(throws: Diagnostic.self) { try strange.check() }
    #expect(found?.message == "remote `z` has a url of a kind that is not known: `zip://`")
  }

  @Test func `what is not set cannot be unset`() throws {
    let some = try configuration(global: "[core]\nremote = g\n")
    #expect(throws: Diagnostic.self) { try some.unsetting(OptionName(section: "core", option: "remote"), at: .project) }
    #expect(try some.unsetting(OptionName(section: "core", option: "remote"), at: .global).text.text == "\n")
  }

  @Test func `outside a project only a person's own levels can be changed`() throws {
    let some = try configuration(project: nil)
    let name = OptionName(section: "core", option: "autostage")
    #expect(throws: Diagnostic.self) { try some.setting(name, to: "true", at: .project) }
    #expect(try some.setting(name, to: "true", at: .global).text.text == "[core]\n    autostage = true\n")
  }

  @Test func `a remote is added with its default once`() throws {
    var some = try configuration()
    let layer = try some.addingRemote("main", url: "../../store", isDefault: true, replaces: false, at: .project)
    #expect(layer.text.text == "[core]\n    remote = main\n['remote \"main\"']\n    url = ../../store\n")
    some = try configuration(project: layer.text.text)
    #expect(throws: Diagnostic.self) {
      try some.addingRemote("main", url: "/x", isDefault: false, replaces: false, at: .project)
    }
    let replaced = try some.addingRemote("main", url: "/x", isDefault: false, replaces: true, at: .project)
    #expect(replaced.text.text == "[core]\n    remote = main\n['remote \"main\"']\n    url = /x\n")
  }

  @Test func `a renamed remote goes last and stays the default`() throws {
    let some = try configuration(
      project: "[core]\nremote = a\n['remote \"a\"']\nurl = /a\njobs = 3\n['remote \"b\"']\nurl = /b\n",
      local: "[core]\nremote = a\n")
    let layers = try some.renamingRemote("a", to: "c", at: .project)
    #expect(
      layers.map(\.text.text) == [
        "[core]\n    remote = c\n['remote \"b\"']\n    url = /b\n['remote \"c\"']\n    url = /a\n    jobs = 3\n",
        "[core]\n    remote = c\n",
      ])
    #expect(throws: Diagnostic.self) { try some.renamingRemote("a", to: "b", at: .project) }
    #expect(throws: Diagnostic.self) { try some.renamingRemote("x", to: "y", at: .project) }
  }

  @Test func `a removed remote is no default any more`() throws {
    let some = try configuration(project: "[core]\nremote = a\n['remote \"a\"']\nurl = /a\n", local: "[core]\nremote = a\n")
    #expect(try some.removingRemote("a", at: .project).map(\.text.text) == ["\n", "\n"])
    #expect(throws: Diagnostic.self) { try some.removingRemote("x", at: .project) }
  }

  @Test func `a local file may add to the project's remote`() throws {
    let some = try configuration(project: "['remote \"a\"']\nurl = ssh://h/a\n")
    let layer = try some.modifyingRemote("a", option: "user", value: "me", at: .local)
    #expect(layer.text.text == "['remote \"a\"']\n    user = me\n")
    #expect(throws: Diagnostic.self) { try some.modifyingRemote("x", option: "user", value: "me", at: .local) }
    #expect(throws: Diagnostic.self) { try some.modifyingRemote("a", option: "nope", value: "me", at: .local) }
  }

  @Test func `options are listed remotes first`() throws {
    let some = try configuration(project: "[core]\nremote = a\n[cache]\ntype = a, b\n['remote \"a\"']\nurl = ../x\n")
    let listed = some.options(at: try #require(some.layer(.project))).map { "\($0.name)=\($0.value.items)" }
    #expect(listed == ["remote.a.url=[\"/p/x\"]", "core.remote=[\"a\"]", "cache.type=[\"a\", \"b\"]"])
  }

  @Test func `settings without a value have their defaults`() throws {
    let some = try configuration()
    #expect(some.cacheTypes == ["reflink", "copy"])
    #expect(!some.isAutostaging && !some.hasNoSourceControl && !some.isCacheShared && !some.unpacksFalseAsNo)
    #expect(!some.repeatsListOptions && some.warnsOfSlowLinks && some.checksumJobs == nil)
    let set = try configuration(
      project:
        "[cache]\ntype = hardlink,symlink\nshared = Group\n[parsing]\nbool = boolean_optional\nlist = append\n[core]\nchecksum_jobs = 4\nno_scm = True\n"
    )
    #expect(set.cacheTypes == ["hardlink", "symlink"])
    #expect(set.isCacheShared && set.unpacksFalseAsNo && set.repeatsListOptions && set.hasNoSourceControl)
    #expect(set.checksumJobs == 4)
  }
}
