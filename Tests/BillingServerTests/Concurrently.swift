/// Runs `body` so many times at once; the results in order.
func concurrently<Result: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) async throws -> Result
) async throws -> [Result] {
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
        for number in 0..<count { group.addTask { (number, try await body(number)) } }
        var results: [Int: Result] = [:]
        for try await (number, result) in group { results[number] = result }
        return results.sorted { $0.key < $1.key }.map(\.value)
    }
}
