/*
 * differ: sends the same random requests to two brokers and compares the answers field by field.
 *
 *   differ SEED COUNT HOST:PORT HOST:PORT        the first is Apache Kafka, the second refbroker
 *
 * Both must be fresh, or left by an earlier run. Prints every difference that
 * tests/differ/allowed.def does not explain, with the request; the last line is `N requests, N
 * differences`. Exits with 1 where there is one. After a difference both begin anew without topics,
 * so that one does not cause the next. The same seed sends the same requests.
 */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/wire_client.h"
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_diff.h"
#include "lib/wire/codec_tree.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"
#include "tests/differ/publication.h"
#include "tests/differ/requests.h"

#define CLIENT_ID "differ"
#define BYTES_MAX ((size_t)64 << 20)
#define ANSWER_US INT64_C(20000000)
#define SETTLE_US INT64_C(20000000)
#define DIFFERENCES_MAX 50
#define NODE_ID 1
#define RETRIES_MAX 20000
#define VERSIONS_VERSION 3
#define METADATA_VERSION 12
#define DELETE_VERSION 6

struct side {
    const char *name;
    char host[128];
    uint16_t port;
    struct wire_client *client;
    int32_t correlation;
    struct wire_uuid ids[REQUESTS_NAMES]; /* zero: no such topic */
    struct arena arena;
    struct buf frame;
};

static const struct {
    const char *pattern;
    const char *reason;
} allowed[] = {
#define ALLOW(pattern, reason) {pattern, reason},
#include "tests/differ/allowed.def"
#undef ALLOW
};

static struct side sides[2] = {{.name = "kafka"}, {.name = "refbroker"}};
static struct publication *publication; /* of the first */

static _Noreturn void
give_up(const struct side *side, const char *what, const char *why)
{
    fprintf(stderr, "differ: %s: %s: %s\n", side->name, what, why);
    exit(2);
}

/* --- topic ids ---------------------------------------------------------------------------------
 */

typedef void uuid_fn(const struct side *side, struct wire_uuid *id);

static void
/* As deep as the schema. NOLINTNEXTLINE(misc-no-recursion) */
uuids_walk(const struct wire_struct *desc, int16_t version, uint8_t *object,
    const struct side *side, uuid_fn *fn)
{
    for (uint32_t i = 0; object != NULL && i < desc->field_count; i++) {
        const struct wire_field *field = &desc->fields[i];
        uint8_t *at = object + field->offset;
        struct wire_array array;

        if (version < field->versions.min || version > field->versions.max || field->is_pointer)
            continue;
        if (field->is_array && field->kind == WIRE_STRUCT) {
            memcpy(&array, at, sizeof array);
            for (int32_t k = 0; k < array.count; k++)
                uuids_walk(field->sub, version,
                    (uint8_t *)array.items + (size_t)k * field->sub->size, side, fn);
        } else if (field->kind == WIRE_STRUCT) {
            uuids_walk(field->sub, version, at, side, fn);
        } else if (field->kind == WIRE_UUID && !field->is_array) {
            fn(side, (struct wire_uuid *)(void *)at);
        }
    }
}

static bool
is_zero(const struct wire_uuid *id)
{
    static const struct wire_uuid zero;

    return memcmp(id, &zero, sizeof zero) == 0;
}

static bool
is_marker(const struct wire_uuid *id)
{
    struct wire_uuid marker = {{REQUESTS_ID_BYTE}};

    marker.bytes[15] = id->bytes[15];
    return memcmp(id, &marker, sizeof marker) == 0 && id->bytes[15] < REQUESTS_NAMES;
}

/* The marker of a request becomes what this side calls the topic. */
static void
id_to_side(const struct side *side, struct wire_uuid *id)
{
    size_t number = id->bytes[15];

    if (!is_marker(id))
        return;
    if (!is_zero(&side->ids[number]))
        *id = side->ids[number];
}

/* And the other way round: of ids that belong to nothing here only the fact is compared. */
static void
id_from_side(const struct side *side, struct wire_uuid *id)
{
    for (size_t i = 0; i < REQUESTS_NAMES; i++)
        if (!is_zero(id) && memcmp(id, &side->ids[i], sizeof *id) == 0) {
            memset(id, 0, sizeof *id);
            id->bytes[0] = REQUESTS_ID_BYTE;
            id->bytes[15] = (uint8_t)i;
            return;
        }
    if (!is_zero(id) && !is_marker(id))
        memset(id, 0xdd, sizeof *id);
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

static int
by_topic(const void *a, const void *b)
{
    const struct km_metadata_response_topic *x = a, *y = b;
    int32_t common = x->name.size < y->name.size ? x->name.size : y->name.size;
    int order = common <= 0 ? 0 : memcmp(x->name.data, y->name.data, (size_t)common);

    if (order == 0)
        order = x->name.size - y->name.size;
    return order != 0 ? order : memcmp(&x->topic_id, &y->topic_id, sizeof x->topic_id);
}

/* Kafka answers Metadata in the order of its sets. */
static void
metadata_settle(struct km_metadata_response *answer)
{
    if (answer->topics.count > 1)
        qsort(answer->topics.items, (size_t)answer->topics.count, sizeof *answer->topics.items,
            by_topic);
}

static const struct km_metadata_response *
topics_ask(struct side *side)
{
    struct km_metadata_request in;
    struct km_metadata_response *out;

    codec_init(&km_metadata_request_desc, &in);
    in.allow_auto_topic_creation = false;
    in.topics.items = codec_array(&side->arena, &km_metadata_request_topic_desc, REQUESTS_NAMES);
    in.topics.count = REQUESTS_NAMES;
    for (size_t i = 0; i < REQUESTS_NAMES; i++)
        in.topics.items[i].name =
            (struct wire_string){requests_name(i), (int32_t)strlen(requests_name(i))};
    out = ask(side, frame_api(KM_METADATA), METADATA_VERSION, &in);
    if (out == NULL || out->topics.count != REQUESTS_NAMES)
        give_up(side, "metadata", "no answer about the topics");
    metadata_settle(out);
    return out;
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

            for (size_t k = 0; k < REQUESTS_NAMES; k++)
                if (t->name.size == (int32_t)strlen(requests_name(k)) &&
                    memcmp(t->name.data, requests_name(k), (size_t)t->name.size) == 0)
                    sides[s].ids[k] =
                        t->error_code == KE_NONE ? t->topic_id : (struct wire_uuid){{0}};
            for (int32_t p = 0; p < t->partitions.count; p++)
                same = same && t->partitions.items[p].leader_id == NODE_ID;
        }
    }
    for (int32_t i = 0; i < REQUESTS_NAMES; i++)
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

    while (!gone) {
        gone = true;
        (void)topics_agree();
        for (int s = 0; s < 2; s++)
            for (size_t i = 0; i < REQUESTS_NAMES; i++) {
                struct km_delete_topics_request_delete_topic_state state;
                struct km_delete_topics_request in;

                if (is_zero(&sides[s].ids[i]))
                    continue;
                gone = false;
                codec_init(&km_delete_topics_request_desc, &in);
                codec_init(&km_delete_topics_request_delete_topic_state_desc, &state);
                state.topic_id = sides[s].ids[i];
                state.name.size = -1;
                in.topics.items = &state;
                in.topics.count = 1;
                in.timeout_ms = 10000;
                (void)ask(&sides[s], frame_api(KM_DELETE_TOPICS), DELETE_VERSION, &in);
            }
        if (wire_client_now_us() > end)
            give_up(&sides[0], "begin anew", "topics do not go away");
    }
}

/* --- comparing ---------------------------------------------------------------------------------
 */

static const char *
reason_of(const char *message, const char *line)
{
    char path[512];
    size_t size = (size_t)snprintf(path, sizeof path, "%s.", message);
    bool inside = false;

    for (const char *at = line; *at != '\0' && *at != ':' && size + 1 < sizeof path; at++) {
        inside = *at == '[' || (inside && *at != ']');
        if (!inside && *at != ']')
            path[size++] = *at;
    }
    path[size] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
        if (fnmatch(allowed[i].pattern, path, FNM_NOESCAPE) == 0)
            return allowed[i].reason;
    return NULL;
}

/* Prints the lines that nothing explains; returns their number. */
static size_t
lines_judge(const struct wire_message *message, struct buf *lines)
{
    char *rest = (char *)(uintptr_t)buf_text(lines), *line;
    size_t count = 0;

    while ((line = strsep(&rest, "\n")) != NULL)
        if (*line != '\0' && reason_of(message->name, line) == NULL) {
            printf("  %s\n", line);
            count++;
        }
    return count;
}

static bool
is_text(struct wire_string text, const char *other)
{
    return text.size == (int32_t)strlen(other) && memcmp(text.data, other, strlen(other)) == 0;
}

/* refbroker has a config of its own, the last of each list; and Kafka keeps min.insync.replicas as
 * a dynamic default of the cluster (source 3) since it knows eligible leader replicas. */
static void
created_settle(struct km_create_topics_response *answer)
{
    for (int32_t i = 0; i < answer->topics.count; i++) {
        struct km_create_topics_response_creatable_topic_result *t = &answer->topics.items[i];

        if (t->configs.count > 0 &&
            is_text(t->configs.items[t->configs.count - 1].name, "diskless.enable"))
            t->configs.count--;
        for (int32_t k = 0; k < t->configs.count; k++)
            if (is_text(t->configs.items[k].name, "min.insync.replicas") &&
                t->configs.items[k].config_source == 3)
                t->configs.items[k].config_source = 5;
    }
}

static int
by_name(const void *a, const void *b)
{
    const struct km_describe_configs_response_resource_result *x = a, *y = b;
    int32_t common = x->name.size < y->name.size ? x->name.size : y->name.size;
    int order = memcmp(x->name.data, y->name.data, (size_t)common);

    return order != 0 ? order : x->name.size - y->name.size;
}

/* Kafka describes in the order of a hash map. */
static void
described_settle(struct km_describe_configs_response *answer)
{
    for (int32_t i = 0; i < answer->results.count; i++) {
        struct km_describe_configs_response_result *r = &answer->results.items[i];

        if (r->configs.count > 0 &&
            is_text(r->configs.items[r->configs.count - 1].name, "diskless.enable"))
            r->configs.count--;
        for (int32_t k = 0; k < r->configs.count; k++)
            if (is_text(r->configs.items[k].name, "min.insync.replicas") &&
                r->configs.items[k].config_source == 3)
                r->configs.items[k].config_source = 5;
        if (r->configs.count > 1)
            qsort(r->configs.items, (size_t)r->configs.count, sizeof *r->configs.items, by_name);
    }
}

/* A fetch ends where a segment does, and how many there are is the broker's business: what both
 * have must be the same. */
static void
fetched_settle(struct km_fetch_response *a, struct km_fetch_response *b)
{
    for (int32_t i = 0; i < a->responses.count && i < b->responses.count; i++) {
        struct km_fetch_response_fetchable_topic_response *x = &a->responses.items[i];
        struct km_fetch_response_fetchable_topic_response *y = &b->responses.items[i];

        for (int32_t k = 0; k < x->partitions.count && k < y->partitions.count; k++) {
            struct wire_records *p = &x->partitions.items[k].records;
            struct wire_records *q = &y->partitions.items[k].records;

            if (p->size > 0 && q->size > 0)
                p->size = q->size = p->size < q->size ? p->size : q->size;
        }
    }
}

static size_t
answers_compare(const struct requests_made *made, void *const answers[2])
{
    const struct wire_message *message = made->api->response;
    struct buf lines;
    size_t count = 0;

    if (answers[0] == NULL || answers[1] == NULL) {
        if ((answers[0] == NULL) != (answers[1] == NULL)) {
            printf("  %s closes the connection\n", sides[answers[0] == NULL ? 0 : 1].name);
            count = 1;
        }
        return count;
    }
    for (int s = 0; s < 2; s++) {
        uuids_walk(message->body, made->version, answers[s], &sides[s], id_from_side);
        if (made->api->key == KM_METADATA)
            metadata_settle(answers[s]);
        else if (made->api->key == KM_CREATE_TOPICS)
            created_settle(answers[s]);
        else if (made->api->key == KM_DESCRIBE_CONFIGS)
            described_settle(answers[s]);
    }
    if (made->api->key == KM_FETCH)
        fetched_settle(answers[0], answers[1]);
    buf_init(&lines, BYTES_MAX);
    if (codec_diff(message, made->version, answers[0], answers[1], &lines) > 0)
        count = lines_judge(message, &lines);
    buf_fini(&lines);
    return count;
}

static void
exchange_print(const struct requests_made *made, uint64_t number, void *const answers[2])
{
    struct buf line;

    buf_init(&line, 1 << 16);
    codec_tree_text(made->api->request, made->version, made->body, &line);
    printf("request %" PRIu64 ": %s\n", number, buf_text(&line));
    for (int s = 0; s < 2; s++) {
        buf_clear(&line);
        if (answers[s] != NULL)
            codec_tree_text(made->api->response, made->version, answers[s], &line);
        printf("%s: %s\n", sides[s].name, buf_text(&line));
    }
    buf_fini(&line);
}

/* On Kafka a new partition may be shown with a leader before that leader knows of it. */
static bool
is_early(const struct requests_made *made, const void *answer)
{
    struct buf text;
    bool early;

    if (answer == NULL)
        return false;
    buf_init(&text, BYTES_MAX);
    codec_tree_text(made->api->response, made->version, answer, &text);
    early = strstr(buf_text(&text), "error_code=6 ") != NULL ||
            strstr(buf_text(&text), "error_code=6}") != NULL;
    buf_fini(&text);
    return early;
}

/* One request to both; true where the answers differ. */
static bool
step(uint64_t number, struct env *dice, const struct requests_versions *versions)
{
    struct requests_made made[2];
    struct env again = *dice;
    struct arena arena[2];
    void *answers[2];
    bool settled = true;
    size_t differences;
    int retries = RETRIES_MAX;

    for (int s = 0; s < 2; s++) {
        struct env *mine = s == 0 ? dice : &again;

        arena_reset(&sides[s].arena);
        arena_init(&arena[s], BYTES_MAX);
        requests_next(mine, versions, NODE_ID, &arena[s], &made[s]);
        uuids_walk(
            made[s].api->request->body, made[s].version, made[s].body, &sides[s], id_to_side);
        do
            answers[s] = ask(&sides[s], made[s].api, made[s].version, made[s].body);
        while (s == 0 && is_early(&made[s], answers[s]) && retries-- > 0);
    }
    if (made[0].changes_topics)
        settled = topics_settle();
    differences = answers_compare(&made[0], answers);
    if (!settled)
        printf("  the topics of both sides are not the same afterwards\n");
    if (differences > 0 || !settled)
        exchange_print(&made[1], number, answers);
    for (int s = 0; s < 2; s++)
        arena_fini(&arena[s]);
    return differences > 0 || !settled;
}

int
main(int argc, char **argv)
{
    struct requests_versions versions;
    uint64_t count, done = 0, differences = 0;
    struct err e = {0};
    struct env dice;

    if (argc != 5) {
        fprintf(stderr, "usage: differ SEED COUNT HOST:PORT HOST:PORT\n");
        return 2;
    }
    env_init_seeded(&dice, strtoull(argv[1], NULL, 10), 0);
    count = strtoull(argv[2], NULL, 10);
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
    begin_anew();
    for (; done < count && differences < DIFFERENCES_MAX; done++)
        if (step(done, &dice, &versions)) {
            differences++;
            begin_anew();
        }
    publication_close(publication);
    printf("%" PRIu64 " requests, %" PRIu64 " differences\n", done, differences);
    return differences > 0;
}
