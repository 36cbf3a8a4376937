/*
 * differ: sends the same random requests to two brokers and compares the answers field by field.
 *
 *   differ SEED COUNT HOST:PORT HOST:PORT        the first is Apache Kafka, the second refbroker
 *
 * Both must be fresh, with the settings of differ.t: no answer may depend on the time or wait for
 * another. Prints every difference that tests/differ/allowed.def does not explain, with the
 * request; then how often each API succeeded; the last line is `N requests, N differences`. Exits
 * with 1 where there is one, or where an API that was asked often never succeeded. After a
 * difference both begin anew without topics and with other names of groups and transactional ids,
 * so that one does not cause the next. The same seed sends the same requests. DIFFER_TRACE=1 prints
 * them all.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/wire_client.h"
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_tree.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"
#include "tests/differ/answers.h"
#include "tests/differ/markers.h"
#include "tests/differ/publication.h"
#include "tests/differ/report.h"
#include "tests/differ/requests.h"
#include "tests/differ/tally.h"

#define CLIENT_ID "differ"
#define BYTES_MAX ((size_t)64 << 20)
#define ANSWER_US INT64_C(120000000)
#define SETTLE_US INT64_C(20000000)
#define DIFFERENCES_MAX 50
#define OFTEN 200 /* of an API: it must have succeeded */
#define NODE_ID 1
#define EARLY_US INT64_C(5000000)
#define KAFKA 0
#define REFBROKER 1
#define VERSIONS_VERSION 3
#define METADATA_VERSION 12
#define DELETE_VERSION 6
#define DESCRIBE_VERSION 0
#define FIND_VERSION 3
#define INIT_VERSION 3
#define OFFSETS_VERSION 5

struct side {
    const char *name;
    char host[128];
    uint16_t port;
    struct wire_client *client;
    int32_t correlation;
    struct arena arena;
    struct buf frame;
};

static struct side sides[2] = {{.name = "kafka"}, {.name = "refbroker"}};
static struct publication *publication; /* of the first */
static struct memory memory;
static struct tally tally;
static bool trace; /* print every exchange */

static _Noreturn void
give_up(const struct side *side, const char *what, const char *why)
{
    fprintf(stderr, "differ: %s: %s: %s\n", side->name, what, why);
    exit(2);
}

/* --- one side ----------------------------------------------------------------------------------
 */

static void
reconnect(struct side *side)
{
    struct err e = {0};

    wire_client_close(side->client);
    side->client = NULL;
    if (wire_client_open(
            side->host, side->port, wire_client_now_us() + ANSWER_US, &side->client, &e) != RC_OK)
        give_up(side, "connect", e.text);
}

/* Sends a request and decodes the answer into the side's arena; NULL where the connection closes
 * instead, which is an answer, too. */
static void *
ask(struct side *side, const struct wire_api *api, int16_t version, const void *body)
{
    struct buf out;
    struct err e = {0};
    void *answer = arena_alloc(&side->arena, api->response->body->size);
    int32_t correlation = ++side->correlation, got = 0;
    enum rc rc;

    buf_init(&out, BYTES_MAX);
    rc = frame_request_encode(api, version, correlation, CLIENT_ID, body, &out, &e);
    if (rc != RC_OK)
        give_up(side, api->name, e.text);
    rc = wire_client_write(side->client, out.data, out.size, wire_client_now_us() + ANSWER_US, &e);
    buf_fini(&out);
    buf_clear(&side->frame);
    if (rc == RC_OK)
        rc = wire_client_frame(side->client, wire_client_now_us() + ANSWER_US, &side->frame, &e);
    if (rc == RC_CLOSED) {
        reconnect(side);
        return NULL;
    }
    if (rc == RC_OK)
        rc = frame_response_decode(api, version,
            arena_dup(&side->arena, side->frame.data, side->frame.size), side->frame.size, &got,
            &side->arena, answer, &e);
    if (rc != RC_OK || got != correlation)
        give_up(side, api->name, rc != RC_OK ? e.text : "another correlation id");
    return answer;
}

static void
versions_ask(struct side *side, struct requests_versions *versions)
{
    struct km_api_versions_request in;
    const struct km_api_versions_response *out;
    bool seen[KM_API_COUNT] = {false};

    codec_init(&km_api_versions_request_desc, &in);
    in.client_software_name = (struct wire_string){"differ", 6};
    in.client_software_version = (struct wire_string){"1", 1};
    out = ask(side, frame_api(KM_API_VERSIONS), VERSIONS_VERSION, &in);
    for (int32_t i = 0; out != NULL && i < out->api_keys.count; i++) {
        const struct wire_api *api = frame_api(out->api_keys.items[i].api_key);
        size_t at = api == NULL ? KM_API_COUNT : (size_t)(api - km_apis);

        if (api == NULL)
            continue;
        seen[at] = true;
        if (versions->min[at] < out->api_keys.items[i].min_version)
            versions->min[at] = out->api_keys.items[i].min_version;
        if (versions->max[at] > out->api_keys.items[i].max_version)
            versions->max[at] = out->api_keys.items[i].max_version;
    }
    for (size_t i = 0; i < KM_API_COUNT; i++)
        if (!seen[i])
            versions->max[i] = -1;
}

/* --- topics on both sides -----------------------------------------------------------------------
 */

static const struct km_metadata_response *
topics_ask(struct side *side)
{
    struct km_metadata_request in;
    struct km_metadata_response *out;

    codec_init(&km_metadata_request_desc, &in);
    in.allow_auto_topic_creation = false;
    in.topics.items = codec_array(&side->arena, &km_metadata_request_topic_desc, MEMORY_TOPICS);
    in.topics.count = MEMORY_TOPICS;
    for (size_t i = 0; i < MEMORY_TOPICS; i++)
        in.topics.items[i].name =
            (struct wire_string){memory_topic_name(i), (int32_t)strlen(memory_topic_name(i))};
    out = ask(side, frame_api(KM_METADATA), METADATA_VERSION, &in);
    if (out == NULL || out->topics.count != MEMORY_TOPICS)
        give_up(side, "metadata", "no answer about the topics");
    answers_settle(&memory, frame_api(KM_METADATA), &side->arena, out);
    return out;
}

static bool
is_zero(const struct wire_uuid *id)
{
    static const struct wire_uuid zero;

    return memcmp(id, &zero, sizeof zero) == 0;
}

/* Whether both sides show the same topics, all of them with leaders; notes their ids. */
static bool
topics_agree(void)
{
    const struct km_metadata_response *seen[2];
    bool same = true;

    for (int s = 0; s < 2; s++) {
        seen[s] = topics_ask(&sides[s]);
        for (int32_t i = 0; i < seen[s]->topics.count; i++) {
            const struct km_metadata_response_topic *t = &seen[s]->topics.items[i];

            for (size_t k = 0; k < MEMORY_TOPICS; k++)
                if (t->name.size == (int32_t)strlen(memory_topic_name(k)) &&
                    memcmp(t->name.data, memory_topic_name(k), (size_t)t->name.size) == 0)
                    memory.topics[s][k] =
                        t->error_code == KE_NONE ? t->topic_id : (struct wire_uuid){{0}};
            for (int32_t p = 0; p < t->partitions.count; p++)
                same = same && t->partitions.items[p].leader_id == NODE_ID;
        }
    }
    for (int32_t i = 0; i < MEMORY_TOPICS; i++)
        same =
            same && seen[0]->topics.items[i].error_code == seen[1]->topics.items[i].error_code &&
            seen[0]->topics.items[i].partitions.count == seen[1]->topics.items[i].partitions.count;
    return same;
}

/* A change is seen and used some time after its answer on Kafka. False where they do not come
 * together. */
static bool
topics_settle(void)
{
    int64_t end = wire_client_now_us() + SETTLE_US / 10;
    struct err e = {0};

    if (publication_wait(publication, &e) != RC_OK)
        give_up(&sides[0], "settle", e.text);
    while (!topics_agree())
        if (wire_client_now_us() > end)
            return false;
    return true;
}

static void
begin_anew(void)
{
    int64_t end = wire_client_now_us() + SETTLE_US;
    bool gone = false;

    memory_forget(&memory);
    while (!gone) {
        gone = true;
        (void)topics_agree();
        for (int s = 0; s < 2; s++)
            for (size_t i = 0; i < MEMORY_TOPICS; i++) {
                struct km_delete_topics_request_delete_topic_state state;
                struct km_delete_topics_request in;

                if (is_zero(&memory.topics[s][i]))
                    continue;
                gone = false;
                codec_init(&km_delete_topics_request_desc, &in);
                codec_init(&km_delete_topics_request_delete_topic_state_desc, &state);
                state.topic_id = memory.topics[s][i];
                state.name.size = -1;
                in.topics.items = &state;
                in.topics.count = 1;
                in.timeout_ms = 10000;
                (void)ask(&sides[s], frame_api(KM_DELETE_TOPICS), DELETE_VERSION, &in);
            }
        if (wire_client_now_us() > end)
            give_up(&sides[0], "begin anew", "topics do not go away");
    }
    if (!topics_settle())
        give_up(&sides[0], "begin anew", "topics come back");
}

/* --- groups and transactions -------------------------------------------------------------------
 */

static bool
is_prepared(struct wire_string state)
{
    return state.size > 7 && memcmp(state.data, "Prepare", 7) == 0;
}

/* Kafka answers when it has decided how a transaction ends, and writes the markers then. */
static void
transactions_settle(void)
{
    int64_t end = wire_client_now_us() + SETTLE_US;
    struct wire_string ids[MEMORY_TRANSACTIONS];
    struct km_describe_transactions_request in;
    bool settled = false;

    codec_init(&km_describe_transactions_request_desc, &in);
    for (size_t i = 0; i < MEMORY_TRANSACTIONS; i++)
        ids[i] =
            (struct wire_string){memory.transactions[i], (int32_t)strlen(memory.transactions[i])};
    in.transactional_ids.items = ids;
    in.transactional_ids.count = MEMORY_TRANSACTIONS;
    while (!settled) {
        settled = true;
        for (int s = 0; s < 2; s++) {
            const struct km_describe_transactions_response *out =
                ask(&sides[s], frame_api(KM_DESCRIBE_TRANSACTIONS), DESCRIBE_VERSION, &in);

            for (int32_t i = 0; out != NULL && i < out->transaction_states.count; i++)
                settled =
                    settled && !is_prepared(out->transaction_states.items[i].transaction_state);
        }
        if (!settled && wire_client_now_us() > end)
            give_up(&sides[KAFKA], "settle", "a transaction does not end");
    }
}

/* Makes the internal topics exist and their coordinators have loaded them. */
static void
coordinators_begin(void)
{
    int64_t end = wire_client_now_us() + SETTLE_US;

    for (int s = 0; s < 2; s++) {
        struct km_find_coordinator_request find;
        struct km_init_producer_id_request init;
        struct km_offset_fetch_request fetch;
        bool ready = false;

        codec_init(&km_find_coordinator_request_desc, &find);
        codec_init(&km_init_producer_id_request_desc, &init);
        codec_init(&km_offset_fetch_request_desc, &fetch);
        init.transactional_id = fetch.group_id = (struct wire_string){CLIENT_ID, 6};
        init.transaction_timeout_ms = 1000;
        fetch.topics.count = -1;
        find.key = init.transactional_id;
        while (!ready) {
            const struct km_init_producer_id_response *made;
            const struct km_offset_fetch_response *fetched;

            for (find.key_type = 0; find.key_type < 2; find.key_type++)
                (void)ask(&sides[s], frame_api(KM_FIND_COORDINATOR), FIND_VERSION, &find);
            made = ask(&sides[s], frame_api(KM_INIT_PRODUCER_ID), INIT_VERSION, &init);
            fetched = ask(&sides[s], frame_api(KM_OFFSET_FETCH), OFFSETS_VERSION, &fetch);
            ready = made != NULL && made->error_code == KE_NONE && fetched != NULL &&
                    fetched->error_code == KE_NONE;
            arena_reset(&sides[s].arena);
            if (wire_client_now_us() > end)
                give_up(&sides[s], "begin", "the coordinators do not load");
        }
    }
}

/* --- one exchange -------------------------------------------------------------------------------
 */

static bool
has_code(const struct requests_made *made, const void *answer, int code)
{
    char with[2][32];
    struct buf text;
    bool has;

    if (answer == NULL)
        return false;
    snprintf(with[0], sizeof with[0], "error_code=%d ", code);
    snprintf(with[1], sizeof with[1], "error_code=%d}", code);
    buf_init(&text, BYTES_MAX);
    codec_tree_text(made->api->response, made->version, answer, &text);
    has = strstr(buf_text(&text), with[0]) != NULL || strstr(buf_text(&text), with[1]) != NULL;
    buf_fini(&text);
    return has;
}

/* On Kafka a new partition may be shown with a leader before that leader knows of it, and a
 * transaction's end goes on after its answer. */
static bool
is_early(const struct requests_made *made, const void *kafka, const void *refbroker)
{
    static const int codes[] = {KE_NOT_LEADER_OR_FOLLOWER, KE_COORDINATOR_LOAD_IN_PROGRESS,
        KE_NOT_COORDINATOR, KE_CONCURRENT_TRANSACTIONS};

    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (has_code(made, kafka, codes[i]) && !has_code(made, refbroker, codes[i]))
            return true;
    return false;
}

/* Asks both the same; the answers are in terms of markers then. */
static void
both_ask(const struct requests_made made[2], void *answers[2])
{
    int64_t end = wire_client_now_us() + EARLY_US;

    for (size_t s = 0; s < 2; s++) {
        struct markers markers = {&memory, s, &sides[s].arena};

        markers_to_side(&markers, made[s].api->request, made[s].version, made[s].body);
    }
    answers[REFBROKER] = ask(&sides[REFBROKER], made[1].api, made[1].version, made[REFBROKER].body);
    do
        answers[KAFKA] = ask(&sides[KAFKA], made[0].api, made[0].version, made[KAFKA].body);
    while (is_early(&made[0], answers[KAFKA], answers[REFBROKER]) && wire_client_now_us() < end);
}

/* Puts markers into the answers, which gives names to what is new. */
static void
both_mark(const struct requests_made *made, void *const answers[2])
{
    memory_name(&memory, made->api, answers);
    for (size_t s = 0; s < 2; s++) {
        struct markers markers = {&memory, s, &sides[s].arena};

        if (answers[s] == NULL)
            continue;
        markers_from_side(&markers, made->api->response, made->version, answers[s]);
        answers_settle(&memory, made->api, &sides[s].arena, answers[s]);
    }
    if (answers[0] != NULL && answers[1] != NULL)
        answers_settle_pair(made->api, answers);
}

/* One request to both; true where the answers differ. */
static bool
step(uint64_t number, struct env *dice, const struct requests_versions *versions)
{
    struct requests_made made[3]; /* the last stays in terms of markers */
    struct env start = *dice;
    struct arena arena;
    void *answers[2];
    bool settled = true;
    size_t differences;

    arena_init(&arena, BYTES_MAX);
    for (size_t i = 0; i < ARRAY_LEN(made); i++) {
        *dice = start;
        requests_next(dice, versions, &memory, &arena, &made[i]);
    }
    for (int s = 0; s < 2; s++)
        arena_reset(&sides[s].arena);
    if (trace)
        report_request(&made[2], number);
    both_ask(made, answers);
    if (made[2].effect == MAKING_TOPICS)
        settled = topics_settle();
    else if (made[2].effect == MAKING_TRANSACTIONS)
        transactions_settle();
    tally_add(&tally, &made[2], answers[KAFKA]);
    both_mark(&made[2], answers);
    differences = report_differences(&made[2], answers);
    if (!settled)
        printf("  the topics of both sides are not the same afterwards\n");
    if ((differences > 0 || !settled) && !trace)
        report_request(&made[2], number);
    if (differences > 0 || !settled || trace)
        report_answers(&made[2], answers);
    if (answers[KAFKA] != NULL)
        memory_learn(&memory, made[2].api, made[2].version, made[2].body, answers[KAFKA]);
    arena_fini(&arena);
    return differences > 0 || !settled;
}

int
main(int argc, char **argv)
{
    struct requests_versions versions;
    size_t failed;
    uint64_t count, done = 0, differences = 0;
    char *end;
    struct err e = {0};
    struct env dice;

    if (argc != 5) {
        fprintf(stderr, "usage: differ SEED COUNT HOST:PORT HOST:PORT\n");
        return 2;
    }
    env_init_seeded(&dice, strtoull(argv[1], NULL, 10), 0);
    count = strtoull(argv[2], &end, 10);
    if (count == 0 || *end != '\0') {
        fprintf(stderr, "differ: %s is no number of requests\n", argv[2]);
        return 2;
    }
    for (size_t i = 0; i < KM_API_COUNT; i++) {
        versions.min[i] = km_apis[i].request->versions.min;
        versions.max[i] = km_apis[i].request->versions.max;
    }
    for (int s = 0; s < 2; s++) {
        char *colon = strrchr(argv[3 + s], ':');

        if (colon == NULL)
            return 2;
        snprintf(
            sides[s].host, sizeof sides[s].host, "%.*s", (int)(colon - argv[3 + s]), argv[3 + s]);
        sides[s].port = (uint16_t)strtoul(colon + 1, NULL, 10);
        arena_init(&sides[s].arena, BYTES_MAX);
        buf_init(&sides[s].frame, BYTES_MAX);
        reconnect(&sides[s]);
        versions_ask(&sides[s], &versions);
    }
    if (publication_open(sides[0].host, sides[0].port, &publication, &e) != RC_OK)
        give_up(&sides[0], "connect", e.text);
    memory_init(&memory);
    trace = getenv("DIFFER_TRACE") != NULL;
    coordinators_begin();
    begin_anew();
    for (; done < count && differences < DIFFERENCES_MAX; done++)
        if (step(done, &dice, &versions)) {
            differences++;
            begin_anew();
        }
    publication_close(publication);
    memory_fini(&memory);
    failed = tally_print(&tally, OFTEN);
    printf("%" PRIu64 " requests, %" PRIu64 " differences\n", done, differences);
    return differences > 0 || failed > 0;
}
