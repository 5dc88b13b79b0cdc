-- For plain requests: the same line as webhooks.lua prints.

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        "\nbench requests=%d seconds=%f sent=%d refused=%d failed=%d p50=%f p99=%f\n",
        summary.requests, summary.duration / 1e6, summary.requests, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
