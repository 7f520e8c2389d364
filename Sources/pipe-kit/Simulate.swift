// `pipe kit simulate`: raw data whose law, and so whose irreducible error, is known.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Diagnostics
import Tabular

struct Simulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make raw data whose law, and so whose irreducible error, is known.",
    discussion: """
      Reads the parameters below `simulate`. The same parameters give the same bytes; more days only add rows at the end.

      Example: pipe kit simulate --out data/raw --truth data/truth.json
      """,
    version: behaviorVersion(of: "simulate"))

  @Option(help: "Folder for orders.csv, drivers.csv and zones.csv.")
  var out: String

  @Option(help: "File for the errors that nobody can go below.")
  var truth: String

  @Option(
    help:
      "File for the law of every order: its median and the standard deviation of the logarithm. For tests; a model must not see it."
  )
  var law: String?

  @OptionGroup var parameters: ParameterOptions

  func run() throws {
    let settings = try SimulationSettings(parameters.context().params["simulate"])
    let world = settings.world
    var orders = RawOrders(world: world, dirt: settings.dirt)
    var truth = TruthTally(settings: settings)
    var laws = CSVWriter(header: ["order_id", "median", "spread"])
    for day in 0..<settings.days {
      for order in world.orders(onDay: day) {
        truth.add(order)
        orders.add(order)
        if law != nil { laws.add(order) }
      }
    }
    try orders.writer.write(to: "\(out)/orders.csv")
    try Self.drivers(world).write(to: "\(out)/drivers.csv")
    try Self.zones(world).write(to: "\(out)/zones.csv")
    try JSONText.write(truth.document, to: self.truth)
    if let law { try laws.write(to: law) }
  }

  private static func drivers(_ world: DeliveryWorld) -> CSVWriter {
    var writer = CSVWriter(header: ["driver_id", "home_zone", "vehicle_type", "hired_on"])
    for driver in world.drivers {
      writer.add(driver.id)
      writer.add(world.zones[driver.zone].id)
      writer.add(driver.vehicle.rawValue)
      writer.add(String(Timestamp.text(driver.hiredOn).prefix(10)))
      writer.endRow()
    }
    return writer
  }

  private static func zones(_ world: DeliveryWorld) -> CSVWriter {
    var writer = CSVWriter(header: ["zone_id", "lat", "lng", "road_factor"])
    for zone in world.zones {
      writer.add(zone.id)
      writer.add(zone.latitude)
      writer.add(zone.longitude)
      writer.add(zone.roadFactor)
      writer.endRow()
    }
    return writer
  }
}

extension CSVWriter {
  fileprivate mutating func add(_ order: DeliveryWorld.Order) {
    add(order.id)
    add(DeliveryWorld.rounded(order.law.median, 6))
    add(DeliveryWorld.rounded(order.law.spread, 6))
    endRow()
  }
}

/// The parameters below `simulate`.
struct SimulationSettings {
  let seed: UInt64
  let start: Int64
  let days: Int
  let truthDays: Int
  let dirt: Dirt
  let world: DeliveryWorld

  /// Shares of the orders that are spoilt, each in 0...1.
  struct Dirt {
    var duplicates: Double
    var nulls: Double
    var zeroCoordinates: Double
    var clockSkew: Double
  }

  init(_ node: ParameterNode) throws(Diagnostic) {
    try node.keys(known: [
      "world", "seed", "start", "days", "orders_per_day", "zones", "drivers", "customers", "holidays", "truth_days", "dirt",
    ])
    guard try node["world"].text() == "eta" else {
      throw node["world"].mistake("names no world of the simulator", hints: ["there is `eta`"])
    }
    seed = UInt64(try node["seed"].int(in: 0...(1 << 53)))
    start = try Self.midnight(node["start"])
    days = try node["days"].int(in: 1...9999)
    truthDays = try node["truth_days"].int(or: 30, in: 1...9999)
    let dirt = node["dirt"]
    if dirt.isPresent { try dirt.keys(known: ["duplicates", "nulls", "zero_coordinates", "clock_skew"]) }
    self.dirt = Dirt(
      duplicates: try dirt["duplicates"].number(or: 0, in: 0...1), nulls: try dirt["nulls"].number(or: 0, in: 0...1),
      zeroCoordinates: try dirt["zero_coordinates"].number(or: 0, in: 0...1),
      clockSkew: try dirt["clock_skew"].number(or: 0, in: 0...1))
    let zones = try node["zones"].int(or: 60, in: 1...10_000)
    let drivers = try node["drivers"].int(or: 300, in: 1...1_000_000)
    if drivers < zones { throw node["drivers"].mistake("is less than `simulate.zones`", hints: ["every zone needs a driver"]) }
    var holidays = Set<Int64>()
    for holiday in try node["holidays"].list(orEmpty: true) {
      holidays.insert(try Self.midnight(holiday) / Timestamp.secondsPerDay)
    }
    world = DeliveryWorld(
      seed: seed, start: start, days: days, ordersPerDay: try node["orders_per_day"].number(in: 0.01...1e6), zoneCount: zones,
      driverCount: drivers, customerCount: try node["customers"].int(or: 20_000, in: 1...10_000_000), holidays: holidays)
  }

  private static func midnight(_ node: ParameterNode) throws(Diagnostic) -> Int64 {
    let text = try node.text()
    guard text.utf8.count == 10, let time = Timestamp.epochSeconds(text) else {
      throw node.mistake("is `\(text)`, a date is wanted", hints: ["write it as `2025-09-01`"])
    }
    return time
  }
}

/// `orders.csv` as an operational system would export it: with people in it, and not quite clean.
private struct RawOrders {
  private(set) var writer: CSVWriter
  private let world: DeliveryWorld
  private let dirt: SimulationSettings.Dirt

  init(world: DeliveryWorld, dirt: SimulationSettings.Dirt) {
    self.world = world
    self.dirt = dirt
    writer = CSVWriter(header: [
      "order_id", "ordered_at", "picked_up_at", "delivered_at", "customer_name", "customer_phone", "customer_email",
      "delivery_address", "driver_id", "vehicle_type", "pickup_zone", "dropoff_zone", "pickup_lat", "pickup_lng", "dropoff_lat",
      "dropoff_lng", "distance_km", "traffic_condition", "weather_condition", "planned_minutes",
    ])
  }

  mutating func add(_ order: DeliveryWorld.Order) {
    let flaws = Flaws(order, world.random, dirt)
    write(order, flaws)
    if flaws.isDoubled { write(order, flaws) }
  }

  private struct Flaws {
    var isDoubled: Bool
    /// Which of the five fields that may be empty is so.
    var emptyField: Int?
    var isNowhere: Bool
    /// Seconds by which the courier's clock is behind.
    var skewSeconds: Int64

    init(_ order: DeliveryWorld.Order, _ random: CounterRandom, _ dirt: SimulationSettings.Dirt) {
      isDoubled = random.unit(.dirt, order.key, 0) < dirt.duplicates
      emptyField =
        random.unit(.dirt, order.key, 1) < dirt.nulls ? random.index(below: 5, .dirt, order.key, 2) : nil
      isNowhere = random.unit(.dirt, order.key, 3) < dirt.zeroCoordinates
      skewSeconds =
        random.unit(.dirt, order.key, 4) < dirt.clockSkew ? 7200 + Int64(random.index(below: 7200, .dirt, order.key, 5)) : 0
    }
  }

  private mutating func write(_ order: DeliveryWorld.Order, _ flaws: Flaws) {
    let customer = Customer(order.customer, zone: world.zones[order.to].id, world.random)
    writer.add(order.id)
    writer.add(time: order.orderedAt)
    writer.add(time: order.pickedUpAt - flaws.skewSeconds)
    writer.add(time: order.deliveredAt - flaws.skewSeconds)
    writer.add(customer.name)
    writer.add(customer.phone)
    writer.add(customer.email)
    writer.add(customer.address)
    writer.add(flaws.emptyField == 0 ? nil : world.drivers[order.driver].id)
    writer.add(flaws.emptyField == 1 ? nil : order.vehicle.rawValue)
    writer.add(world.zones[order.from].id)
    writer.add(world.zones[order.to].id)
    writer.add(order.pickup.latitude)
    writer.add(order.pickup.longitude)
    writer.add(flaws.isNowhere ? 0 : order.dropoff.latitude)
    writer.add(flaws.isNowhere ? 0 : order.dropoff.longitude)
    writer.add(flaws.emptyField == 2 ? .nan : order.kilometres)
    writer.add(flaws.emptyField == 3 ? nil : order.traffic.rawValue)
    writer.add(flaws.emptyField == 4 ? nil : order.weather.rawValue)
    writer.add(order.plannedMinutes)
    writer.endRow()
  }
}

/// A person who does not exist. Phone numbers use the country code 999, which is not assigned; mail goes to `example.org`.
private struct Customer {
  let name: String
  let phone: String
  let email: String
  let address: String

  init(_ number: Int, zone: String, _ random: CounterRandom) {
    func pick(_ words: [String], _ step: Int) -> String { words[random.index(below: words.count, .customerTraits, number, step)] }
    let first = pick(Self.firstNames, 0)
    let last = pick(Self.lastNameHeads, 1) + pick(Self.lastNameTails, 2)
    name = "\(first) \(last)"
    phone = "+999 " + DeliveryWorld.padded(10_000_000 + number * 7, 8)
    email = "\(first).\(last).\(number)@example.org".lowercased()
    address = "\(pick(Self.streets, 3)) \(1 + random.index(below: 140, .customerTraits, number, 4)), \(zone)"
  }

  private static let firstNames = [
    "Amadou", "Beatriz", "Chiara", "Dmitri", "Elif", "Farid", "Greta", "Hanna", "Ines", "Jonas", "Katarina", "Lin", "Mateo",
    "Nadia",
    "Oskar", "Priya", "Quentin", "Rosa", "Selma", "Tomasz", "Ursula", "Viktor", "Wanda", "Ximena", "Yusuf", "Zofia",
  ]
  private static let lastNameHeads = [
    "Alder", "Birken", "Brand", "Eichen", "Falken", "Gold", "Hasel", "Immer", "Kiesel", "Linden", "Moor", "Nord", "Ober", "Quell",
    "Rosen", "Stein", "Tannen", "Ulmen", "Wald", "Winter",
  ]
  private static let lastNameTails = ["bach", "berg", "feld", "garten", "haus", "hof", "mann", "stein", "thal", "wald"]
  private static let streets = [
    "Ahornweg", "Bahnhofstrasse", "Birkenallee", "Buchenring", "Dorfstrasse", "Gartenweg", "Hafenstrasse", "Kirchgasse",
    "Lindenplatz", "Marktstrasse", "Muehlenweg", "Neugasse", "Parkallee", "Rathausplatz", "Schulstrasse", "Uferweg",
  ]
}

/// The errors of the best possible predictor, from the law of each order and not from any draw or model.
private struct TruthTally {
  private var all = Sums()
  private var last = Sums()
  private let lastFrom: Int64
  private let settings: SimulationSettings

  init(settings: SimulationSettings) {
    self.settings = settings
    lastFrom = settings.start + Int64(settings.days - min(settings.truthDays, settings.days)) * Timestamp.secondsPerDay
  }

  mutating func add(_ order: DeliveryWorld.Order) {
    all.add(order.law)
    if order.orderedAt >= lastFrom { last.add(order.law) }
  }

  struct Sums {
    var rows = 0
    var absolute = 0.0
    var squared = 0.0
    var within = 0.0
    var median = 0.0

    mutating func add(_ law: DeliveryWorld.Law) {
      rows += 1
      absolute += law.meanAbsoluteError
      squared += law.variance
      within += law.shareWithin(5)
      median += law.median
    }
  }

  struct Document: Encodable {
    struct Part: Encodable {
      var from: String
      var to: String
      var rows: Int
      /// Mean absolute error of the conditional median.
      var mae: Double
      /// Root mean squared error of the conditional mean.
      var rmse: Double
      /// Expected share of orders whose minutes lie within 5 of the conditional median.
      var within_5: Double
      var mean_median_minutes: Double
    }
    var schema = "pipe.truth/1"
    var world = "eta"
    var target = "minutes from order to delivery"
    var unit = "min"
    var law = "log-normal with the median given request, calendar, driver and zone; what a predictor may know, it knows exactly"
    var seed: Double
    var overall: Part
    var last: Part
    var last_days: Int
  }

  var document: Document {
    let end = settings.start + Int64(settings.days) * Timestamp.secondsPerDay
    return Document(
      seed: Double(settings.seed), overall: part(all, from: settings.start, to: end), last: part(last, from: lastFrom, to: end),
      last_days: min(settings.truthDays, settings.days))
  }

  private func part(_ sums: Sums, from: Int64, to: Int64) -> Document.Part {
    let rows = Double(max(sums.rows, 1))
    return Document.Part(
      from: Timestamp.text(from), to: Timestamp.text(to), rows: sums.rows, mae: DeliveryWorld.rounded(sums.absolute / rows, 6),
      rmse: DeliveryWorld.rounded((sums.squared / rows).squareRoot(), 6), within_5: DeliveryWorld.rounded(sums.within / rows, 6),
      mean_median_minutes: DeliveryWorld.rounded(sums.median / rows, 6))
  }
}
