#include "audit/request_log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audit/flink.h"
#include "lib/base/env.h"
#include "lib/base/jdoc.h"
#include "lib/base/lines.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_tree.h"

#define MARK "Completed request:{"
#define NAME_MARK "\"requestApiKeyName\":\""
#define FIRST_API "API_VERSIONS"
#define CLIENT_MARK "\"clientId\":\""
#define OWN_SOFTWARE "kdl"
#define LINE_ARENA_BYTES ((size_t)64 << 10)

struct reading {
    struct audit_inventory *inventory;
    const char *path;
    struct map topics_by_id; /* base64 of the id, to place + 1 */
    struct map known;        /* "TRACE TOPIC TRANSACTIONAL_ID" of what was noted */
    struct arena arena;      /* of one line */
    uint64_t line;
    uint64_t requests;
    uint64_t named; /* topics, in requests; */
    uint64_t found; /* of these, topics of the inventory */
    /* Of the line: */
    const struct jdoc *whole;
    const struct jdoc *request;
    uint32_t client; /* INVENTORY_NO_NUMBER: not asked for yet */
    bool is_refused; /* there was no room for it */
};

/* --- what a line tells ------------------------------------------------------------------------ */

/* Leaves a gap that names the line. */
static void
gap(struct reading *own, const char *why)
{
    struct err e;

    inventory_gap(own->inventory, INVENTORY_NO_NUMBER, AUDIT_REQUESTS, NULL,
        err_set(&e, RC_CORRUPT, "%s, line %llu: %s", own->path, (unsigned long long)own->line, why),
        0, &e);
}

static uint32_t
topic_of(struct reading *own, const struct jdoc *row)
{
    const char *id = jdoc_get_text(row, "topicId", NULL);
    const char *name = jdoc_get_text(row, "name", jdoc_get_text(row, "topic", NULL));
    uint32_t topic = INVENTORY_NO_NUMBER;

    if (id == NULL && name == NULL)
        return INVENTORY_NO_NUMBER;
    if (id == NULL) {
        topic = inventory_topic(own->inventory, codec_string(name));
    } else {
        uintptr_t place = (uintptr_t)map_get_text(&own->topics_by_id, id);

        if (place != 0)
            topic = (uint32_t)place - 1;
    }
    own->named++;
    own->found += topic != INVENTORY_NO_NUMBER;
    return topic;
}

/* Notes the line's client; false where there is no room for it. */
static bool
client_note(struct reading *own)
{
    if (own->client == INVENTORY_NO_NUMBER && !own->is_refused) {
        const struct jdoc *header = jdoc_get(own->whole, "requestHeader");
        const struct jdoc *software = jdoc_get(own->whole, "clientInformation");
        const struct audit_client client = {jdoc_get_text(header, "clientId", ""),
            jdoc_get_text(own->whole, "principal", ""), jdoc_get_text(software, "softwareName", ""),
            jdoc_get_text(software, "softwareVersion", "")};

        own->client = inventory_add_client(own->inventory, &client);
        own->is_refused = own->client == INVENTORY_NO_NUMBER;
        if (own->is_refused)
            gap(own, "there are more clients than an audit keeps");
    }
    return !own->is_refused;
}

/* What the line's client has to do with a topic; NULL where there is no room for it. */
static struct audit_contact *
contact_of(struct reading *own, uint32_t topic)
{
    return client_note(own) ? inventory_contact(own->inventory, topic, own->client) : NULL;
}

static void
trace_note(struct reading *own, const char *id, uint32_t topic, enum audit_trace trace)
{
    struct audit_inventory *inventory = own->inventory;
    struct wire_string text = codec_string(id);
    char *key = arena_printf(&own->arena, "%d %u %s", (int)trace, topic, id);

    if (key == NULL || map_get_text(&own->known, key) != NULL)
        return;
    map_put_text(&own->known, key, own);
    inventory_add_transactional_id(inventory, text);
    inventory_add_footprint(inventory, inventory_transactional_id(inventory, text), topic, trace);
}

/* Calls take for each known topic of an array of topics, with its row. */
typedef void topic_fn(struct reading *own, uint32_t topic, const char *transactional_id);

static void
topics_each(
    struct reading *own, const struct jdoc *rows, const char *transactional_id, topic_fn *take)
{
    for (size_t i = 0; i < jdoc_count(rows); i++) {
        uint32_t topic = topic_of(own, jdoc_at(rows, i));

        if (topic != INVENTORY_NO_NUMBER)
            take(own, topic, transactional_id);
    }
}

/* --- by API ----------------------------------------------------------------------------------- */

static void
produced(struct reading *own, uint32_t topic, const char *transactional_id)
{
    struct audit_contact *contact = contact_of(own, topic);

    if (contact != NULL) {
        contact->produces++;
        contact->transactional += transactional_id != NULL;
    }
    if (transactional_id != NULL)
        trace_note(own, transactional_id, topic, AUDIT_TRACE_REQUESTED);
}

static void
produce_take(struct reading *own)
{
    topics_each(own, jdoc_get(own->request, "topicData"),
        jdoc_get_text(own->request, "transactionalId", NULL), produced);
}

static bool
is_committed(const struct reading *own)
{
    return jdoc_get_int(own->request, "isolationLevel", 0) == 1;
}

static void
fetched(struct reading *own, uint32_t topic, const char *transactional_id)
{
    struct audit_contact *contact = contact_of(own, topic);

    (void)transactional_id;
    if (contact != NULL) {
        contact->fetches++;
        contact->committed_fetches += is_committed(own);
    }
}

static void
answered(struct reading *own, uint32_t topic, const char *transactional_id)
{
    struct audit_contact *contact = contact_of(own, topic);

    if (contact != NULL && contact->fetches == 0)
        fetched(own, topic, transactional_id);
}

static void
fetch_take(struct reading *own)
{
    const struct jdoc *state = jdoc_get(own->request, "replicaState");

    /* A follower's; up to version 14 it stands in the request itself. */
    if (jdoc_get_int(own->request, "replicaId", -1) >= 0 ||
        jdoc_get_int(state, "replicaId", -1) >= 0)
        return;
    topics_each(own, jdoc_get(own->request, "topics"), NULL, fetched);
    topics_each(own, jdoc_get(jdoc_get(own->whole, "response"), "responses"), NULL, answered);
}

static void
share_fetched(struct reading *own, uint32_t topic, const char *transactional_id)
{
    struct audit_contact *contact = contact_of(own, topic);

    (void)transactional_id;
    if (contact != NULL)
        contact->share_fetches++;
}

static void
share_fetch_take(struct reading *own)
{
    topics_each(own, jdoc_get(own->request, "topics"), NULL, share_fetched);
}

static void
committed(struct reading *own, uint32_t topic, const char *transactional_id)
{
    struct audit_contact *contact = contact_of(own, topic);

    if (contact != NULL)
        contact->commits++;
    if (transactional_id != NULL)
        trace_note(own, transactional_id, topic, AUDIT_TRACE_REQUESTED_READ);
}

static void
commit_take(struct reading *own)
{
    topics_each(own, jdoc_get(own->request, "topics"),
        jdoc_get_text(own->request, "transactionalId", NULL), committed);
}

static void
added(struct reading *own, uint32_t topic, const char *transactional_id)
{
    trace_note(own, transactional_id, topic, AUDIT_TRACE_REQUESTED);
}

/* From version 4 on brokers ask so, for clients that only produce (KIP-890). */
static void
add_partitions_take(struct reading *own)
{
    const struct jdoc *several = jdoc_get(own->request, "transactions");
    const char *id = jdoc_get_text(own->request, "v3AndBelowTransactionalId", NULL);

    if (id != NULL)
        topics_each(own, jdoc_get(own->request, "v3AndBelowTopics"), id, added);
    for (size_t i = 0; i < jdoc_count(several); i++) {
        const struct jdoc *one = jdoc_at(several, i);

        id = jdoc_get_text(one, "transactionalId", NULL);
        if (id != NULL)
            topics_each(own, jdoc_get(one, "topics"), id, added);
    }
}

static const struct {
    const char *api;
    void (*take)(struct reading *own);
} apis[] = {
    {"PRODUCE", produce_take},
    {"FETCH", fetch_take},
    {"SHARE_FETCH", share_fetch_take},
    {"OFFSET_COMMIT", commit_take},
    {"TXN_OFFSET_COMMIT", commit_take},
    {"ADD_PARTITIONS_TO_TXN", add_partitions_take},
};

/* --- lines ------------------------------------------------------------------------------------ */

/* The place in `apis` of a line's request, by its text: most lines are of other kinds, and need not
 * be parsed. */
static size_t
api_of(const char *line)
{
    const char *name = strstr(line, NAME_MARK);
    size_t place = 0;

    for (; name != NULL && place < ARRAY_LEN(apis); place++) {
        size_t size = strlen(apis[place].api);

        if (strncmp(name + strlen(NAME_MARK), apis[place].api, size) == 0 &&
            name[strlen(NAME_MARK) + size] == '"')
            return place;
    }
    return ARRAY_LEN(apis);
}

/* Whether a line is of an admin client of Flink's, which is kept whatever it asks for; but with its
 * first request brokers do not know its software yet. */
static bool
is_enumerator(const char *line)
{
    const char *id = strstr(line, CLIENT_MARK);

    id = id == NULL ? "" : id + strlen(CLIENT_MARK);
    return flink_enumerator(id, strcspn(id, "\"")) > 0 &&
           strstr(line, NAME_MARK FIRST_API "\"") == NULL;
}

static void
line_take(struct reading *own, const char *line)
{
    const char *begin = strstr(line, MARK), *end = strrchr(line, '}');
    size_t api = api_of(line);
    struct jdoc *json;
    const char *software;
    struct err e;

    if (begin == NULL)
        return;
    own->requests++;
    if (api == ARRAY_LEN(apis) && !is_enumerator(line))
        return;
    begin += strlen(MARK) - 1;
    if (end == NULL || jdoc_parse(begin, (size_t)(end - begin) + 1, &json, &e) != RC_OK) {
        gap(own, "it is no whole request");
        return;
    }
    arena_reset(&own->arena);
    own->whole = json;
    own->request = jdoc_get(json, "request");
    own->client = INVENTORY_NO_NUMBER;
    own->is_refused = false;
    software = jdoc_get_text(jdoc_get(json, "clientInformation"), "softwareName", "");
    if (strcmp(software, OWN_SOFTWARE) != 0 && api == ARRAY_LEN(apis))
        (void)client_note(own); /* without room for it that leaves a gap */
    else if (strcmp(software, OWN_SOFTWARE) != 0)
        apis[api].take(own);
    jdoc_free(json);
}

static void
line_read(void *arg, uint64_t number, char *text, bool is_whole)
{
    struct reading *own = arg;

    own->line = number;
    if (is_whole)
        line_take(own, text);
    else
        gap(own, "it is too long");
}

static void
ids_gather(struct reading *own)
{
    static const struct wire_uuid none;

    for (uint32_t t = 0; t < own->inventory->topic_count; t++) {
        const struct wire_uuid *id = &own->inventory->topics[t].id;
        char text[CODEC_TREE_UUID_CHARS + 1];

        if (memcmp(id, &none, sizeof none) == 0)
            continue;
        codec_tree_uuid(id, text);
        map_put_text(&own->topics_by_id, text, (void *)((uintptr_t)t + 1));
    }
}

enum rc
request_log_read(struct audit_inventory *inventory, const char *path, struct err *e)
{
    struct reading own = {.inventory = inventory, .path = path};
    FILE *file = fopen(path, "re");
    struct env env;
    enum rc rc = RC_OK;

    if (file == NULL)
        return err_set_errno(e, RC_CONFIG, errno, "%s", path);
    env_init_real(&env);
    map_init(&own.topics_by_id);
    map_init(&own.known);
    arena_init(&own.arena, LINE_ARENA_BYTES);
    ids_gather(&own);
    if (lines_read(file, REQUEST_LOG_LINE_MAX, line_read, &own, e) != RC_OK)
        rc = err_set(e, RC_CONFIG, "%s cannot be read", path);
    else if (own.requests == 0)
        rc = err_set(e, RC_CONFIG,
            "%s holds no request as Kafka 2.8 and later log them: set kafka.request.logger to "
            "DEBUG on the brokers",
            path);
    else if (own.named > 0 && own.found == 0)
        inventory_gap_foreign(inventory, AUDIT_REQUESTS, path);
    inventory->asked_ms[AUDIT_REQUESTS] = env_wall_ms(&env);
    arena_fini(&own.arena);
    map_fini(&own.known, NULL);
    map_fini(&own.topics_by_id, NULL);
    (void)fclose(file);
    return rc == RC_OK ? inventory_check(inventory, e) : rc;
}
