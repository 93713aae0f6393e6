for line in io.stdin:lines() do
    local first, second = string.match(line, "^(.*)\t(.*)$")
    local ok, order = pcall(rpm.vercmp, first, second)
    io.stdout:write(ok and string.format("%d", order) or "!", "\n")
end
io.stdout:flush()
