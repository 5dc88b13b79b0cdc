import Foundation

/// A bar on the standard error, if that is a terminal.
struct ProgressBar {
    private let total: Int
    private let isShown: Bool
    private var done = 0
    private var drawn = ContinuousClock.now

    init(total: Int) {
        self.total = total
        isShown = isatty(STDERR_FILENO) == 1
    }

    mutating func advance() {
        done += 1
        let now = ContinuousClock.now
        guard isShown, now - drawn > .milliseconds(50) else { return }
        drawn = now
        let filled = done * 40 / total
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 40 - filled)
        write("\r[\(bar)] \(done)/\(total)")
    }

    /// Leaves no trace of the bar.
    func finish() {
        if isShown { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
