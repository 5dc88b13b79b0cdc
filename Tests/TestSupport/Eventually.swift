/// Waits until `condition` holds; the test's time limit ends it otherwise.
public func eventually(_ condition: () async throws -> Bool) async throws {
    while try await !condition() {
        // What is waited for needs the processor itself, often as a process of its own.
        try await Task.sleep(for: .milliseconds(10))
    }
}
