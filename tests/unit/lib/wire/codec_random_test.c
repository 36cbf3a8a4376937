#include "lib/wire/codec_random.h"

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "tests/unit/unit.h"

static struct arena arena;

static struct km_metadata_response *
metadata(struct env *env, int16_t version)
{
    struct km_metadata_response *out = xmalloc(sizeof *out);

    assert_int_equal(
        codec_random(&km_metadata_response_message, version, env, &arena, out, NULL), RC_OK);
    return out;
}

static void
the_same_seed_gives_the_same_message(void **state)
{
    struct buf first, second;

    (void)state;
    buf_init(&first, 1 << 20);
    buf_init(&second, 1 << 20);
    for (uint64_t seed = 1; seed < 50; seed++) {
        struct env env;

        for (int i = 0; i < 2; i++) {
            struct km_metadata_response *message;

            env_init_seeded(&env, seed, 0);
            arena_reset(&arena);
            message = metadata(&env, 12);
            buf_clear(i == 0 ? &first : &second);
            assert_int_equal(codec_encode(&km_metadata_response_message, 12, message,
                                 i == 0 ? &first : &second, NULL),
                RC_OK);
            free(message);
        }
        assert_int_equal(first.size, second.size);
        assert_memory_equal(first.data, second.data, first.size);
    }
    buf_fini(&first);
    buf_fini(&second);
}

static void
counts_nulls_and_ends_all_come_up(void **state)
{
    bool counts[4] = {false}, null = false, least = false, most = false;
    struct env env;

    (void)state;
    env_init_seeded(&env, 1, 0);
    for (int i = 0; i < 2000; i++) {
        struct km_metadata_response *message;

        arena_reset(&arena);
        message = metadata(&env, 12);
        assert_in_range(message->topics.count, 0, 3);
        counts[message->topics.count] = true;
        null |= message->cluster_id.size < 0;
        least |= message->controller_id == INT32_MIN;
        most |= message->controller_id == INT32_MAX;
        free(message);
    }
    assert_true(counts[0] && counts[1] && counts[2] && counts[3]);
    assert_true(null && least && most);
}

static void
fields_outside_the_version_keep_their_defaults(void **state)
{
    struct env env;

    (void)state;
    env_init_seeded(&env, 2, 0);
    for (int i = 0; i < 200; i++) {
        struct km_metadata_response *message;

        arena_reset(&arena);
        message = metadata(&env, 0);
        assert_int_equal(message->throttle_time_ms, 0);
        assert_int_equal(message->controller_id, -1);
        assert_int_equal(message->cluster_id.size, -1);
        free(message);
    }
}

static void
tags_are_present_and_absent(void **state)
{
    int present = 0;
    struct env env;

    (void)state;
    env_init_seeded(&env, 3, 0);
    for (int i = 0; i < 300; i++) {
        struct km_fetch_request request;

        arena_reset(&arena);
        assert_int_equal(
            codec_random(&km_fetch_request_message, 12, &env, &arena, &request, NULL), RC_OK);
        present += request.cluster_id.size > 0;
    }
    assert_in_range(present, 50, 250);
}

static void
a_full_arena_is_a_limit_and_a_strange_version_unsupported(void **state)
{
    struct km_metadata_response message;
    struct arena small;
    struct env env;
    enum rc rc = RC_OK;

    (void)state;
    arena_init(&small, 64);
    env_init_seeded(&env, 4, 0);
    for (int i = 0; i < 100 && rc == RC_OK; i++)
        rc = codec_random(&km_metadata_response_message, 12, &env, &small, &message, NULL);
    assert_int_equal(rc, RC_LIMIT);
    assert_int_equal(codec_random(&km_metadata_response_message, 99, &env, &small, &message, NULL),
        RC_UNSUPPORTED);
    arena_fini(&small);
}

static int
arena_up(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 24);
    return 0;
}

static int
arena_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_message),
        cmocka_unit_test(counts_nulls_and_ends_all_come_up),
        cmocka_unit_test(fields_outside_the_version_keep_their_defaults),
        cmocka_unit_test(tags_are_present_and_absent),
        cmocka_unit_test(a_full_arena_is_a_limit_and_a_strange_version_unsupported),
    };

    return cmocka_run_group_tests(tests, arena_up, arena_down);
}
