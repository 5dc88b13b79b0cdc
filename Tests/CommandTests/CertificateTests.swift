import Foundation
import LemonSqueezyStandIn
import TestSupport
import Testing

/// The API over TLS, by an authority of the tests' own.
@Suite(.timeLimit(.minutes(15)))
struct CertificateTests {
    private struct Served: Sendable {
        var program: Program
        var shop: Shop
    }

    private func served(_ certificate: URL, _ body: (Served) async throws -> Void) async throws {
        let shop = try await Shop.open()
        shop.addWebhook()
        let front = try await Front(to: shop.standIn.port, certificate: certificate)
        do {
            let url = "https://127.0.0.1:\(front.port)/v1"
            let program = try Program(shop.settings.merging(["LEMON_SQUEEZY_API_URL": url]) { $1 })
            #expect(try await program.run("migrate").status == 0)
            try await body(Served(program: program, shop: shop))
        } catch {
            await front.stop()
            throw error
        }
        await front.stop()
    }

    private func codes(_ finished: Program.Finished) throws -> [String] {
        JSON(try JSONSerialization.jsonObject(with: Data(finished.output)))["findings"].rows
            .compactMap(\.["code"].text)
    }

    @Test("By a certificate that the machine trusts the API is asked")
    func trusted() async throws {
        let authority = try await Authority()
        try await served(try await authority.certificate(for: "IP:127.0.0.1")) { served in
            let doctor = try await authority.run(served.program, "doctor", "--format", "json")
            // Variants are mapped by `serve`, which did not run.
            let found = try codes(doctor)
            #expect(!found.contains { $0.hasPrefix("api_") } && !served.shop.standIn.state.calls.isEmpty, "\(found)")
            let reconcile = try await authority.run(served.program, "reconcile")
            #expect(reconcile.status == 0, "\(reconcile.errors)")
            #expect(served.shop.standIn.state.calls.contains { $0.path == "orders" })
        }
    }

    enum Fault: CaseIterable { case otherHost, otherAuthority, expired }

    @Test(
        "One of another host, of an unknown authority, or of yesterday is refused: nothing is sent",
        arguments: Fault.allCases)
    func refused(_ fault: Fault) async throws {
        let (authority, other) = (try await Authority(), try await Authority())
        let certificate =
            switch fault {
            case .otherHost: try await authority.certificate(for: "DNS:api.lemonsqueezy.com")
            case .otherAuthority: try await other.certificate(for: "IP:127.0.0.1")
            case .expired: try await authority.certificate(for: "IP:127.0.0.1", days: -1)
            }
        try await served(certificate) { served in
            let sentence = "the certificate of 127.0.0.1 is not one that this machine trusts: nothing was sent"
            let doctor = try await authority.run(served.program, "doctor", "--format", "json")
            #expect(try codes(doctor) == ["api_untrusted"])
            #expect(doctor.text.contains(sentence))
            let reconcile = try await authority.run(served.program, "reconcile")
            #expect(reconcile.status == 1 && reconcile.sentence == sentence, "\(reconcile.errors)")
            #expect(served.shop.standIn.state.calls.isEmpty)
        }
    }
}
