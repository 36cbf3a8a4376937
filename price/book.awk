# Writes a price file as a C string.
BEGIN { printf "/* Written from price/prices.conf; do not edit. */\nstatic const char price_book_text[] =\n" }
{ gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); printf "    \"%s\\n\"\n", $0 }
END { print "    ;" }
