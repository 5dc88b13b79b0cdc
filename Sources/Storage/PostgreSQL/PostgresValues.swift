public import Billing
public import LemonSqueezy
public import Postgres

// Values with a text behind them are bound and read as that text.

extension Outcome: PostgresArrayElement, PostgresDecodable {}
extension InboxEvent.Kind: PostgresArrayElement, PostgresDecodable {}
extension SecretMatch: PostgresArrayElement, PostgresDecodable {}
extension EventName: PostgresArrayElement, PostgresDecodable {}
extension SubscriptionStatus: PostgresArrayElement, PostgresDecodable {}
extension Line: PostgresArrayElement, PostgresDecodable {}
extension LedgerEntry.Kind: PostgresArrayElement, PostgresDecodable {}
extension OperatorRecord.Kind: PostgresDecodable {}
extension Acceptance.Mode: PostgresArrayElement, PostgresDecodable {}
extension UpgradeUnits: PostgresArrayElement, PostgresDecodable {}
extension DowngradeUnits: PostgresArrayElement, PostgresDecodable {}
extension RefundUnits: PostgresArrayElement, PostgresDecodable {}
