# Prints each line of C files as path:line:code, without comments and with what stands in quotes left out.
FNR == 1 { in_comment = 0 }
{
    code = ""
    for (rest = $0; rest != "";) {
        if (in_comment) {
            end = index(rest, "*/")
            if (end == 0) break
            rest = substr(rest, end + 2)
            in_comment = 0
            continue
        }
        if (!match(rest, /\/\*|\/\/|["']/)) { code = code rest; break }
        code = code substr(rest, 1, RSTART - 1)
        mark = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        if (mark == "//") break
        if (mark == "/*") { in_comment = 1; continue }
        # A quoted part: to the next quote that no backslash stands before.
        code = code mark
        while (match(rest, /\\.|["']/)) {
            found = substr(rest, RSTART, RLENGTH)
            rest = substr(rest, RSTART + RLENGTH)
            if (found == mark) { code = code mark; break }
        }
    }
    print FILENAME ":" FNR ":" code
}
