#include "lib/base/arena.h"

#include "tests/unit/unit.h"

static void
memory_is_zeroed_and_aligned(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 1 << 20);
    for (size_t size = 1; size < 5000; size += 37) {
        unsigned char *p = arena_alloc(&arena, size);

        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, size);
    }
    arena_fini(&arena);
}

static void
the_cap_refuses_and_keeps_refusing_until_the_reset(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 1000);
    assert_non_null(arena_alloc(&arena, 900));
    assert_null(arena_alloc(&arena, 200));
    assert_true(arena_is_full(&arena));
    assert_null(arena_alloc(&arena, 1));
    arena_reset(&arena);
    assert_false(arena_is_full(&arena));
    assert_non_null(arena_alloc(&arena, 900));
    arena_fini(&arena);
}

static void
sizes_that_overflow_are_refused(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, SIZE_MAX);
    assert_null(arena_array(&arena, SIZE_MAX / 2, 3));
    arena_reset(&arena);
    assert_null(arena_alloc(&arena, SIZE_MAX - 3));
    arena_reset(&arena);
    assert_null(arena_dup(&arena, "", SIZE_MAX));
    arena_fini(&arena);
}

static void
a_reset_keeps_the_first_block(void **state)
{
    struct arena arena;
    void *first;

    (void)state;
    arena_init(&arena, 1 << 20);
    first = arena_alloc(&arena, 16);
    for (int i = 0; i < 100; i++)
        assert_non_null(arena_alloc(&arena, 1000));
    arena_reset(&arena);
    assert_ptr_equal(arena_alloc(&arena, 16), first);
    arena_fini(&arena);
}

static void
copies_end_with_a_zero_and_text_is_formatted(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 4096);
    assert_string_equal(arena_dup(&arena, "abcdef", 3), "abc");
    assert_string_equal(arena_strdup(&arena, "xyz"), "xyz");
    assert_string_equal(arena_printf(&arena, "%d-%s", 7, "seven"), "7-seven");
    arena_fini(&arena);
}

static void
a_rewind_takes_back_what_came_behind_the_mark(void **state)
{
    struct arena_mark empty, mark;
    struct arena arena;
    char *kept, *next;

    (void)state;
    arena_init(&arena, 100000);
    empty = arena_mark(&arena);
    kept = arena_strdup(&arena, "kept");
    mark = arena_mark(&arena);
    next = arena_alloc(&arena, 10);
    for (int i = 0; i < 50; i++)
        assert_non_null(arena_alloc(&arena, 1000));
    assert_null(arena_alloc(&arena, 90000));
    assert_true(arena_is_full(&arena));
    arena_rewind(&arena, mark);
    assert_false(arena_is_full(&arena));
    assert_string_equal(kept, "kept");
    assert_ptr_equal(arena_alloc(&arena, 10), next);
    assert_non_null(arena_alloc(&arena, 90000));
    arena_rewind(&arena, empty);
    assert_int_equal(arena.used_bytes, 0);
    assert_non_null(arena_alloc(&arena, 99000));
    arena_fini(&arena);
}

static void
caps_of_nothing_and_repeated_resets_hold(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 0);
    assert_non_null(arena_alloc(&arena, 0));
    assert_null(arena_alloc(&arena, 1));
    arena_fini(&arena);
    arena_init(&arena, 1000);
    for (int i = 0; i < 3; i++) {
        assert_non_null(arena_alloc(&arena, 992));
        assert_null(arena_alloc(&arena, 16));
        arena_reset(&arena);
        arena_reset(&arena);
    }
    assert_non_null(arena_dup(&arena, NULL, 0));
    arena_fini(&arena);
    arena_fini(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(the_cap_refuses_and_keeps_refusing_until_the_reset),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(a_reset_keeps_the_first_block),
        cmocka_unit_test(copies_end_with_a_zero_and_text_is_formatted),
        cmocka_unit_test(a_rewind_takes_back_what_came_behind_the_mark),
        cmocka_unit_test(caps_of_nothing_and_repeated_resets_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
