import Foundation

/// How a replay was answered.
struct ReplayReport: Sendable {
    struct Line: Sendable, Hashable {
        /// nil: no answer came.
        var status: Int?
        /// The service's word: an outcome, `duplicate`, or the kind of a problem.
        var outcome: String
        var reason: String?
    }

    private var counts: [Line: Int] = [:]
    var duration = Duration.zero

    var sent: Int { counts.values.reduce(0, +) }
    /// Whether all were answered with 200.
    var isFine: Bool { counts.keys.allSatisfy { $0.status == 200 } }

    mutating func count(_ answer: HTTPClient.Answer) {
        let line =
            switch answer {
            case .failed(let why): Line(status: nil, outcome: "no answer", reason: why)
            case .status(let status, let body): Line(status: status, body: body)
            }
        counts[line, default: 0] += 1
    }

    var document: Document {
        let lines = counts.sorted {
            ($0.key.status ?? 0, $0.key.outcome, $0.key.reason ?? "")
                < ($1.key.status ?? 0, $1.key.outcome, $1.key.reason ?? "")
        }
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        var document = Document()
        document.list(
            "outcomes",
            [
                Column("status") { Cell($0.key.status) }, Column("outcome") { Cell($0.key.outcome) },
                Column("reason") { Cell($0.key.reason) }, Column("count") { Cell($0.value) },
            ], lines)
        document.value("sent", Cell(sent))
        document.value("milliseconds", Cell(Int(seconds * 1000)))
        document.note(
            "\(sent) sent in \(String(format: "%.2f", seconds)) s, \(Int(Double(sent) / max(seconds, 0.001))) a second")
        return document
    }
}

extension ReplayReport.Line {
    private struct Answer: Decodable {
        var status: String?
        var reason: String?
    }

    private struct Problem: Decodable {
        var title: String?
    }

    init(status: Int, body: Data) {
        self.status = status
        let answer = try? JSONDecoder().decode(Answer.self, from: body)
        let problem = try? JSONDecoder().decode(Problem.self, from: body)
        outcome = answer?.status ?? problem?.title ?? "-"
        reason = answer?.reason
    }
}
