#include "tests/unit/lib/store/store_battery.h"

#include "lib/store/store.h"
#include "tests/unit/unit.h"

#define OBJECT_BYTES 100000

static uint8_t object[OBJECT_BYTES], got[OBJECT_BYTES];

static void
put(struct store *store, const char *key, size_t size)
{
    struct err e = {0};

    for (size_t i = 0; i < sizeof object; i++)
        object[i] = (uint8_t)(i * 7 + i / 255);
    if (store_put(store, key, object, size, &e) != RC_OK)
        fail_msg("%s: %s", key, e.text);
}

void
store_battery_what_is_put_is_got(void **state)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, OBJECT_BYTES};
    char key[32];

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        snprintf(key, sizeof key, "object-%zu", i);
        put(*state, key, sizes[i]);
        memset(got, 0, sizeof got);
        assert_int_equal(store_get(*state, key, 0, got, sizes[i], NULL), RC_OK);
        assert_memory_equal(got, object, sizes[i]);
    }
}

/* Of all sizes, so that they end beside and on the borders of what a driver writes at once. */
void
store_battery_pieces_are_put_as_one_object(void **state)
{
    static const size_t ends[] = {0, 1, 4095, 4096, 20000, 20000, 69632, OBJECT_BYTES};
    struct pieces_item items[sizeof ends / sizeof *ends];
    struct pieces pieces;
    size_t at = 0;

    put(*state, "whole", OBJECT_BYTES);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        items[i] = (struct pieces_item){object + at, ends[i] - at};
        at = ends[i];
    }
    pieces = pieces_of(items, sizeof ends / sizeof *ends);
    assert_int_equal(store_put_pieces(*state, "in-pieces", &pieces, NULL), RC_OK);
    memset(got, 0, sizeof got);
    assert_int_equal(store_get(*state, "in-pieces", 0, got, sizeof got, NULL), RC_OK);
    assert_memory_equal(got, object, sizeof got);
    assert_int_equal(store_put_pieces(*state, ".key", &pieces, NULL), RC_CONFIG);
}

void
store_battery_ranges_are_exact(void **state)
{
    static const size_t ranges[][2] = {
        {0, 10}, {1, 1}, {4090, 20}, {OBJECT_BYTES - 1, 1}, {OBJECT_BYTES, 0}, {50000, 30000}};

    put(*state, "a", OBJECT_BYTES);
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        memset(got, 0xee, sizeof got);
        assert_int_equal(
            store_get(*state, "a", (int64_t)ranges[i][0], got, ranges[i][1], NULL), RC_OK);
        assert_memory_equal(got, object + ranges[i][0], ranges[i][1]);
        if (ranges[i][1] < sizeof got)
            assert_int_equal(got[ranges[i][1]], 0xee);
    }
}

void
store_battery_a_missing_object_is_not_found(void **state)
{
    struct err e = {0};

    put(*state, "a", 10);
    assert_int_equal(store_get(*state, "b", 0, got, 1, &e), RC_NOTFOUND);
    assert_non_null(strstr(e.text, "b"));
    assert_int_equal(store_get(*state, "b", 0, got, 0, NULL), RC_NOTFOUND);
}

void
store_battery_a_range_behind_the_end_is_truncated(void **state)
{
    struct err e = {0};

    put(*state, "a", 10);
    assert_int_equal(store_get(*state, "a", 5, got, 6, &e), RC_TRUNCATED);
    assert_non_null(strstr(e.text, "a "));
    assert_int_equal(store_get(*state, "a", 10, got, 1, NULL), RC_TRUNCATED);
    assert_int_equal(store_get(*state, "a", INT64_MAX / 2, got, 1, NULL), RC_TRUNCATED);
}

void
store_battery_removing_twice_is_fine(void **state)
{
    struct err e = {0};

    put(*state, "a", 10);
    assert_int_equal(store_remove(*state, "a", NULL), RC_OK);
    assert_int_equal(store_get(*state, "a", 0, got, 1, NULL), RC_NOTFOUND);
    assert_int_equal(store_remove(*state, "a", &e), RC_OK);
    assert_int_equal(e.code, RC_OK);
}

void
store_battery_many_are_removed_at_once(void **state)
{
    static const char *const keys[] = {"a", "missing", "b"};
    static const char *const bad[] = {"a", "../b"};
    bool removed[STORE_REMOVE_MAX + 1];

    put(*state, "a", 10);
    put(*state, "b", 10);
    put(*state, "c", 10);
    assert_int_equal(store_remove_many(*state, bad, 2, removed, NULL), RC_CONFIG);
    assert_int_equal(
        store_remove_many(*state, keys, STORE_REMOVE_MAX + 1, removed, NULL), RC_LIMIT);
    assert_int_equal(store_get(*state, "a", 0, got, 1, NULL), RC_OK);
    assert_int_equal(store_remove_many(*state, keys, 3, removed, NULL), RC_OK);
    for (int i = 0; i < 3; i++)
        assert_true(removed[i]);
    assert_int_equal(store_get(*state, "a", 0, got, 1, NULL), RC_NOTFOUND);
    assert_int_equal(store_get(*state, "b", 0, got, 1, NULL), RC_NOTFOUND);
    assert_int_equal(store_get(*state, "c", 0, got, 1, NULL), RC_OK);
    assert_int_equal(store_remove_many(*state, keys, 0, removed, NULL), RC_OK);
}

void
store_battery_a_second_put_replaces_the_whole_object(void **state)
{
    put(*state, "a", OBJECT_BYTES);
    assert_int_equal(store_put(*state, "a", "new", 3, NULL), RC_OK);
    assert_int_equal(store_get(*state, "a", 0, got, 3, NULL), RC_OK);
    assert_memory_equal(got, "new", 3);
    assert_int_equal(store_get(*state, "a", 0, got, 4, NULL), RC_TRUNCATED);
}

struct keys {
    struct store *store; /* remove each from it */
    int seen[50];
    int others;
};

static void
key_seen(void *arg, const char *key)
{
    struct keys *keys = arg;
    int n = -1;

    if (sscanf(key, "k.%d", &n) == 1 && n >= 0 && n < 50)
        keys->seen[n]++;
    else
        keys->others++;
    if (keys->store != NULL)
        assert_int_equal(store_remove(keys->store, key, NULL), RC_OK);
}

static void
put_many(struct store *store)
{
    char key[32];

    for (int i = 0; i < 50; i++) {
        snprintf(key, sizeof key, "k.%d", i);
        put(store, key, 10);
    }
}

void
store_battery_the_list_has_every_key_once(void **state)
{
    struct keys keys = {0};

    assert_int_equal(store_list(*state, key_seen, &keys, NULL), RC_OK);
    assert_int_equal(keys.others, 0);
    put_many(*state);
    put(*state, "k.7", 20);
    assert_int_equal(store_remove(*state, "k.9", NULL), RC_OK);
    assert_int_equal(store_list(*state, key_seen, &keys, NULL), RC_OK);
    for (int i = 0; i < 50; i++)
        assert_int_equal(keys.seen[i], i != 9);
    assert_int_equal(keys.others, 0);
}

void
store_battery_objects_may_be_removed_while_they_are_listed(void **state)
{
    struct keys keys = {.store = *state};

    put_many(*state);
    assert_int_equal(store_list(*state, key_seen, &keys, NULL), RC_OK);
    for (int i = 0; i < 50; i++)
        assert_int_equal(keys.seen[i], 1);
    memset(&keys, 0, sizeof keys);
    assert_int_equal(store_list(*state, key_seen, &keys, NULL), RC_OK);
    for (int i = 0; i < 50; i++)
        assert_int_equal(keys.seen[i], 0);
}

void
store_battery_keys_that_break_the_rule_are_refused(void **state)
{
    static const char *const bad[] = {"", ".", "..", ".hidden", "../a", "a/b", "/a", "a b", "a\n",
        "a\\b", "\xc3\xa4", "a:b", "a*"};
    char key[STORE_KEY_BYTES_MAX + 2];
    struct err e = {0};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(store_put(*state, bad[i], "x", 1, &e), RC_CONFIG);
        assert_non_null(strstr(e.text, "is no key"));
        assert_int_equal(store_get(*state, bad[i], 0, got, 1, NULL), RC_CONFIG);
        assert_int_equal(store_remove(*state, bad[i], NULL), RC_CONFIG);
    }
    memset(key, 'k', sizeof key);
    key[STORE_KEY_BYTES_MAX + 1] = '\0';
    assert_int_equal(store_put(*state, key, "x", 1, NULL), RC_CONFIG);
    key[STORE_KEY_BYTES_MAX] = '\0';
    put(*state, key, 1);
    put(*state, "Az09._-", 1);
    put(*state, "a.part", 1);
}
