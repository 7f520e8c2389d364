-- Sends the lines of the file $REQUESTS in turn, as JSON; prints one RESULT line.
-- SPDX-License-Identifier: Apache-2.0
local bodies, at = {}, 0
for line in io.lines(os.getenv("REQUESTS")) do
  if #line > 0 then bodies[#bodies + 1] = line end
end
assert(#bodies > 0, "the file of requests is empty")
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"

request = function()
  at = at % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[at])
end

done = function(summary, latency, _)
  io.write(string.format("RESULT %d %.1f %.3f %.3f %d\n", summary.requests, summary.requests * 1e6 / summary.duration,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.errors.status))
end
