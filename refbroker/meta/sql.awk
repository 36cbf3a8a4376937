# Writes the .sql files of a folder as a table of struct db_migration. Files are named NNN_what.sql; NNN is the version.
BEGIN { printf "/* Written from refbroker/meta/sql; do not edit. */\n#include \"lib/db/db.h\"\n\nstatic const struct db_migration %s[] = {\n", name }
FNR == 1 {
    if (open) print "    },"
    n = FILENAME; sub(/.*\//, "", n)
    printf "    {%d,\n", n + 0
    open = 1; count++
}
{ gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); printf "        \"%s\\n\"\n", $0 }
END { if (open) print "    },"; printf "};\n\nstatic const size_t %s_count = %d;\n", name, count }
