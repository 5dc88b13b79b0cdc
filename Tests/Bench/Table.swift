import Foundation

/// The result: figures, each beside what it is compared with.
final class Table {
    var head: [String] = []
    var notes: [String] = []
    var failures: [String] = []
    private var rows: [[String]] = []

    private static let columns = [
        "what", "measured", "beside it", "ratio", "p50 ms", "p99 ms", "CPU µs service", "CPU µs PostgreSQL", "remarks",
    ]

    /// - Parameters:
    ///   - load: gives the columns that it has.
    ///   - peer: what it is compared with, and its figure as text.
    func add(
        _ what: String, _ measured: String, peer: String = "", ratio: Double? = nil, load: Load? = nil,
        remarks: String = ""
    ) {
        rows.append([
            what, measured, peer, ratio.map { $0.short } ?? "", load?.p50.shown ?? "", load?.p99.shown ?? "",
            load?.serviceCPU?.short ?? "", load?.databaseCPU?.short ?? "", remarks,
        ])
    }

    /// A rate beside another.
    func add(_ what: String, _ load: Load, beside name: String, _ peer: Load, remarks: String = "") {
        add(
            what, load.rateText, peer: "\(name): \(peer.rateText)", ratio: load.rate / peer.rate, load: load,
            remarks: remarks)
    }

    var markdown: String {
        let lines = [Self.columns, Self.columns.map { _ in "---" }] + rows
        return
            (["# make bench", ""] + head + [""] + lines.map { "| " + $0.joined(separator: " | ") + " |" } + [""]
            + (notes + failures.map { "**\($0)**" }).map { "- \($0)" }).joined(separator: "\n") + "\n"
    }
}

/// What a number of requests or transactions took.
struct Load {
    var count: Int
    var seconds: Double
    var p50: Double
    var p99: Double
    /// Microseconds each.
    var serviceCPU: Double?
    var databaseCPU: Double?

    var rate: Double { Double(count) / seconds }
    var rateText: String { rate.short + "/s" }
}

extension Double {
    /// Nothing if it was not measured.
    var shown: String { isNaN ? "" : short }

    /// Three digits are all that a measurement has.
    var short: String {
        switch abs(self) {
        case 100...: Int(rounded()).formatted(.number.locale(Locale(identifier: "en_US")))
        case 10..<100: String(format: "%.1f", self)
        default: String(format: "%.2f", self)
        }
    }
}

extension Array where Element == Double {
    func percentile(_ share: Double) -> Double {
        let sorted = sorted()
        return isEmpty ? .nan : sorted[Swift.min(count - 1, Int(Double(count) * share))]
    }

    var median: Double { percentile(0.5) }
}
