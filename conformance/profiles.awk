# Writes the profiles as C strings: a table of name (the file's, without .profile) and text.
BEGIN { print "/* Written from conformance/profiles; do not edit. */\n#include <stddef.h>\n\nstatic const struct {\n    const char *name;\n    const char *text;\n} conformance_profiles[] = {" }
FNR == 1 {
    if (open) print "    },"
    n = FILENAME; sub(/.*\//, "", n); sub(/\.profile$/, "", n)
    printf "    {\n        \"%s\",\n", n
    open = 1; count++
}
{ gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); printf "        \"%s\\n\"\n", $0 }
END { if (open) print "    },"; printf "};\n\nstatic const size_t conformance_profiles_count = %d;\n", count }
