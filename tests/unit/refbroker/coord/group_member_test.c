#include "refbroker/coord/group_member.h"

#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "refbroker/coord/groups.h"
#include "tests/sim/broker_world.h"
#include "tests/unit/unit.h"

#define PROTOCOLS_MAX 4
#define FEW 100
#define TIMES 10
#define TRIES 3

static int
setup(void **state)
{
    struct broker_world *world = xcalloc(1, sizeof *world);

    broker_world_init(world, 1);
    assert_null(broker_world_start(world));
    *state = world;
    return 0;
}

static int
teardown(void **state)
{
    broker_world_fini(*state);
    free(*state);
    return 0;
}

/* A member with the protocols of a text, one letter each. */
static void
member_make(struct group *group, int number, const char *protocols)
{
    struct km_group_metadata_value_member_metadata saved;
    struct group_member *member;
    char id[32];

    codec_init(&km_group_metadata_value_member_metadata_desc, &saved);
    snprintf(id, sizeof id, "member-%d", number);
    saved.member_id = request_text(id);
    member = group_member_restore(group, &saved);
    free(member->protocols[0].name);
    free(member->protocols[0].metadata);
    free(member->protocols);
    member->protocol_count = (int32_t)strlen(protocols);
    member->protocols = xcalloc(strlen(protocols), sizeof *member->protocols);
    for (int32_t i = 0; i < member->protocol_count; i++)
        member->protocols[i].name = xmemdup(&protocols[i], 1);
}

static void
the_protocol_that_all_support_and_most_prefer_is_chosen(void **state)
{
    static const struct {
        const char *members[PROTOCOLS_MAX];
        const char *chosen;
    } cases[] = {
        {{"a"}, "a"},
        {{"ab", "ba", "ba"}, "b"},
        {{"ab", "ba"}, "a"},         /* a draw: the first member's */
        {{"cab", "cab", "ba"}, "a"}, /* c is not supported by all: the next one counts */
        {{"xaa", "ba", "ba"}, "a"},  /* given twice, supported once */
        {{"aa", "b"}, ""},           /* nothing in common */
        {{"abc", "cba", "bca", "cab"}, "c"},
    };
    struct broker_world *world = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct group *group = group_new(world->broker->groups, "g", 1);

        for (int k = 0; k < PROTOCOLS_MAX && cases[i].members[k] != NULL; k++)
            member_make(group, k, cases[i].members[k]);
        assert_string_equal(group_member_vote(group), cases[i].chosen);
        group_free(group);
    }
}

static int64_t
vote_cost_us(struct broker_world *world, int members)
{
    struct group *group = group_new(world->broker->groups, "g", 1);
    int64_t least = INT64_MAX;
    struct env real;

    env_init_real(&real);
    for (int i = 0; i < members; i++)
        member_make(group, i, "ab");
    for (int i = 0; i < TRIES; i++) {
        int64_t started = env_thread_cpu_us(&real), took;

        for (int k = 0; k < 10; k++)
            assert_string_equal(group_member_vote(group), "a");
        took = env_thread_cpu_us(&real) - started;
        if (took < least)
            least = took;
    }
    group_free(group);
    return least;
}

/* With the square, ten times the members would take a hundred times as long. */
static void
a_vote_of_many_members_costs_as_much_as_they_are(void **state)
{
    int64_t few = vote_cost_us(*state, FEW), many = vote_cost_us(*state, FEW * TIMES);

    print_message("# %lld and %lld us\n", (long long)few, (long long)many);
    assert_true(many < few * TIMES * 4);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_protocol_that_all_support_and_most_prefer_is_chosen),
        TEST(a_vote_of_many_members_costs_as_much_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
