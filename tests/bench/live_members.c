/*
 * live_members: members of consumer groups that are alive and have nothing to read.
 *
 *   live_members HOST PORT TOPIC PARTITIONS MEMBERS
 *
 * Half of them speak the classic protocol, each in a group of its own, the others the consumer
 * protocol (KIP-848), ten in a group. Each has two connections, as consumers do: one for
 * heartbeats, as often as clients send them by default (3 s), or as the broker says, and one with a
 * Fetch of 500 ms under way, of a partition of TOPIC, which is empty. Prints "ready MEMBERS" once
 * all have joined and have what they read, and goes on until standard input closes. Exits with 1
 * where an answer is an error.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/frame.h"
#include "tests/bench/measure.h"
#include "tests/bench/raw.h"

#define MEMBERS_MAX 5000
#define GROUP_MEMBERS 10
#define OWNED_MAX 1024
#define JOIN_VERSION 3 /* without a second round for the member's id */
#define SYNC_VERSION 2
#define HEARTBEAT_VERSION 2
#define CONSUMER_VERSION 0 /* the broker makes the member's id */
#define FETCH_VERSION 12
#define FETCH_WAIT_MS 500
#define SESSION_MS 45000
#define CLASSIC_INTERVAL_MS 3000
#define REBALANCE_MS 60000
#define SETTLE_ROUNDS 5
#define POLL_MS 10

struct member {
    char group[32];
    char *id;
    int32_t epoch; /* or generation */
    bool is_classic;
    bool must_tell; /* what it owns, at its next heartbeat */
    struct wire_uuid topic_id;
    int32_t owned[OWNED_MAX];
    int32_t owned_count;
    int64_t interval_ms;
    int64_t due_us; /* its next heartbeat */
    int fd;
};

struct crowd {
    const char *topic;
    int32_t partitions;
    int count;
    struct member *members;
    struct pollfd *fetches; /* entry 0 is standard input */
    struct arena arena;
};

static void
check(const struct member *member, const char *what, bool answered, int16_t error_code)
{
    if (answered && error_code == 0)
        return;
    fprintf(stderr, "live_members: %s of %s: %s %d\n", what, member->group,
        answered ? "error" : "no answer", error_code);
    exit(1);
}

/* The subscription as consumers send it: its version, then itself. */
static struct wire_bytes
subscription_make(struct crowd *crowd, struct buf *out)
{
    static const uint8_t version[2] = {0, 0};
    struct wire_string topic = codec_string(crowd->topic);
    struct km_consumer_protocol_subscription subscription;

    codec_init(&km_consumer_protocol_subscription_desc, &subscription);
    subscription.topics.items = &topic;
    subscription.topics.count = 1;
    buf_append(out, version, sizeof version);
    REQUIRE(codec_encode(&km_consumer_protocol_subscription_message, 0, &subscription, out, NULL) ==
            RC_OK);
    return (struct wire_bytes){out->data, (int32_t)out->size};
}

static void
classic_join(struct crowd *crowd, struct member *member)
{
    struct km_join_group_request_protocol protocol;
    struct km_join_group_response joined;
    struct km_join_group_request join;
    struct km_sync_group_request_assignment assignment;
    struct km_sync_group_response synced;
    struct km_sync_group_request sync;
    struct buf metadata;
    bool answered;

    buf_init(&metadata, RAW_BYTES_MAX);
    codec_init(&km_join_group_request_desc, &join);
    codec_init(&km_join_group_request_protocol_desc, &protocol);
    protocol.name = codec_string("range");
    protocol.metadata = subscription_make(crowd, &metadata);
    join.group_id = codec_string(member->group);
    join.session_timeout_ms = SESSION_MS;
    join.rebalance_timeout_ms = REBALANCE_MS;
    join.member_id = codec_string("");
    join.protocol_type = codec_string("consumer");
    join.protocols.items = &protocol;
    join.protocols.count = 1;
    answered =
        raw_ask(member->fd, frame_api(KM_JOIN_GROUP), JOIN_VERSION, &join, &crowd->arena, &joined);
    check(member, "JoinGroup", answered, answered ? joined.error_code : 0);
    member->id = xmemdup(joined.member_id.data, (size_t)joined.member_id.size);
    member->epoch = joined.generation_id;
    member->interval_ms = CLASSIC_INTERVAL_MS;

    codec_init(&km_sync_group_request_desc, &sync);
    codec_init(&km_sync_group_request_assignment_desc, &assignment);
    assignment.member_id = codec_string(member->id);
    assignment.assignment = protocol.metadata; /* nobody but itself reads it */
    sync.group_id = join.group_id;
    sync.generation_id = member->epoch;
    sync.member_id = assignment.member_id;
    sync.assignments.items = &assignment;
    sync.assignments.count = 1;
    answered =
        raw_ask(member->fd, frame_api(KM_SYNC_GROUP), SYNC_VERSION, &sync, &crowd->arena, &synced);
    check(member, "SyncGroup", answered, answered ? synced.error_code : 0);
    buf_fini(&metadata);
}

static void
classic_heartbeat(struct crowd *crowd, struct member *member)
{
    struct km_heartbeat_response response;
    struct km_heartbeat_request request;
    bool answered;

    codec_init(&km_heartbeat_request_desc, &request);
    request.group_id = codec_string(member->group);
    request.generation_id = member->epoch;
    request.member_id = codec_string(member->id);
    answered = raw_ask(
        member->fd, frame_api(KM_HEARTBEAT), HEARTBEAT_VERSION, &request, &crowd->arena, &response);
    check(member, "Heartbeat", answered, answered ? response.error_code : 0);
}

static void
owned_take(struct member *member, const struct km_consumer_group_heartbeat_response *response)
{
    member->owned_count = 0;
    member->must_tell = true;
    for (int32_t t = 0; t < response->assignment->topic_partitions.count; t++) {
        const struct km_consumer_group_heartbeat_response_topic_partitions *topic =
            &response->assignment->topic_partitions.items[t];

        member->topic_id = topic->topic_id;
        for (int32_t i = 0; i < topic->partitions.count && member->owned_count < OWNED_MAX; i++)
            member->owned[member->owned_count++] = topic->partitions.items[i];
    }
}

/* The first one, with epoch 0, joins. */
static void
consumer_heartbeat(struct crowd *crowd, struct member *member)
{
    struct km_consumer_group_heartbeat_request_topic_partitions owned = {
        .topic_id = member->topic_id,
        .partitions.items = member->owned,
        .partitions.count = member->owned_count};
    struct wire_string topic = codec_string(crowd->topic);
    struct km_consumer_group_heartbeat_response response;
    struct km_consumer_group_heartbeat_request request;
    bool answered;

    codec_init(&km_consumer_group_heartbeat_request_desc, &request);
    request.group_id = codec_string(member->group);
    request.member_id = codec_string(member->id == NULL ? "" : member->id);
    request.member_epoch = member->epoch;
    if (member->epoch == 0) {
        request.rebalance_timeout_ms = REBALANCE_MS;
        request.subscribed_topic_names.items = &topic;
        request.subscribed_topic_names.count = 1;
    }
    if (member->epoch == 0 || member->must_tell) {
        request.topic_partitions.items = &owned;
        request.topic_partitions.count = member->owned_count > 0 ? 1 : 0;
    }
    member->must_tell = false;
    answered = raw_ask(member->fd, frame_api(KM_CONSUMER_GROUP_HEARTBEAT), CONSUMER_VERSION,
        &request, &crowd->arena, &response);
    check(member, "ConsumerGroupHeartbeat", answered, answered ? response.error_code : 0);
    if (member->id == NULL)
        member->id = xmemdup(response.member_id.data, (size_t)response.member_id.size);
    member->epoch = response.member_epoch;
    member->interval_ms = response.heartbeat_interval_ms;
    if (response.assignment != NULL)
        owned_take(member, &response);
}

static void
heartbeat(struct crowd *crowd, struct member *member)
{
    if (member->is_classic)
        classic_heartbeat(crowd, member);
    else
        consumer_heartbeat(crowd, member);
    member->due_us = measure_now_us() + member->interval_ms * 1000;
    arena_reset(&crowd->arena);
}

static void
fetch_send(struct crowd *crowd, int number)
{
    struct km_fetch_request_partition partition;
    struct km_fetch_request_topic topic;
    struct km_fetch_request request;
    struct buf out;

    codec_init(&km_fetch_request_desc, &request);
    codec_init(&km_fetch_request_topic_desc, &topic);
    codec_init(&km_fetch_request_partition_desc, &partition);
    partition.partition = number % crowd->partitions;
    partition.partition_max_bytes = INT32_MAX;
    topic.topic = codec_string(crowd->topic);
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    request.max_wait_ms = FETCH_WAIT_MS;
    request.min_bytes = 1;
    request.max_bytes = INT32_MAX;
    request.session_epoch = -1;
    request.topics.items = &topic;
    request.topics.count = 1;
    buf_init(&out, RAW_BYTES_MAX);
    REQUIRE(frame_request_encode(
                frame_api(KM_FETCH), FETCH_VERSION, 1, "live", &request, &out, NULL) == RC_OK);
    REQUIRE(
        send(crowd->fetches[number + 1].fd, out.data, out.size, MSG_NOSIGNAL) == (ssize_t)out.size);
    buf_fini(&out);
}

/* Takes an answer, which says that there is nothing. */
static void
fetch_take(struct crowd *crowd, int number)
{
    uint8_t length[FRAME_LENGTH_BYTES], rest[4096];
    int fd = crowd->fetches[number + 1].fd;
    bool answered = recv(fd, length, sizeof length, MSG_WAITALL) == (ssize_t)sizeof length;
    size_t size = answered ? (size_t)codec_bytes_int32(length) : 0;

    answered =
        answered && size <= sizeof rest && recv(fd, rest, size, MSG_WAITALL) == (ssize_t)size;
    check(&crowd->members[number], "Fetch", answered, 0);
}

/* Lets so much time pass, with all that clients do meanwhile; false where standard input closed. */
static bool
live(struct crowd *crowd, int64_t ms)
{
    int64_t end = ms < 0 ? INT64_MAX : measure_now_us() + ms * 1000;

    while (measure_now_us() < end) {
        int64_t now;

        poll(crowd->fetches, (nfds_t)crowd->count + 1, POLL_MS);
        if (crowd->fetches[0].revents != 0)
            return false;
        now = measure_now_us();
        for (int i = 0; i < crowd->count; i++) {
            if (crowd->fetches[i + 1].revents != 0) {
                fetch_take(crowd, i);
                fetch_send(crowd, i);
            }
            if (now >= crowd->members[i].due_us)
                heartbeat(crowd, &crowd->members[i]);
        }
    }
    return true;
}

static void
member_make(struct crowd *crowd, int number, const char *host, const char *port)
{
    struct member *member = &crowd->members[number];

    member->is_classic = number < crowd->count / 2;
    if (member->is_classic)
        snprintf(member->group, sizeof member->group, "live-classic-%d", number);
    else
        snprintf(member->group, sizeof member->group, "live-consumer-%d", number / GROUP_MEMBERS);
    member->fd = raw_dial(host, port);
    if (member->is_classic)
        classic_join(crowd, member);
    heartbeat(crowd, member);
    crowd->fetches[number + 1] = (struct pollfd){raw_dial(host, port), POLLIN, 0};
    fetch_send(crowd, number);
}

int
main(int argc, char **argv)
{
    struct crowd crowd = {0};
    struct rlimit files;
    bool open = true;

    if (argc != 6) {
        fprintf(stderr, "usage: live_members HOST PORT TOPIC PARTITIONS MEMBERS\n");
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    crowd.topic = argv[3];
    crowd.partitions = (int32_t)strtol(argv[4], NULL, 10);
    crowd.count = (int)strtol(argv[5], NULL, 10);
    REQUIRE(crowd.count <= MEMBERS_MAX && crowd.partitions > 0);
    crowd.members = xcalloc((size_t)crowd.count, sizeof *crowd.members);
    crowd.fetches = xcalloc((size_t)crowd.count + 1, sizeof *crowd.fetches);
    crowd.fetches[0] = (struct pollfd){STDIN_FILENO, POLLIN, 0};
    arena_init(&crowd.arena, RAW_BYTES_MAX);
    for (int i = 0; i < crowd.count; i++)
        member_make(&crowd, i, argv[1], argv[2]);
    /* Partitions move from the first members of a group to those that came after. */
    for (int round = 0; round < SETTLE_ROUNDS && open; round++) {
        for (int i = 0; i < crowd.count; i++)
            heartbeat(&crowd, &crowd.members[i]);
        open = live(&crowd, FETCH_WAIT_MS);
    }
    printf("ready %d\n", crowd.count);
    fflush(stdout);
    if (open)
        live(&crowd, -1);
    return 0;
}
