/* Names that programs give their topics. */
#include "tests/unit/unit.h"

#include <fnmatch.h>
#include <string.h>

#include "audit/names.h"
#include "lib/base/xalloc.h"

#define NAME_BYTES 128

static const struct {
    enum names_kind kind;
    const char *pattern;
} patterns[] = {
#define NAME(kind, pattern) {NAMES_##kind, pattern},
#include "audit/names.def"
};

/* What fnmatch alone says. */
static const char *
plainly(enum names_kind kind, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
        if (patterns[i].kind == kind && fnmatch(patterns[i].pattern, name, 0) == 0)
            return patterns[i].pattern;
    return NULL;
}

static void
check(const char *name)
{
    const char *found[NAMES_KINDS];

    names_find(name, found);
    for (enum names_kind kind = 0; kind < NAMES_KINDS; kind++) {
        const char *expected = plainly(kind, name);

        assert_true((found[kind] == NULL) == (expected == NULL));
        if (expected != NULL)
            assert_string_equal(found[kind], expected);
    }
}

/* Puts a text in place of each star, and one that fits in place of brackets. */
static void
fill(const char *pattern, const char *star, char *name)
{
    size_t size = 0;

    for (const char *at = pattern; *at != '\0'; at++) {
        if (*at == '*') {
            memcpy(name + size, star, strlen(star));
            size += strlen(star);
        } else if (*at == '[') {
            name[size++] = at[1]; /* the first that they allow */
            at = strchr(at, ']');
        } else {
            name[size++] = *at;
        }
    }
    name[size] = '\0';
}

static void
each_pattern_finds_what_fnmatch_finds(void **state)
{
    static const char *const stars[] = {"", "a", "shop.", "-x-", "*", "DLQ"};
    char name[NAME_BYTES];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
        for (size_t k = 0; k < ARRAY_LEN(stars); k++) {
            fill(patterns[i].pattern, stars[k], name);
            assert_non_null(plainly(patterns[i].kind, name));
            check(name);
            /* One character less at either end, or another in the middle. */
            check(name + 1);
            name[strlen(name) / 2] = '#';
            check(name);
            name[strlen(name) - 1] = '\0';
            check(name);
        }
}

static void
other_names_fit_nothing(void **state)
{
    static const char *const others[] = {
        "", "t", "orders", "shop.orders-v2", "heartbeat", "_", "*"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        check(others[i]);
        for (enum names_kind kind = 0; kind < NAMES_KINDS; kind++)
            assert_null(plainly(kind, others[i]));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_pattern_finds_what_fnmatch_finds),
        cmocka_unit_test(other_names_fit_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
