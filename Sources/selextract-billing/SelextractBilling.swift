import ArgumentParser
@main struct SelextractBilling: AsyncParsableCommand {
  func run() async throws { print("hi") }
}
