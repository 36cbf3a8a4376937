/* Who may commit and fetch offsets of a streams group: members at their epochs, and at earlier ones
 * what they have had since then. */
#include "refbroker/coord/streams_offsets.h"

#include "lib/wire/kerr.h"
#include "tests/unit/refbroker/coord/streams_group_rig.h"

#define VERSION 9

struct asked {
    struct km_offset_commit_request commit;
    struct km_offset_commit_request_topic topic;
    struct km_offset_commit_request_partition partition;
    struct km_txn_offset_commit_request txn;
    struct km_txn_offset_commit_request_topic txn_topic;
    struct km_txn_offset_commit_request_partition txn_partition;
};

static void
ask_fill(
    struct asked *a, const char *member_id, int32_t epoch, const char *topic, int32_t partition)
{
    codec_init(&km_offset_commit_request_desc, &a->commit);
    codec_init(&km_offset_commit_request_topic_desc, &a->topic);
    codec_init(&km_offset_commit_request_partition_desc, &a->partition);
    codec_init(&km_txn_offset_commit_request_desc, &a->txn);
    codec_init(&km_txn_offset_commit_request_topic_desc, &a->txn_topic);
    codec_init(&km_txn_offset_commit_request_partition_desc, &a->txn_partition);
    a->commit.member_id = a->txn.member_id = request_text(member_id);
    a->commit.generation_id_or_member_epoch = a->txn.generation_id = epoch;
    a->topic.name = a->txn_topic.name = request_text(topic);
    a->partition.partition_index = a->txn_partition.partition_index = partition;
    a->topic.partitions.items = &a->partition;
    a->txn_topic.partitions.items = &a->txn_partition;
    a->topic.partitions.count = a->txn_topic.partitions.count = 1;
    a->commit.topics.items = &a->topic;
    a->txn.topics.items = &a->txn_topic;
    a->commit.topics.count = a->txn.topics.count = 1;
}

/* What a commit, and one of a transaction, are answered. */
static void
assert_answers(const struct streams_rig *rig, const char *member_id, int32_t epoch,
    const char *topic, int32_t partition, int16_t code, int16_t txn_code)
{
    const struct streams_group *streams = streams_rig_group(rig);
    struct asked a;

    ask_fill(&a, member_id, epoch, topic, partition);
    assert_int_equal(streams_offsets_commit_check(streams, &a.commit, VERSION), code);
    assert_int_equal(streams_offsets_txn_check(streams, &a.txn), txn_code);
}

/* The task that a member has, or the first that it has not. */
static int
task_of(const struct streams_rig *rig, int number, bool had)
{
    int task = 0;

    while (rig->members[number].active[task] != had)
        task++;
    return task;
}

static void
members_commit_at_their_epochs(void **state)
{
    struct streams_rig *rig = *state;

    streams_rig_join(rig, 0); /* at 2 */
    assert_answers(rig, "a", 2, "wal", 0, KE_NONE, KE_NONE);
    assert_answers(rig, "a", 3, "wal", 0, KE_STALE_MEMBER_EPOCH, KE_ILLEGAL_GENERATION);
    assert_answers(rig, "x", 2, "wal", 0, KE_UNKNOWN_MEMBER_ID, KE_UNKNOWN_MEMBER_ID);
    assert_answers(rig, "x", -1, "wal", 0, KE_UNKNOWN_MEMBER_ID, KE_UNKNOWN_MEMBER_ID);
    assert_answers(rig, "", -1, "wal", 0, KE_UNKNOWN_MEMBER_ID, KE_NONE);
}

static void
an_earlier_epoch_commits_what_the_member_has_had_since_then(void **state)
{
    struct streams_rig *rig = *state;
    int kept, lost;

    streams_rig_join(rig, 0); /* at 2 */
    streams_rig_join(rig, 1);
    streams_rig_beat(rig, 0);
    streams_rig_beat(rig, 0); /* at 3, without one of its tasks */
    streams_rig_beat(rig, 1);
    kept = task_of(rig, 0, true);
    lost = task_of(rig, 0, false);
    assert_answers(rig, "a", 2, "wal", kept, KE_NONE, KE_NONE);
    assert_answers(rig, "a", 2, "wal", lost, KE_STALE_MEMBER_EPOCH, KE_ILLEGAL_GENERATION);
    assert_answers(rig, "a", 1, "wal", kept, KE_STALE_MEMBER_EPOCH, KE_ILLEGAL_GENERATION);
    assert_answers(rig, "b", 2, "wal", lost, KE_STALE_MEMBER_EPOCH, KE_ILLEGAL_GENERATION);
    /* A topic that no subtopology reads. */
    assert_answers(rig, "a", 2, "coordinated", 0, KE_STALE_MEMBER_EPOCH, KE_ILLEGAL_GENERATION);
    /* What is not there is answered by itself. */
    assert_answers(rig, "a", 2, "nowhere", 0, KE_NONE, KE_NONE);
    assert_answers(rig, "a", 2, "wal", 99, KE_NONE, KE_NONE);
}

static void
what_a_member_still_gives_up_it_may_commit(void **state)
{
    struct streams_rig *rig = *state;
    struct streams_member *member;
    int lost;

    streams_rig_join(rig, 0);
    streams_rig_join(rig, 1);
    streams_rig_beat(rig, 0); /* UNREVOKED at 2 */
    lost = task_of(rig, 0, false);
    member = streams_member_find(streams_rig_group(rig), request_text("a"));
    member->epoch = 3;
    assert_answers(rig, "a", 2, "wal", lost, KE_NONE, KE_NONE);
}

static void
without_members_anybody_commits_and_old_versions_cannot(void **state)
{
    struct streams_rig *rig = *state;
    struct asked a;

    streams_rig_join(rig, 0);
    ask_fill(&a, "a", 2, "wal", 0);
    assert_int_equal(streams_offsets_commit_check(streams_rig_group(rig), &a.commit, VERSION - 1),
        KE_UNSUPPORTED_VERSION);
    streams_rig_leave(rig, 0);
    assert_answers(rig, "", -1, "wal", 0, KE_NONE, KE_NONE);
    assert_answers(rig, "a", 2, "wal", 0, KE_UNKNOWN_MEMBER_ID, KE_UNKNOWN_MEMBER_ID);
}

static void
members_fetch_at_their_epochs_and_others_name_none(void **state)
{
    struct streams_rig *rig = *state;
    const struct streams_group *streams;

    streams_rig_join(rig, 0);
    streams = streams_rig_group(rig);
    assert_int_equal(streams_offsets_fetch_check(streams, request_text(NULL), -1), KE_NONE);
    assert_int_equal(streams_offsets_fetch_check(streams, request_text("a"), 2), KE_NONE);
    assert_int_equal(
        streams_offsets_fetch_check(streams, request_text("a"), 1), KE_STALE_MEMBER_EPOCH);
    assert_int_equal(
        streams_offsets_fetch_check(streams, request_text("x"), 2), KE_UNKNOWN_MEMBER_ID);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, streams_rig_setup, streams_rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(members_commit_at_their_epochs),
        TEST(an_earlier_epoch_commits_what_the_member_has_had_since_then),
        TEST(what_a_member_still_gives_up_it_may_commit),
        TEST(without_members_anybody_commits_and_old_versions_cannot),
        TEST(members_fetch_at_their_epochs_and_others_name_none),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
