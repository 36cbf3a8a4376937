/* Offsets of groups from one scripted cluster to another. */
#include "tests/unit/unit.h"

#include "mirror/group_sync.h"
#include "tests/unit/mirror/group_rig.h"

#define END_OFFSET 100

static struct group_rig source, target;
static struct selection from, to;
static struct group_sync sync_;
static struct group_sync_options options;

/* --- a pass ------------------------------------------------------------------------------------
 */

static int fetches_before_ends;

static enum rc
ends(void *arg, struct selection *selection, struct err *e)
{
    const int64_t *end_offset = arg;

    (void)e;
    fetches_before_ends = source.fetches;
    for (uint32_t i = 0; i < selection->partition_count; i++)
        selection->partitions[i].end_offset = *end_offset;
    return RC_OK;
}

static int64_t end_offset;

static int
start(void **state)
{
    (void)state;
    end_offset = END_OFFSET;
    options = (struct group_sync_options){.ends = ends, .arg = &end_offset};
    return group_rig_start(&source, &from) != 0 || group_rig_start(&target, &to) != 0 ? -1 : 0;
}

static int
stop(void **state)
{
    (void)state;
    group_sync_fini(&sync_);
    group_rig_stop(&source, &from);
    group_rig_stop(&target, &to);
    return 0;
}

static enum rc
pass_of(const char *patterns, struct err *e)
{
    group_sync_fini(&sync_);
    source.fetches = target.commits = 0;
    return group_sync_pass(
        &sync_, source.cluster.cluster, &from, target.cluster.cluster, &to, patterns, &options, e);
}

static void
pass(void)
{
    struct err e;

    assert_int_equal(pass_of("*", &e), RC_OK);
}

/* The only count of the only group. */
static void
only(enum group_sync_verdict verdict, uint32_t count)
{
    for (int i = 0; i < GROUP_SYNC_VERDICTS; i++) {
        assert_int_equal(sync_.groups[0].counts[i], i == (int)verdict ? count : 0);
        assert_int_equal(sync_.totals[i], sync_.groups[0].counts[i]);
    }
    assert_int_equal(group_sync_is_done(&sync_), group_sync_verdict_is_done(verdict));
}

/* --- what is copied ----------------------------------------------------------------------------
 */

static void
what_the_target_lacks_is_committed_there(void **state)
{
    (void)state;
    source.offset[0][1] = 10;
    source.offset[0][3] = END_OFFSET;
    source.metadata[0][3] = 'm';
    target.offset[0][3] = 40;
    pass();
    only(GROUP_SYNC_COPIED, 2);
    assert_int_equal(target.offset[0][1], 10);
    assert_int_equal(target.offset[0][3], END_OFFSET);
    assert_int_equal(target.metadata[0][3], 'm');
    assert_int_equal(target.commits, 1);
    assert_int_equal(fetches_before_ends, 1); /* so no end is older than what is compared with it */
    assert_int_equal(sync_.groups[0].without, 2);
    assert_int_equal(sync_.with_offsets, 1);
}

/* The other cluster's epochs are others; and only nobody's offsets keep off groups with members. */
static void
without_an_epoch_and_as_nobodys(void **state)
{
    (void)state;
    source.offset[0][0] = 10;
    pass();
    assert_int_equal(target.epoch, -1);
    assert_int_equal(target.generation, -1);
}

static void
what_is_equal_is_left(void **state)
{
    (void)state;
    source.offset[0][0] = target.offset[0][0] = 10;
    pass();
    only(GROUP_SYNC_EQUAL, 1);
    assert_int_equal(target.commits, 0);
}

static void
and_committed_again_where_it_is_to_be_renewed(void **state)
{
    (void)state;
    source.offset[0][0] = target.offset[0][0] = 10;
    options.renews = true;
    pass();
    only(GROUP_SYNC_EQUAL, 1);
    assert_int_equal(target.commits, 1);
}

static void
other_metadata_is_no_equality(void **state)
{
    (void)state;
    source.offset[0][0] = target.offset[0][0] = 10;
    source.metadata[0][0] = 'n';
    pass();
    only(GROUP_SYNC_COPIED, 1);
    assert_int_equal(target.metadata[0][0], 'n');
}

static void
a_rehearsal_commits_nothing(void **state)
{
    (void)state;
    source.offset[0][0] = 10;
    source.offset[0][1] = END_OFFSET + 1;
    options.is_rehearsal = true;
    pass();
    assert_int_equal(sync_.totals[GROUP_SYNC_COPIED], 1);
    assert_int_equal(sync_.totals[GROUP_SYNC_BEHIND], 1);
    assert_int_equal(target.commits, 0);
    assert_int_equal(target.offset[0][0], -1);
}

/* --- how far -----------------------------------------------------------------------------------
 */

static void
never_beyond_the_end_of_the_targets_log(void **state)
{
    (void)state;
    source.offset[0][0] = END_OFFSET + 5;
    pass();
    only(GROUP_SYNC_BEHIND, 1);
    assert_int_equal(target.offset[0][0], END_OFFSET);
    pass();
    only(GROUP_SYNC_BEHIND, 1);
    assert_int_equal(target.commits, 0);
    end_offset = END_OFFSET + 5;
    pass();
    only(GROUP_SYNC_COPIED, 1);
    assert_int_equal(target.offset[0][0], END_OFFSET + 5);
}

static void
never_backwards_unless_asked_to(void **state)
{
    (void)state;
    source.offset[0][0] = 10;
    target.offset[0][0] = 20;
    pass();
    only(GROUP_SYNC_AHEAD, 1);
    assert_int_equal(target.commits, 0);
    options.rewinds = true;
    pass();
    only(GROUP_SYNC_COPIED, 1);
    assert_int_equal(target.offset[0][0], 10);
}

/* Where a mirror has lost its target, the new log may end below what was committed. */
static void
an_offset_beyond_the_end_is_behind(void **state)
{
    (void)state;
    source.offset[0][0] = END_OFFSET + 5;
    target.offset[0][0] = END_OFFSET + 1;
    pass();
    only(GROUP_SYNC_BEHIND, 1);
    assert_int_equal(target.commits, 0);
}

static void
what_a_transaction_is_about_to_commit_waits(void **state)
{
    (void)state;
    source.offset[0][0] = source.offset[0][1] = 10;
    source.code[0][0] = KE_UNSTABLE_OFFSET_COMMIT;
    target.code[0][1] = KE_UNSTABLE_OFFSET_COMMIT;
    pass();
    only(GROUP_SYNC_PENDING, 2);
    assert_int_equal(target.commits, 0);
}

/* --- what is refused ---------------------------------------------------------------------------
 */

static void
groups_with_members_are_left_to_them(void **state)
{
    static const int16_t codes[] = {KE_UNKNOWN_MEMBER_ID, KE_ILLEGAL_GENERATION,
        KE_REBALANCE_IN_PROGRESS, KE_STALE_MEMBER_EPOCH};

    (void)state;
    source.offset[0][0] = 10;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        target.refusal = codes[i];
        pass();
        only(GROUP_SYNC_IN_USE, 1);
        assert_int_equal(sync_.groups[0].failed.code, RC_OK);
    }
}

static void
a_refused_commit_is_told(void **state)
{
    (void)state;
    source.offset[0][0] = 10;
    target.refusal = KE_GROUP_AUTHORIZATION_FAILED;
    pass();
    only(GROUP_SYNC_FAILED, 1);
    assert_string_equal(
        sync_.groups[0].failed.text, "target: OffsetCommit: 30 GROUP_AUTHORIZATION_FAILED");
}

static void
what_is_not_there_when_it_is_read_back_is_told(void **state)
{
    (void)state;
    source.offset[0][2] = 10;
    target.forgets = true;
    pass();
    only(GROUP_SYNC_FAILED, 1);
    assert_string_equal(
        sync_.groups[0].failed.text, "target: t-2: 10 was committed, and -1 is there");
}

static void
offsets_that_are_not_told_are_no_success(void **state)
{
    (void)state;
    source.offset[0][0] = 10;
    source.fetch_code = KE_GROUP_AUTHORIZATION_FAILED;
    pass();
    assert_false(group_sync_is_done(&sync_));
    assert_int_equal(sync_.with_offsets, 1);
    assert_string_equal(
        sync_.groups[0].failed.text, "source: OffsetFetch: 30 GROUP_AUTHORIZATION_FAILED");
    source.fetch_code = KE_NONE;
    target.fetch_code = KE_GROUP_AUTHORIZATION_FAILED;
    pass();
    only(GROUP_SYNC_FAILED, 1);
    target.fetch_code = KE_NONE;
    source.code[0][0] = KE_TOPIC_AUTHORIZATION_FAILED;
    pass();
    only(GROUP_SYNC_FAILED, 1);
}

static void
a_group_that_has_gone_is_no_failure(void **state)
{
    (void)state;
    source.fetch_code = KE_GROUP_ID_NOT_FOUND;
    pass();
    assert_true(group_sync_is_done(&sync_));
    assert_int_equal(sync_.with_offsets, 0);
    /* Kafka tells this of a group that the target does not have yet. */
    source.fetch_code = KE_NONE;
    source.offset[0][0] = 10;
    target.fetch_code = KE_GROUP_ID_NOT_FOUND;
    pass();
    assert_int_equal(target.offset[0][0], 10);
}

static void
a_broker_that_lists_no_groups_fails_the_pass(void **state)
{
    struct err e;

    (void)state;
    source.list_code = KE_CLUSTER_AUTHORIZATION_FAILED;
    assert_int_equal(pass_of("*", &e), RC_REMOTE);
    assert_string_equal(e.text, "source: ListGroups: 31 CLUSTER_AUTHORIZATION_FAILED");
}

/* --- many, old and hostile ---------------------------------------------------------------------
 */

static void
many_groups_go_into_few_requests(void **state)
{
    (void)state;
    source.groups = GROUP_RIG_GROUPS;
    for (int i = 0; i < GROUP_RIG_GROUPS; i++)
        source.offset[i][i % GROUP_RIG_PARTITIONS] = i % END_OFFSET;
    pass();
    assert_int_equal(sync_.totals[GROUP_SYNC_COPIED], GROUP_RIG_GROUPS);
    assert_int_equal(source.fetches, 3);
    assert_int_equal(source.most_groups, 100);
    assert_int_equal(target.commits, GROUP_RIG_GROUPS);
    for (int i = 0; i < GROUP_RIG_GROUPS; i++)
        assert_int_equal(target.offset[i][i % GROUP_RIG_PARTITIONS], i % END_OFFSET);
    for (uint32_t i = 1; i < sync_.list.count; i++)
        assert_true(strcmp(sync_.list.groups[i - 1].id, sync_.list.groups[i].id) < 0);
}

static void
patterns_choose_groups(void **state)
{
    struct err e;

    (void)state;
    source.groups = 12;
    for (int i = 0; i < 12; i++)
        source.offset[i][0] = 10;
    assert_int_equal(pass_of("g1*,!g11", &e), RC_OK);
    assert_int_equal(sync_.list.count, 2);
    assert_string_equal(sync_.list.groups[0].id, "g1");
    assert_string_equal(sync_.list.groups[1].id, "g10");
    assert_int_equal(target.offset[11][0], -1);
}

static void
old_brokers_are_asked_group_by_group(void **state)
{
    (void)state;
    source.groups = 3;
    for (int i = 0; i < FAKE_BROKERS; i++) {
        source.cluster.fake.brokers[i].capped_api = KM_OFFSET_FETCH;
        source.cluster.fake.brokers[i].capped_max = 5;
    }
    for (int i = 0; i < 3; i++)
        source.offset[i][i] = 10 + i;
    pass();
    assert_int_equal(source.fetches, 3);
    assert_int_equal(sync_.totals[GROUP_SYNC_COPIED], 3);
    assert_int_equal(target.offset[2][2], 12);
}

static void
what_is_told_twice_counts_once(void **state)
{
    (void)state;
    source.repeats = target.repeats = true;
    source.offset[0][0] = source.offset[0][3] = 10;
    pass();
    only(GROUP_SYNC_COPIED, 2);
    assert_int_equal(sync_.groups[0].without, 2);
    assert_true(sync_.groups[0].elsewhere > 0);
}

static void
share_groups_are_not_asked(void **state)
{
    (void)state;
    source.type = "Share";
    source.offset[0][0] = 10;
    pass();
    assert_int_equal(source.fetches, 0);
    assert_int_equal(sync_.list.groups[0].type, GROUP_LIST_SHARE);
    assert_int_equal(sync_.with_offsets, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_target_lacks_is_committed_there),
        TEST(without_an_epoch_and_as_nobodys),
        TEST(what_is_equal_is_left),
        TEST(and_committed_again_where_it_is_to_be_renewed),
        TEST(other_metadata_is_no_equality),
        TEST(a_rehearsal_commits_nothing),
        TEST(never_beyond_the_end_of_the_targets_log),
        TEST(never_backwards_unless_asked_to),
        TEST(an_offset_beyond_the_end_is_behind),
        TEST(what_a_transaction_is_about_to_commit_waits),
        TEST(groups_with_members_are_left_to_them),
        TEST(a_refused_commit_is_told),
        TEST(what_is_not_there_when_it_is_read_back_is_told),
        TEST(offsets_that_are_not_told_are_no_success),
        TEST(a_group_that_has_gone_is_no_failure),
        TEST(a_broker_that_lists_no_groups_fails_the_pass),
        TEST(many_groups_go_into_few_requests),
        TEST(patterns_choose_groups),
        TEST(old_brokers_are_asked_group_by_group),
        TEST(what_is_told_twice_counts_once),
        TEST(share_groups_are_not_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
