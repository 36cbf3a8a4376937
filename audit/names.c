#include "audit/names.h"

#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

#include "lib/base/xalloc.h"

static const struct {
    enum names_kind kind;
    const char *pattern;
} patterns[] = {
#define NAME(kind, pattern) {NAMES_##kind, pattern},
#include "audit/names.def"
};

static const char *const texts[] = {
#define NAME(kind, pattern) pattern,
#define ENDING(suffix, inside, role) suffix, inside,
#include "audit/names.def"
};

/* Whether a pattern's ends do not rule a name out, as those of most patterns do most names. */
static bool
may_match(const char *pattern, const char *name, size_t size)
{
    char last = pattern[strlen(pattern) - 1];

    return (*pattern == '*' || *pattern == *name) && size > 0 &&
           (last == '*' || last == ']' || last == name[size - 1]);
}

const char *
names_pattern(enum names_kind kind, const char *name)
{
    size_t size = strlen(name);

    for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
        if (patterns[i].kind == kind && may_match(patterns[i].pattern, name, size) &&
            fnmatch(patterns[i].pattern, name, 0) == 0)
            return patterns[i].pattern;
    return NULL;
}

size_t
names_word(const char *text)
{
    size_t size = 0;

    while (isalnum((unsigned char)text[size]) != 0 || (unsigned char)text[size] >= 0x80)
        size++;
    return size;
}

bool
names_is_word(const char *word, size_t size)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        for (const char *at = texts[i]; at != NULL && *at != '\0';) {
            size_t length = names_word(at);

            if (length == size && memcmp(at, word, size) == 0)
                return true;
            at += length == 0 ? 1 : length;
        }
    return false;
}
