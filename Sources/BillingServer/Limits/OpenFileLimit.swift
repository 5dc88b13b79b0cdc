import Foundation
public import Logging

/// Raises the number of files that this process may have open to as many as the system lets it have: each connection is
/// one, and the limit that a shell hands on is made for other programs.
///
/// Says so in the log if it changed. If the system refuses, it stays as it is.
public func raiseOpenFileLimit(logger: Logger) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max
    else { return }
    let before = limit.rlim_cur
    limit.rlim_cur = limit.rlim_max
    guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    logger.info(
        "the limit of open files was raised", metadata: ["before": "\(before)", "now": "\(limit.rlim_cur)"])
}
