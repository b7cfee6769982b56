-- serve_load.lua - wrk posts the panoramas named after `--`, one after the other, to /v1/locate.
local bodies, at = {}, 0

function init(args)
    for _, path in ipairs(args) do
        local file = assert(io.open(path, "rb"))
        bodies[#bodies + 1] = file:read("*a")
        file:close()
    end
end

function request()
    at = at % #bodies + 1
    return wrk.format("POST", nil, { ["Content-Type"] = "image/jpeg" }, bodies[at])
end

function done(summary)
    local e = summary.errors
    io.write(string.format("answers %d seconds %.2f connect %d read %d write %d status %d timeout %d\n", summary.requests,
        summary.duration / 1e6, e.connect, e.read, e.write, e.status, e.timeout))
end
