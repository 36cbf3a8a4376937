#include "refbroker/api/topic_groups.h"

#include "tests/unit/unit.h"

#define ROWS_MAX 16

/* Makes groups of rows whose topics a text names, a letter a row. */
static bool
make(struct arena *arena, const char *topics, struct topic_groups *out)
{
    struct wire_uuid ids[ROWS_MAX] = {0};
    size_t count = strlen(topics);

    for (size_t i = 0; i < count; i++)
        ids[i].bytes[15] = (uint8_t)topics[i];
    return topic_groups_make(arena, ids, count, out);
}

static void
rows_are_gathered_in_their_order(void **state)
{
    struct topic_groups groups;
    struct arena arena;

    (void)state;
    arena_init(&arena, 65536);
    assert_true(make(&arena, "abacba", &groups));
    assert_int_equal(groups.count, 3);
    assert_int_equal(groups.items[0].topic_id.bytes[15], 'a');
    assert_int_equal(groups.items[0].count, 3);
    assert_int_equal(groups.items[0].rows[0], 0);
    assert_int_equal(groups.items[0].rows[1], 2);
    assert_int_equal(groups.items[0].rows[2], 5);
    assert_int_equal(groups.items[1].count, 2);
    assert_int_equal(groups.items[1].rows[0], 1);
    assert_int_equal(groups.items[1].rows[1], 4);
    assert_int_equal(groups.items[2].topic_id.bytes[15], 'c');
    assert_int_equal(groups.items[2].rows[0], 3);
    arena_fini(&arena);
}

static void
no_rows_are_no_groups(void **state)
{
    struct topic_groups groups;
    struct arena arena;

    (void)state;
    arena_init(&arena, 65536);
    assert_true(make(&arena, "", &groups));
    assert_int_equal(groups.count, 0);
    arena_fini(&arena);
}

static void
a_full_arena_is_told(void **state)
{
    struct topic_groups groups;
    struct arena arena;

    (void)state;
    arena_init(&arena, 16);
    assert_false(make(&arena, "abc", &groups));
    arena_fini(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_gathered_in_their_order),
        cmocka_unit_test(no_rows_are_no_groups),
        cmocka_unit_test(a_full_arena_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
