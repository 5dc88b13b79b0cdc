import Billing
import Foundation
import Storage

/// Bars drawn by the server: SVG without a style of its own. Its words stand beside it, so that it may be of any width.
struct BarChart {
    struct Bar {
        /// What it is, for whoever points at it.
        var title: String
        /// From the bottom up; each in the colour of its place.
        var parts: [Int]
    }

    var name: String
    var bars: [Bar]
    /// Under its left end, its middle and its right end.
    var axis: [String]

    private static let (width, height) = (720, 96)

    var html: HTML {
        let most = max(bars.map { $0.parts.reduce(0, +) }.max() ?? 0, 1)
        let step = Double(Self.width) / Double(max(bars.count, 1))
        let drawn: [HTML] = bars.enumerated().map { index, bar in
            let x = Int(Double(index) * step) + 1
            var y = Self.height
            let parts: [HTML] = bar.parts.enumerated().compactMap { colour, number in
                guard number > 0 else { return nil }
                // What is there is seen, however little it is.
                let height = max(number * Self.height / most, 2)
                y -= height
                return """
                    <rect class="c\(colour)" x="\(x)" y="\(y)" width="\(max(Int(step) - 3, 2))" height="\(height)"/>
                    """
            }
            return "<g><title>\(bar.title)</title>\(parts)</g>"
        }
        let words: [HTML] = axis.map { "<small>\($0)</small>" }
        return """
            <div class="chart"><small>\(count(most))</small>
            <svg viewBox="0 0 \(Self.width) \(Self.height)" preserveAspectRatio="none" role="img" aria-label="\(name)">
            \(drawn)</svg><div>\(words)</div></div>
            """
    }
}

/// What the colours of a chart mean.
func key(_ names: [(place: Int, name: String)]) -> HTML {
    let items: [HTML] = names.map { place, name in
        """
        <li><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="c\(place)" width="10" height="10" rx="2"/></svg>
        \(name)</li>
        """
    }
    return "<ul class=\"key\">\(items)</ul>"
}

/// A month as a bar: what was used of what there was, and what is left.
func monthBar(_ bucket: Bucket) -> HTML {
    let total = max(bucket.granted + max(bucket.adjusted, 0), bucket.consumed, 1)
    let used = min(max(total - bucket.shown, 0), total)
    return """
        <svg class="bar" viewBox="0 0 260 10" preserveAspectRatio="none" role="img"
        aria-label="\(count(used)) of \(count(total)) used"><rect class="c1" width="260" height="10" rx="3"/>
        <rect class="c0" width="\(used * 260 / total)" height="10" rx="3"/></svg>
        """
}
