#include "cli/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/base/xalloc.h"

static void
scaled(double value, const char *const *names, size_t count, char *out)
{
    size_t i = 0;

    while (value >= 999.5 && i + 1 < count) {
        value /= 1000;
        i++;
    }
    if (i == 0 || value >= 99.95)
        snprintf(out, UNITS_BYTES, "%.0f%s", value, names[i]);
    else
        snprintf(out, UNITS_BYTES, "%.1f%s", value, names[i]);
}

void
units_bytes(uint64_t bytes, char *out)
{
    static const char *const names[] = {" B", " kB", " MB", " GB", " TB", " PB"};

    scaled((double)bytes, names, ARRAY_LEN(names), out);
}

void
units_count(int64_t count, char *out)
{
    static const char *const names[] = {"", " k", " M", " G", " T"};

    scaled((double)count, names, ARRAY_LEN(names), out);
}

void
units_seconds(int64_t seconds, char *out)
{
    if (seconds < 60)
        snprintf(out, UNITS_BYTES, "%" PRId64 " s", seconds);
    else if (seconds < 3600)
        snprintf(out, UNITS_BYTES, "%" PRId64 " m %02" PRId64 " s", seconds / 60, seconds % 60);
    else
        snprintf(
            out, UNITS_BYTES, "%" PRId64 " h %02" PRId64 " m", seconds / 3600, seconds / 60 % 60);
}

bool
units_seconds_read(const char *text, int64_t *seconds)
{
    static const struct {
        char letter;
        int32_t seconds;
    } scales[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 8 || text[digits] == '\0' || text[digits + 1] != '\0')
        return false;
    for (size_t i = 0; i < ARRAY_LEN(scales); i++)
        if (text[digits] == scales[i].letter) {
            *seconds = strtol(text, NULL, 10) * scales[i].seconds;
            return *seconds > 0;
        }
    return false;
}

bool
units_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i]);

        if (value != NULL && *value != '\0')
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
    }
    return false;
}

size_t
units_columns(size_t fallback)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    size_t found = fallback;

    if (isatty(STDOUT_FILENO) != 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
        size.ws_col > 0)
        found = size.ws_col;
    else if (columns != NULL && strtol(columns, NULL, 10) > 0)
        found = (size_t)strtol(columns, NULL, 10);
    return found < UNITS_COLUMNS_MAX ? found : UNITS_COLUMNS_MAX;
}
