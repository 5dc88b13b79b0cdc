import Foundation

/// Standard input, output and error.
public enum StandardDescriptors {
    /// Opens those that are closed, on `/dev/null`. Else the next socket would take such a number, and what is logged
    /// would go into a client's connection.
    ///
    /// To be called before anything else opens a descriptor, hence before the first task: Swift's own queues need some.
    public static func open() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
            // The lowest free number is given, which is this one.
            _ = Foundation.open("/dev/null", O_RDWR)
        }
    }
}
