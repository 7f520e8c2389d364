// A city of deliveries whose law is known: who orders when, and how long it takes.
// SPDX-License-Identifier: Apache-2.0
import Glibc
import Tabular

/// The world `eta`: hexagonal zones, drivers each based in one of them, weather, traffic, and the law of a delivery's minutes.
///
/// Minutes from order to door are log-normal: `median × exp(spread × z)` with z standard normal. The median is the zone's
/// preparation time plus the drive; it is a function of what a request says (distance, traffic, weather, time, vehicle, driver), of
/// the calendar, and of two things that only history tells: the driver's skill and the zone's preparation time. Both drift so
/// slowly that a trailing month knows them. The spread grows with distance.
struct DeliveryWorld {
  let random: CounterRandom
  let zones: [Zone]
  let drivers: [Driver]
  let start: Int64
  let ordersPerDay: Double
  let customerCount: Int
  /// Days since 1970.
  let holidays: Set<Int64>
  /// Weather of every hour since the start.
  let weather: [Weather]
  private let pickupWeights: [Double]
  private let dropoffWeights: [[Double]]
  private let driversOfZone: [[Int]]

  struct Zone {
    var id: String
    var latitude: Double
    var longitude: Double
    /// Road kilometres per kilometre as the crow flies.
    var roadFactor: Double
    var demand: Double
    /// 0 at the rim, 1 in the middle: how much traffic there is.
    var centrality: Double
    var preparationMinutes: Double
    var preparationPhase: Double
  }

  struct Driver {
    var id: String
    var zone: Int
    var vehicle: Vehicle
    var hiredOn: Int64
    /// Factor on the drive: 0.8 is fast.
    var pace: Double
    var pacePhase: Double
  }

  enum Vehicle: String, CaseIterable {
    case bicycle, scooter, car, van
    var kilometresPerHour: Double { [14, 24, 27, 23][position] }
    var stopMinutes: Double { [2.2, 2.6, 4.2, 5.4][position] }
    /// Exponent on the traffic factor: a bicycle passes a jam.
    var trafficExponent: Double { [0.15, 0.45, 1, 1.1][position] }
    var weatherExponent: Double { [1.7, 1.5, 1, 0.9][position] }
    private var position: Int {
      switch self {
      case .bicycle: 0
      case .scooter: 1
      case .car: 2
      case .van: 3
      }
    }
  }

  enum Weather: String, CaseIterable {
    case clear, cloudy, rain, storm, fog
    var driveFactor: Double { [1, 1.01, 1.13, 1.32, 1.09][position] }
    var demandFactor: Double { [0.96, 1, 1.2, 1.1, 1.02][position] }
    /// Chances of the next hour's weather, in the order of the cases.
    var next: [Double] {
      [
        [0.90, 0.08, 0.005, 0, 0.015], [0.10, 0.80, 0.085, 0.005, 0.01], [0.02, 0.14, 0.79, 0.05, 0],
        [0.01, 0.09, 0.30, 0.60, 0],
        [0.10, 0.10, 0.01, 0, 0.79],
      ][position]
    }
    fileprivate var position: Int {
      switch self {
      case .clear: 0
      case .cloudy: 1
      case .rain: 2
      case .storm: 3
      case .fog: 4
      }
    }
  }

  enum Traffic: String, CaseIterable {
    case low, medium, high, severe
    var driveFactor: Double {
      switch self {
      case .low: 1
      case .medium: 1.18
      case .high: 1.45
      case .severe: 1.85
      }
    }
  }

  init(
    seed: UInt64, start: Int64, days: Int, ordersPerDay: Double, zoneCount: Int, driverCount: Int, customerCount: Int,
    holidays: Set<Int64>
  ) {
    random = CounterRandom(seed: seed)
    self.start = start
    self.ordersPerDay = ordersPerDay
    self.customerCount = customerCount
    self.holidays = holidays
    zones = Self.makeZones(zoneCount, random)
    drivers = Self.makeDrivers(driverCount, zoneCount: zoneCount, start: start, random)
    weather = Self.makeWeather(hours: days * 24, random)
    pickupWeights = Self.cumulative(zones.map(\.demand))
    let zones = zones
    dropoffWeights = zones.map { from in
      Self.cumulative(zones.map { $0.demand * exp(-Self.kilometres(from.place, $0.place) / 3.2) })
    }
    var driversOfZone = [[Int]](repeating: [], count: zoneCount)
    for (index, driver) in drivers.enumerated() { driversOfZone[driver.zone].append(index) }
    self.driversOfZone = driversOfZone
  }
}

// MARK: - What stands from the start

extension DeliveryWorld {
  struct Place {
    var latitude: Double
    var longitude: Double
  }

  private static let kilometresPerDegree = 111.195
  private static let middle = Place(latitude: 50.1, longitude: 8.68)
  private static let hexKilometres = 1.7

  /// Hexagons in rings round the middle. Source of the axial walk: Patel, "Hexagonal grids", 2013.
  private static func makeZones(_ count: Int, _ random: CounterRandom) -> [Zone] {
    var cells: [(q: Int, r: Int, ring: Int)] = [(0, 0, 0)]
    var ring = 1
    let directions = [(1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1)]
    while cells.count < count {
      var (q, r) = (0, -ring)
      for direction in directions {
        for _ in 0..<ring {
          cells.append((q, r, ring))
          q += direction.0
          r += direction.1
        }
      }
      ring += 1
    }
    return cells.prefix(count).enumerated().map { index, cell in
      let east = hexKilometres * (Double(cell.q) + Double(cell.r) / 2)
      let north = -hexKilometres * Double(cell.r) * 3.0.squareRoot() / 2
      let place = moved(middle, east: east, north: north)
      let centrality = 1 / (1 + 0.35 * Double(cell.ring))
      return Zone(
        id: "Z" + padded(index + 1, 2), latitude: rounded(place.latitude, 5), longitude: rounded(place.longitude, 5),
        roadFactor: rounded(1.18 + 0.27 * random.unit(.zoneTraits, index, 0), 3),
        demand: exp(0.5 * random.normal(.zoneTraits, index, 1)) * (0.5 + centrality), centrality: centrality,
        preparationMinutes: 5.5 + 7 * random.unit(.zoneTraits, index, 3),
        preparationPhase: 2 * .pi * random.unit(.zoneTraits, index, 4))
    }
  }

  private static func makeDrivers(_ count: Int, zoneCount: Int, start: Int64, _ random: CounterRandom) -> [Driver] {
    (0..<count).map { index in
      let daysAgo = Int64(random.index(below: 1500, .driverTraits, index, 3)) + 30
      return Driver(
        id: "D" + padded(index + 1, 3), zone: index % zoneCount,
        vehicle: Vehicle.allCases[random.index(weighted: [0.18, 0.53, 0.88, 1], .driverTraits, index, 0)],
        hiredOn: start - daysAgo * Timestamp.secondsPerDay,
        pace: exp(0.14 * random.normal(.driverTraits, index, 1)), pacePhase: 2 * .pi * random.unit(.driverTraits, index, 4))
    }
  }

  /// A Markov chain by the hour.
  private static func makeWeather(hours: Int, _ random: CounterRandom) -> [Weather] {
    var now = Weather.clear
    let chances = Weather.allCases.map { cumulative($0.next) }
    return (0..<hours).map { hour in
      now = Weather.allCases[random.index(weighted: chances[now.position], .weather, hour)]
      return now
    }
  }

  private static func cumulative(_ weights: [Double]) -> [Double] {
    var sum = 0.0
    return weights.map {
      sum += $0
      return sum
    }
  }

  /// Great-circle distance on a sphere of 6371 km, flattened: the city is small.
  static func kilometres(_ a: Place, _ b: Place) -> Double {
    let north = (a.latitude - b.latitude) * kilometresPerDegree
    let east = (a.longitude - b.longitude) * kilometresPerDegree * cos((a.latitude + b.latitude) / 2 * .pi / 180)
    return (north * north + east * east).squareRoot()
  }

  static func moved(_ place: Place, east: Double, north: Double) -> Place {
    Place(
      latitude: place.latitude + north / kilometresPerDegree,
      longitude: place.longitude + east / (kilometresPerDegree * cos(place.latitude * .pi / 180)))
  }

  static func rounded(_ value: Double, _ decimals: Int) -> Double {
    let scale = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6][decimals]
    return (value * scale).rounded() / scale
  }

  static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

extension DeliveryWorld.Zone {
  var place: DeliveryWorld.Place { DeliveryWorld.Place(latitude: latitude, longitude: longitude) }
}

// MARK: - Orders

extension DeliveryWorld {
  /// One true order, before any dirt.
  struct Order {
    /// Number that names the order in every stream: the day and its place in the day.
    var key: Int
    var id: String
    var orderedAt: Int64
    var driver: Int
    var vehicle: Vehicle
    var from: Int
    var to: Int
    var pickup: Place
    var dropoff: Place
    var kilometres: Double
    var traffic: Traffic
    var weather: Weather
    var customer: Int
    /// What the dispatcher's plan says of the drive; it knows neither driver, nor weather, nor hour.
    var plannedMinutes: Double
    var law: Law
    /// The draw from the law.
    var minutes: Double

    var deliveredAt: Int64 { orderedAt + Int64((minutes * 60).rounded()) }
    var pickedUpAt: Int64 { orderedAt + Int64((minutes * law.preparationShare * 60).rounded()) }
  }

  /// The law of one order's minutes: log-normal.
  struct Law {
    /// Median, minutes.
    var median: Double
    /// Standard deviation of the logarithm.
    var spread: Double
    /// Part of the minutes that pass before the driver leaves.
    var preparationShare: Double
  }

  /// The orders of one day (from 0), by time.
  func orders(onDay day: Int) -> [Order] {
    var seconds = [Int]()
    for hour in 0..<24 {
      let index = day * 24 + hour
      let count = random.poisson(mean: expectedOrders(day: day, hour: hour), .orderCount, index)
      seconds += (0..<count).map { hour * 3600 + random.index(below: 3600, .orderSecond, index, $0) }
    }
    return seconds.sorted().enumerated().map { order(day: day, number: $0.offset, second: $0.element) }
  }

  private func order(day: Int, number: Int, second: Int) -> Order {
    let key = day * 1_000_000 + number
    let time = start + Int64(day * 86_400 + second)
    let from = random.index(weighted: pickupWeights, .pickupZone, key)
    let team = driversOfZone[from]
    let driver = team[random.index(below: team.count, .driver, key)]
    let to = random.index(weighted: dropoffWeights[from], .dropoffZone, key)
    let pickup = place(in: from, .pickupPlace, key)
    let dropoff = place(in: to, .dropoffPlace, key)
    let road = (zones[from].roadFactor + zones[to].roadFactor) / 2
    let isOwnVehicle = random.unit(.vehicle, key, 0) < 0.9
    let vehicle = isOwnVehicle ? drivers[driver].vehicle : Vehicle.allCases[random.index(below: 4, .vehicle, key, 1)]
    let home = random.index(below: max(1, customerCount / zones.count), .customer, key)
    var order = Order(
      key: key, id: "O" + Self.padded(day, 4) + "-" + Self.padded(number, 5), orderedAt: time, driver: driver, vehicle: vehicle,
      from: from, to: to, pickup: pickup, dropoff: dropoff,
      kilometres: Self.rounded(max(0.3, Self.kilometres(pickup, dropoff) * road), 2),
      traffic: traffic(zone: from, hour: day * 24 + second / 3600), weather: weather[day * 24 + second / 3600],
      customer: to + zones.count * home, plannedMinutes: 0, law: Law(median: 0, spread: 0, preparationShare: 0), minutes: 0)
    // Nobody is sent through half the city on a bicycle.
    if order.vehicle == .bicycle, order.kilometres > 5 { order.vehicle = .scooter }
    order.plannedMinutes = Self.rounded(plannedDrive(order), 1)
    order.law = law(order)
    order.minutes = order.law.median * exp(order.law.spread * random.normal(.noise, key))
    return order
  }

  private func place(in zone: Int, _ stream: CounterRandom.Stream, _ key: Int) -> Place {
    let radius = 0.55 * Self.hexKilometres * random.unit(stream, key, 0).squareRoot()
    let angle = 2 * .pi * random.unit(stream, key, 1)
    let place = Self.moved(zones[zone].place, east: radius * cos(angle), north: radius * sin(angle))
    return Place(latitude: Self.rounded(place.latitude, 5), longitude: Self.rounded(place.longitude, 5))
  }

  private func expectedOrders(day: Int, hour: Int) -> Double {
    let weekday = Timestamp.weekday(start + Int64(day) * Timestamp.secondsPerDay)
    let byHour: [Double] = [
      0.30, 0.16, 0.09, 0.06, 0.06, 0.10, 0.24, 0.52, 0.78, 0.86, 0.98, 1.55, 2.05, 1.70, 1.05, 0.92, 1.02, 1.50, 2.25, 2.45,
      2.05,
      1.45, 0.98, 0.60,
    ]
    let byWeekday: [Double] = [0.90, 0.90, 0.94, 0.99, 1.14, 1.12, 1.01]
    let holiday = isHoliday(day: day) ? 1.25 : 1
    let sky = weather[day * 24 + hour].demandFactor
    return ordersPerDay / 24 * byHour[hour] * byWeekday[weekday] * holiday * sky
  }

  func isHoliday(day: Int) -> Bool { holidays.contains(start / Timestamp.secondsPerDay + Int64(day)) }

  /// Traffic by zone and hour: the rush, the middle of the city, rain, and chance.
  private func traffic(zone: Int, hour: Int) -> Traffic {
    let weekday = Timestamp.weekday(start + Int64(hour) * 3600)
    let byHour: [Double] = [
      0, 0, 0, 0, 0, 0.1, 0.35, 0.8, 1, 0.75, 0.5, 0.5, 0.6, 0.55, 0.55, 0.65, 0.9, 1.1, 1, 0.7, 0.45, 0.3, 0.2, 0.1,
    ]
    let rush = byHour[hour % 24] * (weekday >= 5 || isHoliday(day: hour / 24) ? 0.55 : 1)
    let wet = weather[hour].driveFactor - 1
    let load = rush + 0.5 * zones[zone].centrality + 0.8 * wet + 0.28 * random.normal(.traffic, hour * zones.count + zone)
    return load < 0.55 ? .low : load < 0.95 ? .medium : load < 1.4 ? .high : .severe
  }
}

// MARK: - The law

extension DeliveryWorld {
  /// How much longer a kitchen takes, by the hour of the day.
  private static let kitchenByHour = [
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1.12, 1.28, 1.2, 1, 1, 1, 1.1, 1.3, 1.35, 1.22, 1.08, 1, 1,
  ]

  private func plannedDrive(_ order: Order) -> Double {
    let jam = pow(order.traffic.driveFactor, order.vehicle.trafficExponent)
    return order.vehicle.stopMinutes + order.kilometres / order.vehicle.kilometresPerHour * 60 * jam
  }

  private func law(_ order: Order) -> Law {
    let days = Double(order.orderedAt - start) / Double(Timestamp.secondsPerDay)
    let hour = Int((order.orderedAt - Timestamp.startOfDay(order.orderedAt)) / 3600)
    let weekday = Timestamp.weekday(order.orderedAt)
    let holiday = isHoliday(day: Int(days))
    let driver = drivers[order.driver]
    let zone = zones[order.from]

    let kitchen = Self.kitchenByHour[hour] * (weekday >= 4 && hour >= 17 ? 1.08 : 1) * (holiday ? 1.15 : 1)
    let preparation =
      zone.preparationMinutes * (1 + 0.06 * sin(2 * .pi * days / 150 + zone.preparationPhase)) * kitchen

    let night = hour < 6 || hour >= 23 ? 0.9 : 1
    let pace = driver.pace * (1 + 0.015 * sin(2 * .pi * days / 160 + driver.pacePhase))
    let sky = pow(order.weather.driveFactor, order.vehicle.weatherExponent)
    let drive = plannedDrive(order) * sky * night * pace * (holiday ? 0.94 : 1)

    let median = preparation + drive
    return Law(median: median, spread: 0.049 + 0.0032 * order.kilometres, preparationShare: preparation / median)
  }
}

extension DeliveryWorld.Law {
  /// E|X − median| of a log-normal: `median × exp(s²/2) × (2 Φ(s) − 1)`.
  var meanAbsoluteError: Double { median * exp(spread * spread / 2) * erf(spread / 2.0.squareRoot()) }

  /// Variance round the mean, minutes²: what no predictor can go below in squared error.
  var variance: Double { median * median * exp(spread * spread) * (exp(spread * spread) - 1) }

  /// Probability that the minutes lie within `minutes` of the median.
  func shareWithin(_ minutes: Double) -> Double {
    let above = Self.normalCDF(log(1 + minutes / median) / spread)
    return minutes >= median ? above : above - Self.normalCDF(log(1 - minutes / median) / spread)
  }

  private static func normalCDF(_ z: Double) -> Double { 0.5 * erfc(-z / 2.0.squareRoot()) }
}
