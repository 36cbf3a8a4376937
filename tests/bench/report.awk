# report.awk: figures of several runs as a table for people or, with -v format=json, as JSON.
#
# Input, separated by tabs:
#   machine  NAME  VALUE
#   about    SECTION  TITLE  SOURCE                        what is measured, where its numbers come from
#   figure   SECTION  SIDE  DURABILITY  METRIC  UNIT  VALUE      one of a run
#   ratio    WHAT  SECTION  METRIC  SIDE  OTHER-SIDE  AIM  SENSE       medians, divided; SENSE: min or max
#   limit    WHAT  SECTION  METRIC  SIDE  AIM  LATER  [SENSE]           a median that should not be above AIM, or below with min
BEGIN { FS = "\t" }

function quoted(text) { gsub(/[\\"]/, "\\\\&", text); return "\"" text "\"" }
function sorted(key, out,    i, j, n, x) { # values of a figure in ascending order; returns their number
    n = split(values[key], out, " ")
    for (i = 2; i <= n; i++) {
        x = out[i] + 0
        for (j = i - 1; j > 0 && out[j] + 0 > x; j--) out[j + 1] = out[j]
        out[j + 1] = x
    }
    return n
}
function median(key,    v, n) {
    n = sorted(key, v)
    return n == 0 ? "" : n % 2 ? v[(n + 1) / 2] + 0 : (v[n / 2] + v[n / 2 + 1]) / 2
}
function shown(x) { return x == "" ? "-" : sprintf(x >= 100 ? "%.0f" : x >= 10 ? "%.1f" : "%.2f", x) }
function range(key,    v, n) { n = sorted(key, v); return n == 0 ? "" : shown(v[1]) "-" shown(v[n]) }

$1 == "machine" { machines[++machine_count] = $2; machine[$2] = $3 }
$1 == "about" { sections[++section_count] = $2; title[$2] = $3; source[$2] = $4 }
$1 == "figure" {
    key = $2 FS $3 FS $5
    if (!(($2, $3) in row_seen)) { row_seen[$2, $3] = 1; rows[$2, ++row_count[$2]] = $3; durability[$2, $3] = $4 }
    if (!(($2, $5) in column_seen)) { column_seen[$2, $5] = 1; columns[$2, ++column_count[$2]] = $5 }
    if (!(key in values)) { keys[++key_count] = key; unit[key] = $6; unit_of[$2, $5] = $6 }
    values[key] = values[key] (values[key] == "" ? "" : " ") $7
}
$1 == "ratio" { top = median($3 FS $5 FS $4); below = median($3 FS $6 FS $4)
    if (top != "" && below > 0) judge($2, top / below, $7, "", $8) }
$1 == "limit" { x = median($3 FS $5 FS $4); if (x != "") judge($2, x, $6, $7, $8 == "min" ? "min" : "max") }

function judge(what, value, aim, later, sense) {
    verdicts[++verdict_count] = what
    verdict_value[verdict_count] = value
    verdict_aim[verdict_count] = aim
    verdict_later[verdict_count] = later
    verdict_met[verdict_count] = aim == "" ? "" : (sense == "min" ? value >= aim + 0 : value <= aim + 0)
    verdict_sense[verdict_count] = sense
}

function aim_text(i,    least) {
    if (verdict_met[i] == "") return ""
    least = verdict_sense[i] == "min" ? "at least" : "at most"
    return sprintf("   aim %s %s%s: %s", least, verdict_aim[i], (verdict_later[i] == "" ? "" : ", later " verdict_later[i]), \
        (verdict_met[i] ? "reached" : "missed"))
}

function runs_of(s, side,    k, n, most, unused) { # some figures of a row may come once
    for (k = 1; k <= column_count[s]; k++) {
        n = split(values[s FS side FS columns[s, k]], unused, " ")
        if (n > most) most = n
    }
    return most
}

function print_table(    i, j, k, s, side, line) {
    for (i = 1; i <= machine_count; i++) printf "%-12s %s\n", machines[i], machine[machines[i]]
    for (i = 1; i <= section_count; i++) {
        s = sections[i]
        if (!row_count[s]) continue
        printf "\n%s\n  %-38s %-10s", title[s], "", "durability"
        for (k = 1; k <= column_count[s]; k++) printf " %14s", columns[s, k]
        printf "\n  %-38s %-10s", "", ""
        for (k = 1; k <= column_count[s]; k++) printf " %14s", unit_of[s, columns[s, k]]
        printf "\n"
        for (j = 1; j <= row_count[s]; j++) {
            side = rows[s, j]
            printf "  %-38s %-10s", side, durability[s, side]
            for (k = 1; k <= column_count[s]; k++) printf " %14s", shown(median(s FS side FS columns[s, k]))
            printf "\n"
            if (runs_of(s, side) < 2) continue # its least and most say nothing more
            line = sprintf("  %-38s %-10s", sprintf("  %d runs, least-most", runs_of(s, side)), "")
            for (k = 1; k <= column_count[s]; k++) line = line sprintf(" %14s", range(s FS side FS columns[s, k]))
            sub(/ +$/, "", line)
            print line
        }
        printf "  from: %s\n", source[s]
    }
    printf "\n"
    for (i = 1; i <= verdict_count; i++)
        printf "%-66s %8s%s\n", verdicts[i], shown(verdict_value[i]), aim_text(i)
}

function print_json(    i, n, v, j, p) {
    printf "{\n  \"format\": 1,\n  \"machine\": {"
    for (i = 1; i <= machine_count; i++) printf "%s\n    %s: %s", (i > 1 ? "," : ""), quoted(machines[i]), quoted(machine[machines[i]])
    printf "\n  },\n  \"sections\": ["
    for (i = 1; i <= section_count; i++)
        printf "%s\n    {\"name\": %s, \"title\": %s, \"source\": %s}", (i > 1 ? "," : ""), quoted(sections[i]), quoted(title[sections[i]]), quoted(source[sections[i]])
    printf "\n  ],\n  \"figures\": ["
    for (i = 1; i <= key_count; i++) {
        split(keys[i], p, FS)
        n = sorted(keys[i], v)
        printf "%s\n    {\"section\": %s, \"side\": %s, \"durability\": %s, \"metric\": %s, \"unit\": %s, \"median\": %.6g, \"least\": %.6g, \"most\": %.6g, \"runs\": [", \
            (i > 1 ? "," : ""), quoted(p[1]), quoted(p[2]), quoted(durability[p[1], p[2]]), quoted(p[3]), quoted(unit[keys[i]]), median(keys[i]), v[1], v[n]
        n = split(values[keys[i]], v, " ")
        for (j = 1; j <= n; j++) printf "%s%s", (j > 1 ? ", " : ""), v[j]
        printf "]}"
    }
    printf "\n  ],\n  \"verdicts\": ["
    for (i = 1; i <= verdict_count; i++)
        printf "%s\n    {\"what\": %s, \"value\": %.6g, \"aim\": %s, \"later\": %s, \"reached\": %s}", (i > 1 ? "," : ""), quoted(verdicts[i]), verdict_value[i], \
            (verdict_aim[i] == "" ? "null" : verdict_aim[i]), (verdict_later[i] == "" ? "null" : verdict_later[i]), \
            (verdict_met[i] == "" ? "null" : verdict_met[i] ? "true" : "false")
    printf "\n  ]\n}\n"
}
END { if (format == "json") print_json(); else print_table() }
