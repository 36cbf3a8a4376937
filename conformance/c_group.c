/* Area group: members of classic groups, from JoinGroup to LeaveGroup. */
#include <string.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_group.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define SHORT_SESSION_MS 6000 /* the least that brokers take by default */
#define REBALANCE_MS 1000
#define CHURN_ROUNDS 12
#define CHURN_MEMBERS 5
#define CHURN_MS 15000

static struct kc_member *
member(struct kc *kc, const struct kc_group *group)
{
    return kc_member_new(kc, group, NULL, "any");
}

/* A group of `count` members who have their assignments. */
static struct kc_group *
settled(struct kc *kc, struct kc_member **members, size_t count)
{
    struct kc_group *group = kc_group_new(kc);

    for (size_t i = 0; i < count; i++)
        members[i] = member(kc, group);
    kc_members_settle(kc, members, count, "first");
    return group;
}

static const struct km_join_group_response_member *
listed(const struct km_join_group_response *joined, const char *id)
{
    for (int32_t i = 0; i < joined->members.count; i++)
        if (kc_topic_is_named(joined->members.items[i].member_id, id))
            return &joined->members.items[i];
    return NULL;
}

/* --- joining ---------------------------------------------------------------------------------- */

static void
join_member_id_required(struct kc *kc)
{
    struct kc_member *one = member(kc, kc_group_new(kc));
    const char *id;

    kc_code(kc, "error_code", kc_member_join_once(kc, one)->error_code, KE_MEMBER_ID_REQUIRED);
    id = one->id;
    kc_that(kc, id[0] != '\0', "no-member-id", "a member id");
    kc_code(kc, "error_code", kc_member_join(kc, one), KE_NONE);
    kc_that(kc, strcmp(one->id, id) == 0, "other-member-id", "member id %s", id);
    kc_that(kc, kc_member_leads(one), "no-leader", "its only member to lead the group");
}

static void
join_unknown_member(struct kc *kc)
{
    struct kc_member *one, *stranger;
    struct kc_group *group = settled(kc, &one, 1);

    stranger = member(kc, group);
    stranger->id = "nobody";
    kc_code(kc, "error_code", kc_member_join(kc, stranger), KE_UNKNOWN_MEMBER_ID);
    stranger = member(kc, kc_group_new(kc));
    stranger->id = "nobody";
    kc_code(kc, "error_code", kc_member_join(kc, stranger), KE_UNKNOWN_MEMBER_ID);
    kc_code(kc, "Heartbeat", kc_member_heartbeat(kc, one), KE_NONE);
}

static void
join_session_timeout_bounds(struct kc *kc)
{
    struct kc_group *group = kc_group_new(kc);
    static const int32_t bad[] = {1, 2 * 3600 * 1000};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct kc_member *one = member(kc, group);

        one->session_ms = bad[i];
        kc_code(
            kc, "error_code", kc_member_join_once(kc, one)->error_code, KE_INVALID_SESSION_TIMEOUT);
    }
}

static void
join_incompatible_protocol(struct kc *kc)
{
    struct kc_member *one, *other;
    struct kc_group *group = settled(kc, &one, 1);

    other = member(kc, group);
    other->protocols[0].name = "another";
    kc_code(kc, "error_code", kc_member_join_once(kc, other)->error_code,
        KE_INCONSISTENT_GROUP_PROTOCOL);
    kc_code(kc, "Heartbeat", kc_member_heartbeat(kc, one), KE_NONE);
}

static void
protocol_vote(struct kc *kc)
{
    static const char *const wanted[][3] = {
        {"a", "b", "c"},
        {"b", "c", "a"},
        {"c", "b", NULL},
    };
    struct kc_group *group = kc_group_new(kc);
    struct kc_member *members[ARRAY_LEN(wanted)];

    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        members[i] = member(kc, group);
        members[i]->protocol_count = 0;
        for (size_t k = 0; k < 3 && wanted[i][k] != NULL; k++)
            members[i]->protocols[members[i]->protocol_count++] =
                (struct kc_protocol){wanted[i][k], kc_text_bytes(wanted[i][k])};
    }
    kc_members_join(kc, members, ARRAY_LEN(wanted));
    /* "a" is not everybody's; of the others "b" has two votes, "c" has one. */
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        kc_that(kc, kc_topic_is_named(members[i]->joined->protocol_name, "b"), "other-protocol",
            "protocol b");
}

static void
leader_gets_members(struct kc *kc)
{
    struct kc_group *group = kc_group_new(kc);
    struct kc_member *members[] = {
        kc_member_new(kc, group, NULL, "metadata of one"),
        kc_member_new(kc, group, NULL, "metadata of another"),
    };
    const struct kc_member *leader, *follower;

    kc_members_join(kc, members, 2);
    kc_int(kc, "leaders", kc_member_leads(members[0]) + kc_member_leads(members[1]), 1);
    leader = members[kc_member_leads(members[0]) ? 0 : 1];
    follower = members[kc_member_leads(members[0]) ? 1 : 0];
    kc_int(kc, "members_count", leader->joined->members.count, 2);
    kc_int(kc, "members_count", follower->joined->members.count, 0);
    for (size_t i = 0; i < 2; i++) {
        const struct km_join_group_response_member *seen = listed(leader->joined, members[i]->id);

        kc_that(kc, seen != NULL, "member-missing", "member %s", members[i]->id);
        kc_bytes(kc, "metadata", seen->metadata, members[i]->protocols[0].metadata);
    }
}

static void
generation_increments(struct kc *kc)
{
    struct kc_member *members[2];
    int32_t before;

    settled(kc, members, 2);
    for (int i = 0; i < 3; i++) {
        before = members[0]->generation;
        kc_members_settle(kc, members, 2, "again");
        kc_int(kc, "generation_id", members[0]->generation, before + 1);
    }
}

/* --- assignments ------------------------------------------------------------------------------ */

static void
sync_distributes(struct kc *kc)
{
    enum { BIG = 100000 };
    struct kc_group *group = kc_group_new(kc);
    struct kc_member *members[] = {member(kc, group), member(kc, group), member(kc, group)};
    uint8_t *big = kc_alloc(kc, BIG, 1);
    struct kc_given given[2];

    for (int i = 0; i < BIG; i++)
        big[i] = (uint8_t)(i * 7);
    kc_members_join(kc, members, 3);
    given[0] = (struct kc_given){members[0], {big, BIG}};
    given[1] = (struct kc_given){members[1], kc_text_bytes("small")};
    for (size_t i = 0; i < 3; i++)
        kc_member_sync_send(kc, members[i], given, kc_member_leads(members[i]) ? 2 : 0);
    for (size_t i = 0; i < 3; i++) {
        const struct km_sync_group_response *synced = kc_member_sync_receive(kc, members[i]);

        kc_code(kc, "error_code", synced->error_code, KE_NONE);
        kc_bytes(
            kc, "assignment", synced->assignment, i < 2 ? given[i].assignment : kc_text_bytes(""));
    }
}

static int16_t
sync_code(struct kc *kc, struct kc_member *one)
{
    kc_member_sync_send(kc, one, NULL, 0);
    return kc_member_sync_receive(kc, one)->error_code;
}

static void
sync_wrong_generation(struct kc *kc)
{
    struct kc_member *one;

    settled(kc, &one, 1);
    one->generation--;
    kc_code(kc, "error_code", sync_code(kc, one), KE_ILLEGAL_GENERATION);
}

static void
sync_in_stable_returns_current(struct kc *kc)
{
    struct kc_member *members[2];

    settled(kc, members, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct km_sync_group_response *synced;

        kc_member_sync_send(kc, members[i], NULL, 0);
        synced = kc_member_sync_receive(kc, members[i]);
        kc_code(kc, "error_code", synced->error_code, KE_NONE);
        kc_bytes(
            kc, "assignment", synced->assignment, kc_text_bytes(kc_printf(kc, "first-%zu", i)));
    }
}

static void
sync_during_rebalance(struct kc *kc)
{
    struct kc_member *one, *other;
    struct kc_group *group = settled(kc, &one, 1);

    other = member(kc, group);
    kc_member_join_send(kc, other);
    kc_member_await_rebalance(kc, one);
    kc_code(kc, "error_code", sync_code(kc, one), KE_REBALANCE_IN_PROGRESS);
}

/* Who joins and never fetches its assignment is out after the rebalance timeout. */
static void
sync_timeout(struct kc *kc)
{
    struct kc_group *group = kc_group_new(kc);
    struct kc_member *members[] = {member(kc, group), member(kc, group)};
    struct kc_wait wait = kc_wait_begin(kc, KC_SESSION_MS);
    struct kc_member *leader, *other;
    int16_t code;

    for (size_t i = 0; i < 2; i++)
        members[i]->rebalance_ms = REBALANCE_MS;
    kc_members_join(kc, members, 2);
    leader = members[kc_member_leads(members[0]) ? 0 : 1];
    other = members[kc_member_leads(members[0]) ? 1 : 0];
    kc_code(kc, "SyncGroup", sync_code(kc, leader), KE_NONE);
    while ((code = kc_member_heartbeat(kc, leader)) == KE_NONE)
        kc_wait_more(kc, &wait, "a rebalance without who does not sync");
    kc_code(kc, "Heartbeat", code, KE_REBALANCE_IN_PROGRESS);
    kc_code(kc, "Heartbeat", kc_member_heartbeat(kc, other), KE_UNKNOWN_MEMBER_ID);
}

/* --- heartbeats ------------------------------------------------------------------------------- */

static void
heartbeat_rebalance(struct kc *kc)
{
    struct kc_member *one, *other;
    struct kc_group *group = settled(kc, &one, 1);

    kc_code(kc, "Heartbeat", kc_member_heartbeat(kc, one), KE_NONE);
    other = member(kc, group);
    kc_member_join_send(kc, other);
    kc_member_await_rebalance(kc, one);
    kc_code(kc, "JoinGroup", kc_member_join(kc, one), KE_NONE);
    kc_code(kc, "JoinGroup", kc_member_join_receive(kc, other), KE_NONE);
    kc_int(kc, "generation_id", other->generation, one->generation);
}

static void
heartbeat_wrong_generation(struct kc *kc)
{
    struct kc_member *one;

    settled(kc, &one, 1);
    one->generation--;
    kc_code(kc, "error_code", kc_member_heartbeat(kc, one), KE_ILLEGAL_GENERATION);
}

static void
heartbeat_unknown(struct kc *kc)
{
    struct kc_member *one;

    settled(kc, &one, 1);
    one->id = "nobody";
    kc_code(kc, "error_code", kc_member_heartbeat(kc, one), KE_UNKNOWN_MEMBER_ID);
    one->group = kc_group_new(kc);
    kc_code(kc, "error_code", kc_member_heartbeat(kc, one), KE_UNKNOWN_MEMBER_ID);
}

static void
session_timeout_evicts(struct kc *kc)
{
    struct kc_group *group = kc_group_new(kc);
    struct kc_member *members[] = {member(kc, group), member(kc, group)};
    struct kc_wait wait;
    int64_t last_us;
    int16_t code;

    members[1]->session_ms = SHORT_SESSION_MS;
    last_us = wire_client_now_us(); /* the silent one is heard later than this */
    kc_members_settle(kc, members, 2, "first");
    wait = kc_wait_begin(kc, 2 * (int64_t)SHORT_SESSION_MS);
    while ((code = kc_member_heartbeat(kc, members[0])) == KE_NONE)
        kc_wait_more(kc, &wait, "the silent member is evicted");
    kc_code(kc, "Heartbeat", code, KE_REBALANCE_IN_PROGRESS);
    kc_that(kc, wire_client_now_us() - last_us >= (int64_t)SHORT_SESSION_MS * 1000, "too-early",
        "no rebalance before the session timeout of %d ms", SHORT_SESSION_MS);
    kc_code(kc, "Heartbeat", kc_member_heartbeat(kc, members[1]), KE_UNKNOWN_MEMBER_ID);
}

/* --- leaving ---------------------------------------------------------------------------------- */

static void
leave(struct kc *kc)
{
    struct kc_member *members[2];

    settled(kc, members, 2);
    kc_code(kc, "LeaveGroup", kc_member_leave(kc, members[1]), KE_NONE);
    kc_member_await_rebalance(kc, members[0]);
    kc_code(kc, "Heartbeat", kc_member_heartbeat(kc, members[1]), KE_UNKNOWN_MEMBER_ID);
    kc_code(kc, "JoinGroup", kc_member_join(kc, members[0]), KE_NONE);
    kc_int(kc, "members_count", members[0]->joined->members.count, 1);
}

static void
leave_by_instance(struct kc *kc)
{
    struct kc_group *group = kc_group_new(kc);
    struct kc_member *one = kc_member_new(kc, group, "instance", "any"), *nobody;

    kc_members_settle(kc, &one, 1, "first");
    nobody = kc_member_new(kc, group, "another instance", "any");
    kc_code(kc, "LeaveGroup", kc_member_leave(kc, nobody), KE_UNKNOWN_MEMBER_ID);
    nobody->instance = "instance";
    kc_code(kc, "LeaveGroup", kc_member_leave(kc, nobody), KE_NONE);
    kc_code(kc, "Heartbeat", kc_member_heartbeat(kc, one), KE_UNKNOWN_MEMBER_ID);
}

/* --- static members --------------------------------------------------------------------------- */

static void
static_rejoin_no_rebalance(struct kc *kc)
{
    struct kc_group *group = kc_group_new(kc);
    struct kc_member *members[] = {
        kc_member_new(kc, group, "one", "any"),
        kc_member_new(kc, group, "another", "any"),
    };
    const struct km_sync_group_response *synced;
    struct kc_member *again;
    size_t follower;

    kc_members_settle(kc, members, 2, "first");
    follower = kc_member_leads(members[0]) ? 1 : 0;
    again = kc_member_new(kc, group, members[follower]->instance, "any");
    kc_code(kc, "JoinGroup", kc_member_join(kc, again), KE_NONE);
    kc_int(kc, "generation_id", again->generation, members[0]->generation);
    kc_that(kc, strcmp(again->id, members[follower]->id) != 0, "same-member-id", "a new member id");
    kc_member_sync_send(kc, again, NULL, 0);
    synced = kc_member_sync_receive(kc, again);
    kc_code(kc, "SyncGroup", synced->error_code, KE_NONE);
    kc_bytes(
        kc, "assignment", synced->assignment, kc_text_bytes(kc_printf(kc, "first-%zu", follower)));
    kc_code(kc, "Heartbeat", kc_member_heartbeat(kc, members[1 - follower]), KE_NONE);
}

static void
static_fenced(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_group_new(kc);
    struct kc_member *old = kc_member_new(kc, group, "instance", "any"), *now;
    struct kc_commit commit;

    kc_members_settle(kc, &old, 1, "first");
    now = kc_member_new(kc, group, "instance", "any");
    kc_code(kc, "JoinGroup", kc_member_join(kc, now), KE_NONE);
    kc_code(kc, "Heartbeat", kc_member_heartbeat(kc, old), KE_FENCED_INSTANCE_ID);
    kc_code(kc, "SyncGroup", sync_code(kc, old), KE_FENCED_INSTANCE_ID);
    commit = kc_commit_of(old, 1);
    kc_code(kc, "OffsetCommit", kc_commit(kc, group, topic, 0, &commit), KE_FENCED_INSTANCE_ID);
    kc_code(kc, "Heartbeat", kc_member_heartbeat(kc, now), KE_NONE);
}

/* --- ownership -------------------------------------------------------------------------------- */

/* Both members get what the first, who leads, gives them. */
static void
both_sync(struct kc *kc, struct kc_member *const *members, const char *first, const char *second)
{
    struct kc_given given[] = {
        {members[0], kc_text_bytes(first)},
        {members[1], kc_text_bytes(second)},
    };

    kc_that(kc, kc_member_leads(members[0]), "other-leader", "the first member to lead on");
    for (size_t i = 0; i < 2; i++)
        kc_member_sync_send(kc, members[i], given, i == 0 ? 2 : 0);
    for (size_t i = 0; i < 2; i++) {
        const struct km_sync_group_response *synced = kc_member_sync_receive(kc, members[i]);

        kc_code(kc, "SyncGroup", synced->error_code, KE_NONE);
        kc_bytes(kc, "assignment", synced->assignment, given[i].assignment);
    }
}

/* The broker's part: nobody has to stop. The first keeps committing while a second joins, learns
 * what it keeps, gives the rest up by a second round that its changed metadata begins. */
static void
cooperative_two_phase(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_member *members[2];
    struct kc_group *group = kc_group_new(kc);
    const struct km_join_group_response_member *seen;
    struct kc_commit commit;
    int32_t generation;

    members[0] = kc_member_new(kc, group, NULL, "owns 0 1");
    kc_members_settle(kc, members, 1, "first");
    generation = members[0]->generation;
    members[1] = kc_member_new(kc, group, NULL, "owns none");
    kc_member_join_send(kc, members[1]);
    kc_member_await_rebalance(kc, members[0]);
    commit = kc_commit_of(members[0], 7);
    kc_code(kc, "OffsetCommit", kc_commit(kc, group, topic, 0, &commit), KE_NONE);
    kc_code(kc, "JoinGroup", kc_member_join(kc, members[0]), KE_NONE);
    kc_code(kc, "JoinGroup", kc_member_join_receive(kc, members[1]), KE_NONE);
    kc_int(kc, "generation_id", members[1]->generation, generation + 1);
    both_sync(kc, members, "0", "");
    members[0]->protocols[0].metadata = kc_text_bytes("owns 0");
    kc_member_join_send(kc, members[0]);
    kc_member_await_rebalance(kc, members[1]);
    kc_code(kc, "JoinGroup", kc_member_join(kc, members[1]), KE_NONE);
    kc_code(kc, "JoinGroup", kc_member_join_receive(kc, members[0]), KE_NONE);
    kc_int(kc, "generation_id", members[0]->generation, generation + 2);
    seen = listed(members[0]->joined, members[0]->id);
    kc_that(kc, seen != NULL, "member-missing", "member %s", members[0]->id);
    kc_bytes(kc, "metadata", seen->metadata, kc_text_bytes("owns 0"));
    both_sync(kc, members, "0", "1");
}

struct churn {
    struct kc_group *group;
    struct kc_topic *topic;
    struct kc_member *members[CHURN_MEMBERS];
    size_t count;
    struct kc_commit gone[CHURN_ROUNDS]; /* what those who are out would commit */
    size_t gone_count;
};

static void
churn_remove(struct kc *kc, struct churn *churn, bool leaves)
{
    size_t i = (size_t)env_random_below(&kc->env, churn->count);

    churn->gone[churn->gone_count++] = kc_commit_of(churn->members[i], 1);
    /* Of those who stay one must begin the rebalance: the leader. */
    if (leaves || kc_member_leads(churn->members[i]))
        kc_code(kc, "LeaveGroup", kc_member_leave(kc, churn->members[i]), KE_NONE);
    churn->members[i] = churn->members[--churn->count];
}

/* Whoever was in a generation and is in this one must not write as one of that. */
static void
churn_judge(struct kc *kc, struct churn *churn)
{
    static const int16_t refused[] = {KE_UNKNOWN_MEMBER_ID, KE_ILLEGAL_GENERATION};
    struct kc_commit commit;

    for (size_t i = 0; i < churn->count; i++) {
        commit = kc_commit_of(churn->members[i], 2);
        kc_code(kc, "OffsetCommit", kc_commit(kc, churn->group, churn->topic, 0, &commit), KE_NONE);
        commit.generation--;
        kc_code_in(kc, "error_code", kc_commit(kc, churn->group, churn->topic, 0, &commit), refused,
            ARRAY_LEN(refused));
    }
    for (size_t i = 0; i < churn->gone_count; i++)
        kc_code_in(kc, "error_code", kc_commit(kc, churn->group, churn->topic, 0, &churn->gone[i]),
            refused, ARRAY_LEN(refused));
}

static void
no_double_ownership(struct kc *kc)
{
    struct churn churn = {.topic = kc_topic_new(kc, 1, NULL), .group = kc_group_new(kc)};

    for (int round = 0; round < CHURN_ROUNDS && !kc_is_late(kc, CHURN_MS); round++) {
        bool grows = churn.count < 2 || (churn.count < CHURN_MEMBERS && round % 3 != 2);

        if (grows) {
            churn.members[churn.count] = member(kc, churn.group);
            churn.members[churn.count++]->rebalance_ms = REBALANCE_MS;
        } else {
            churn_remove(kc, &churn, round % 2 == 0); /* or says nothing any more */
        }
        kc_members_settle(kc, churn.members, churn.count, kc_printf(kc, "round-%d", round));
        churn_judge(kc, &churn);
    }
    kc_that(kc, churn.gone_count > 0, "too-few-rounds", "some members to go");
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct check checks[] = {
    {"group.join_member_id_required", "a new member is told its id first and joins with it",
        "KIP-394", CHECK_CORE, 0, {CHECK_NEED(JOIN_GROUP, 4)}, join_member_id_required},
    {"group.join_unknown_member", "a member id that nobody was given is 25", "GroupMetadataManager",
        0, 0, {CHECK_NEED(JOIN_GROUP, 1)}, join_unknown_member},
    {"group.join_session_timeout_bounds", "session timeouts out of the broker's bounds are 26",
        "GroupCoordinatorService", 0, 0, {CHECK_NEED(JOIN_GROUP, 1)}, join_session_timeout_bounds},
    {"group.join_incompatible_protocol",
        "who shares no protocol with the group is 23, and disturbs nobody", "ClassicGroup", 0, 0,
        {CHECK_NEED(JOIN_GROUP, 4)}, join_incompatible_protocol},
    {"group.protocol_vote", "of the protocols that all have, the one with most votes is chosen",
        "ClassicGroup.selectProtocol", 0, 0, {CHECK_NEED(JOIN_GROUP, 4)}, protocol_vote},
    {"group.leader_gets_members",
        "one member leads; it alone gets all members with their metadata, in one generation",
        "JoinGroupRequestTest", CHECK_CORE, 0, {CHECK_NEED(JOIN_GROUP, 4)}, leader_gets_members},
    {"group.generation_increments", "every rebalance makes the next generation",
        "JoinGroupRequestTest", 0, 0, {CHECK_NEED(JOIN_GROUP, 4)}, generation_increments},
    {"group.sync_distributes",
        "each member gets the bytes that the leader gave it; none where it gave none",
        "SyncGroupRequestTest", CHECK_CORE, 0,
        {CHECK_NEED(JOIN_GROUP, 4), CHECK_NEED(SYNC_GROUP, 0)}, sync_distributes},
    {"group.sync_wrong_generation", "a SyncGroup of another generation is 22",
        "SyncGroupRequestTest", 0, 0, {CHECK_NEED(JOIN_GROUP, 4)}, sync_wrong_generation},
    {"group.sync_in_stable_returns_current", "a SyncGroup that is repeated gets the same",
        "GroupMetadataManager", 0, 0, {CHECK_NEED(JOIN_GROUP, 4)}, sync_in_stable_returns_current},
    {"group.sync_during_rebalance", "a SyncGroup while another member joins is 27",
        "GroupMetadataManager", 0, 0, {CHECK_NEED(JOIN_GROUP, 4)}, sync_during_rebalance},
    {"group.sync_timeout",
        "who joins and does not fetch its assignment is out after its rebalance timeout",
        "KAFKA-13435", 0, 0, {CHECK_NEED(JOIN_GROUP, 4)}, sync_timeout},
    {"group.heartbeat_rebalance",
        "while another member joins heartbeats are 27, and both come into one generation",
        "HeartbeatRequestTest", CHECK_CORE, 0,
        {CHECK_NEED(JOIN_GROUP, 4), CHECK_NEED(HEARTBEAT, 0)}, heartbeat_rebalance},
    {"group.heartbeat_wrong_generation", "a heartbeat of another generation is 22",
        "HeartbeatRequestTest", 0, 0, {CHECK_NEED(JOIN_GROUP, 4)}, heartbeat_wrong_generation},
    {"group.heartbeat_unknown", "a heartbeat of an unknown member, or for no group, is 25",
        "HeartbeatRequestTest", 0, 0, {CHECK_NEED(JOIN_GROUP, 4)}, heartbeat_unknown},
    {"group.session_timeout_evicts",
        "who is silent for its session timeout is out, not before, and the others rebalance",
        "librdkafka 0106", CHECK_CORE, 0, {CHECK_NEED(JOIN_GROUP, 4), CHECK_NEED(HEARTBEAT, 0)},
        session_timeout_evicts},
    {"group.leave", "who leaves is out, and the others rebalance at once", "librdkafka 0018",
        CHECK_CORE, 0, {CHECK_NEED(JOIN_GROUP, 4), CHECK_NEED(LEAVE_GROUP, 0)}, leave},
    {"group.leave_by_instance", "a static member can be removed by its instance id alone",
        "KIP-345", 0, 0, {CHECK_NEED(JOIN_GROUP, 5), CHECK_NEED(LEAVE_GROUP, 3)},
        leave_by_instance},
    {"group.static_rejoin_no_rebalance",
        "a static member that comes back gets its assignment, in the same generation", "KIP-345",
        CHECK_CORE, 0, {CHECK_NEED(JOIN_GROUP, 5), CHECK_NEED(SYNC_GROUP, 3)},
        static_rejoin_no_rebalance},
    {"group.static_fenced", "who was replaced under its instance id is 82 everywhere", "KIP-345",
        CHECK_CORE, 0,
        {CHECK_NEED(JOIN_GROUP, 5), CHECK_NEED(HEARTBEAT, 3), CHECK_NEED(OFFSET_COMMIT, 7)},
        static_fenced},
    {"group.cooperative_two_phase",
        "commits go on while a member joins, and changed metadata begins a second round", "KIP-429",
        CHECK_CORE, 0, {CHECK_NEED(JOIN_GROUP, 4), CHECK_NEED(OFFSET_COMMIT, 2)},
        cooperative_two_phase},
    {"group.no_double_ownership",
        "while members come and go nobody gets another's assignment or commits as of before",
        "TestGroupETL", CHECK_CORE, 60, {CHECK_NEED(JOIN_GROUP, 4), CHECK_NEED(OFFSET_COMMIT, 2)},
        no_double_ownership},
};

const struct check_table c_group_table = CHECK_TABLE("group", checks);
