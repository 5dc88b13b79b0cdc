import Foundation
import Glibc
import TestSupport
import Testing

/// Stands in front of a server of this machine: over TLS, with a certificate of a test's own, or with another clock.
///
/// Python's, since nothing that the program is built with has the server's side of TLS.
final class Front: Sendable {
    let port: Int
    private let process: Process
    private let ended: Task<Void, Never>

    private static let source = """
        import http.client, http.server, ssl, sys, time, email.utils
        target, ahead, certificate = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def forward(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                connection = http.client.HTTPConnection("127.0.0.1", target)
                names = ("Authorization", "Accept", "Content-Type")
                headers = {name: self.headers[name] for name in names if self.headers[name]}
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                content = answer.read()
                self.send_response_only(answer.status)
                self.send_header("Content-Type", answer.getheader("Content-Type", ""))
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Date", email.utils.formatdate(time.time() + ahead, usegmt=True))
                self.end_headers()
                self.wfile.write(content)
                connection.close()
            do_GET = do_POST = do_PATCH = forward
            def log_message(self, *arguments): pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, address): pass

        server = Server(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            # Each connection shakes hands in its own thread, when it first reads.
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        print(f"Listening on http://127.0.0.1:{server.server_port}", file=sys.stderr, flush=True)
        server.serve_forever()
        """

    /// - Parameters:
    ///   - ahead: seconds by which the clock of its answers is ahead.
    ///   - certificate: a file with a key and the certificates; nil: plain HTTP.
    init(to port: Int, ahead: Double = 0, certificate: URL? = nil) async throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", Self.source, "\(port)", "\(ahead)", certificate?.path ?? ""]
        process.standardOutput = FileHandle.nullDevice
        let lines = PipedLines()
        process.standardError = lines.pipe
        ended = try process.start()
        let (seen, url) = await lines.untilListening()
        lines.drain()
        self.port = try #require(url?.split(separator: ":").last.flatMap { Int($0) }, "\(seen)")
    }

    func stop() async {
        // A process that Foundation starts inherits that other signals are blocked.
        kill(process.processIdentifier, SIGKILL)
        await ended.value
    }
}
