-- GET one path over and over, and tell what was seen as JSON.

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  io.write(string.format('\n{"hits":%d,"failed":%d,"p50_ms":%.3f,"p99_ms":%.3f}\n',
    summary.requests, failed, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
