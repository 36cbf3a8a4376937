#include "refbroker/coord/client_match.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/coord/topic_pattern.h"

struct client_match {
    struct topic_pattern *patterns[CLIENT_TRAIT_COUNT]; /* NULL: anything fits */
};

static const char *const names[CLIENT_TRAIT_COUNT] = {
#define CLIENT_TRAIT(trait, name) [CLIENT_TRAIT_##trait] = (name),
#include "refbroker/coord/client_traits.def"
#undef CLIENT_TRAIT
};

const char *
client_match_trait_name(enum client_trait trait)
{
    return names[trait];
}

/* What String.trim leaves. */
static void
trim(const char **text, size_t *size)
{
    while (*size > 0 && (unsigned char)**text <= ' ')
        ++*text, --*size;
    while (*size > 0 && (unsigned char)(*text)[*size - 1] <= ' ')
        --*size;
}

static enum client_trait
trait_find(const char *name, size_t size)
{
    enum client_trait trait = 0;

    while (trait < CLIENT_TRAIT_COUNT &&
           (strlen(names[trait]) != size || memcmp(names[trait], name, size) != 0))
        trait++;
    return trait;
}

/* Takes one word, PROPERTY=PATTERN; false where it is none. */
static bool
word_read(struct client_match *match, const char *word, size_t size)
{
    const char *sign = memchr(word, '=', size), *why;
    const char *pattern = sign == NULL ? NULL : sign + 1;
    size_t name_size = sign == NULL ? 0 : (size_t)(sign - word);
    size_t pattern_size = sign == NULL ? 0 : size - name_size - 1;
    struct topic_pattern *compiled;
    enum client_trait trait;

    if (pattern_size == 0 || memchr(pattern, '=', pattern_size) != NULL)
        return false;
    trim(&word, &name_size);
    trim(&pattern, &pattern_size);
    trait = trait_find(word, name_size);
    if (trait == CLIENT_TRAIT_COUNT)
        return false;
    compiled = topic_pattern_new(pattern, pattern_size, &why);
    if (compiled == NULL)
        return false;
    topic_pattern_free(match->patterns[trait]);
    match->patterns[trait] = compiled;
    return true;
}

struct client_match *
client_match_new(const char *text, const char **bad, size_t *bad_size)
{
    struct client_match *match = xcalloc(1, sizeof *match);
    size_t left = strlen(text);

    while (left > 0) {
        const char *comma = memchr(text, ',', left), *word = text;
        size_t size = comma == NULL ? left : (size_t)(comma - text);
        size_t step = comma == NULL ? left : size + 1;

        trim(&word, &size);
        if (!word_read(match, word, size)) {
            *bad = word;
            *bad_size = size;
            client_match_free(match);
            return NULL;
        }
        text += step;
        left -= step;
    }
    return match;
}

void
client_match_free(struct client_match *match)
{
    if (match == NULL)
        return;
    for (enum client_trait trait = 0; trait < CLIENT_TRAIT_COUNT; trait++)
        topic_pattern_free(match->patterns[trait]);
    free(match);
}

bool
client_match_fits(const struct client_match *match, const struct client_traits *traits)
{
    for (enum client_trait trait = 0; trait < CLIENT_TRAIT_COUNT; trait++)
        if (match->patterns[trait] != NULL &&
            (traits->values[trait] == NULL ||
                !topic_pattern_matches(match->patterns[trait], traits->values[trait])))
            return false;
    return true;
}
