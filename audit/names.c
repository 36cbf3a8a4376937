#include "audit/names.h"

#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

#include "lib/base/xalloc.h"

static const struct pattern {
    enum names_kind kind;
    const char *text;
    size_t size;
} patterns[] = {
#define NAME(kind, pattern) {NAMES_##kind, pattern, sizeof(pattern) - 1},
#include "audit/names.def"
};

static const char *const texts[] = {
#define NAME(kind, pattern) pattern,
#define ENDING(suffix, inside, role) suffix, inside,
#define FLINK_CLIENT(ending) ending,
#include "audit/names.def"
};

/* Whether what is in a pattern between two stars is nowhere in a name, or a pattern's ends rule it
 * out: what most patterns do with most names, for less than fnmatch. */
static bool
is_ruled_out(const struct pattern *pattern, const char *name, size_t size)
{
    char first = pattern->text[0], last = pattern->text[pattern->size - 1];

    if (size == 0)
        return true;
    if (first == '*' && last == '*' &&
        strpbrk(pattern->text + 1, "*?[\\") == pattern->text + pattern->size - 1)
        return memmem(name, size, pattern->text + 1, pattern->size - 2) == NULL;
    return (first != '*' && first != *name) ||
           (last != '*' && last != ']' && last != name[size - 1]);
}

void
names_find(const char *name, const char *found[NAMES_KINDS])
{
    size_t size = strlen(name);

    memset(found, 0, NAMES_KINDS * sizeof *found);
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
        if (found[patterns[i].kind] == NULL && !is_ruled_out(&patterns[i], name, size) &&
            fnmatch(patterns[i].text, name, 0) == 0)
            found[patterns[i].kind] = patterns[i].text;
}

size_t
names_word(const char *text)
{
    size_t size = 0;

    while (isalnum((unsigned char)text[size]) != 0 || (unsigned char)text[size] >= 0x80)
        size++;
    return size;
}

/* Whether a word has so many hex digits and nothing else. */
static bool
is_hex(const char *text, size_t digits)
{
    return names_word(text) == digits && strspn(text, "0123456789abcdef") >= digits;
}

size_t
names_made_id(const char *text)
{
    static const size_t groups[] = {8, 4, 4, 4, 12};

    /* So many decimal digits are a number. */
    if (is_hex(text, NAMES_HASH_CHARS) && strspn(text, "0123456789") < NAMES_HASH_CHARS)
        return NAMES_HASH_CHARS;
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if ((i > 0 && *text++ != '-') || !is_hex(text, groups[i]))
            return 0;
        text += groups[i];
    }
    return NAMES_UUID_CHARS;
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
