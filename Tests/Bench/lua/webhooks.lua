-- Posts prepared requests, each once and in their order:
--
--     wrk -s webhooks.lua URL -- FILE COUNT CONNECTIONS SECONDS CYCLE PAUSE
--
-- It stops after a whole number of cycles, so that every run has the same mix: when SECONDS are over, or all is sent;
-- but within a cycle if that takes four times as long. It then waits for the answers that are under way, so that what
-- was sent can be counted on the other side.
-- One thread: two would each hold back their own end of the file, and one is far from busy.

local ffi = require("ffi")
ffi.cdef [[
    typedef struct { long seconds, nanoseconds; } moment;
    int clock_gettime(int clock, moment *at);
    int getpid(void);
    int kill(int pid, int signal);
]]

local threads = {}
local function now()
    local at = ffi.new("moment")
    ffi.C.clock_gettime(1, at)
    return tonumber(at.seconds) + tonumber(at.nanoseconds) / 1e9
end

function setup(thread) table.insert(threads, thread) end

function init(arguments)
    file = assert(io.open(arguments[1], "rb"))
    total, connections, seconds = tonumber(arguments[2]), tonumber(arguments[3]), tonumber(arguments[4])
    cycle, pause = tonumber(arguments[5]), tonumber(arguments[6])
    taken, parked, finished, started, ended = 0, 0, false, 0, 0
end

-- wrk asks here before each request of a connection; the only place where one can be kept from sending another.
function delay()
    if started == 0 then started = now() end
    if not finished then
        local spent = now() - started
        finished = taken == total or (taken % cycle == 0 and spent >= seconds) or spent >= 4 * seconds
    end
    if not finished then
        taken = taken + 1
        return pause
    end
    parked = parked + 1
    if parked == connections then
        ended = now()
        -- wrk's own way to end before its time.
        ffi.C.kill(ffi.C.getpid(), 2)
    end
    return 1e8
end

-- The first call is wrk's own, to see what a request looks like.
local isTried = false
function request()
    if not isTried then
        isTried = true
        return "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    end
    return file:read(tonumber(file:read(8)))
end

function done(summary, latency, requests)
    local errors = summary.errors
    local spent = threads[1]:get("ended") - threads[1]:get("started")
    -- Not all answered: then the whole time was spent.
    if spent <= 0 then spent = summary.duration / 1e6 end
    io.write(string.format(
        "\nbench requests=%d seconds=%f sent=%d refused=%d failed=%d p50=%f p99=%f\n",
        summary.requests, spent, threads[1]:get("taken"), errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
