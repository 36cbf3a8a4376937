#include "refbroker/coord/streams_topology.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/java_hash.h"
#include "refbroker/limits.h"
#include "refbroker/meta/topics.h"
#include "refbroker/request.h"

typedef struct km_streams_group_heartbeat_request_topology topology_in;
typedef struct km_streams_group_heartbeat_request_subtopology subtopology_in;
typedef struct km_streams_group_topology_value_subtopology subtopology;
typedef struct km_streams_group_topology_value_topic_info topic_info;

/* What decoding may need for a record at the limit: a config takes 64 bytes where the record has
 * three, and nothing else grows more. */
#define MEMORY_BYTES_MAX (LIMIT_STREAMS_TOPOLOGY_BYTES_MAX * 24)

/* A heartbeat's topology has the fields of the record in its order, so that the one is read as the
 * other. */
static const struct wire_message topology_message = {
    .name = "streams_group_heartbeat_request_topology",
    .body = &km_streams_group_heartbeat_request_topology_desc,
    .kind = WIRE_DATA,
    .key = -1,
};

static int16_t
refuse(struct err *e, int16_t code, const char *text)
{
    err_set(e, RC_CONFIG, "%s", text);
    return code;
}

/* --- checks of a heartbeat -----------------------------------------------------------------------
 */

struct names {
    struct map seen;
    struct wire_string *items;
    size_t count;
};

static void
name_add(struct names *names, struct wire_string name)
{
    if (map_put(&names->seen, name.data, (size_t)name.size, names) == NULL)
        names->items[names->count++] = name;
}

static void
names_collect(struct names *names, const subtopology_in *in)
{
    for (int32_t i = 0; i < in->source_topics.count; i++)
        name_add(names, in->source_topics.items[i]);
    for (int32_t i = 0; i < in->repartition_sink_topics.count; i++)
        name_add(names, in->repartition_sink_topics.items[i]);
    for (int32_t i = 0; i < in->repartition_source_topics.count; i++)
        name_add(names, in->repartition_source_topics.items[i].name);
    for (int32_t i = 0; i < in->state_changelog_topics.count; i++)
        name_add(names, in->state_changelog_topics.items[i].name);
}

static size_t
names_count(const subtopology_in *in)
{
    return (size_t)in->source_topics.count + (size_t)in->repartition_sink_topics.count +
           (size_t)in->repartition_source_topics.count + (size_t)in->state_changelog_topics.count;
}

/* Our own: sizes, and ids that cannot be C strings. */
static int16_t
limits_check(const topology_in *in, size_t *names, struct err *e)
{
    *names = 0;
    if (in->subtopologies.count > LIMIT_STREAMS_SUBTOPOLOGIES_MAX) {
        err_set(e, RC_LIMIT, "The topology has more than %d subtopologies.",
            LIMIT_STREAMS_SUBTOPOLOGIES_MAX);
        return KE_STREAMS_INVALID_TOPOLOGY;
    }
    for (int32_t i = 0; i < in->subtopologies.count; i++) {
        if (!request_is_plain(in->subtopologies.items[i].subtopology_id))
            return refuse(e, KE_INVALID_REQUEST, "Ids can't hold zero bytes.");
        *names += names_count(&in->subtopologies.items[i]);
    }
    if (*names > LIMIT_STREAMS_TOPICS_MAX) {
        err_set(e, RC_LIMIT, "The topology names more than %d topics.", LIMIT_STREAMS_TOPICS_MAX);
        return KE_STREAMS_INVALID_TOPOLOGY;
    }
    return KE_NONE;
}

static bool
name_is_internal(struct wire_string name)
{
    char text[LIMIT_TOPIC_NAME_BYTES_MAX + 1];

    if (name.size > LIMIT_TOPIC_NAME_BYTES_MAX)
        return false;
    memcpy(text, name.data, (size_t)name.size);
    text[name.size] = '\0';
    return request_is_plain(name) && topics_is_internal(text);
}

static bool
name_is_invalid(struct wire_string name)
{
    return topics_name_check(name.data, (size_t)name.size) != NULL;
}

/* Refuses all names of one kind at once. */
static int16_t
kind_refuse(const struct names *names, bool (*is_kind)(struct wire_string name), const char *before,
    const char *behind, struct err *e)
{
    struct buf text;
    int16_t error = KE_NONE;

    buf_init(&text, ERR_TEXT_MAX);
    buf_append_text(&text, before);
    for (size_t i = 0; i < names->count; i++) {
        const struct wire_string *name = &names->items[i];

        if (!is_kind(*name))
            continue;
        buf_printf(&text, "%s%.*s", error == KE_NONE ? "" : ",", (int)name->size, name->data);
        error = KE_STREAMS_INVALID_TOPOLOGY;
    }
    if (error != KE_NONE)
        err_set(e, RC_CONFIG, "%s%s", buf_text(&text), behind);
    buf_fini(&text);
    return error;
}

int16_t
streams_topology_check_names(const topology_in *in, struct arena *arena,
    struct wire_string **names_out, size_t *count, struct err *e)
{
    struct names names = {.count = 0};
    size_t most;
    int16_t error = limits_check(in, &most, e);

    *count = 0;
    if (error != KE_NONE)
        return error;
    names.items = arena_array(arena, most + 1, sizeof *names.items);
    if (names.items == NULL)
        return refuse(e, KE_STREAMS_INVALID_TOPOLOGY, "The topology is too large.");
    map_init(&names.seen);
    for (int32_t i = 0; i < in->subtopologies.count; i++)
        names_collect(&names, &in->subtopologies.items[i]);
    map_fini(&names.seen, NULL);
    *names_out = names.items;
    *count = names.count;
    error = kind_refuse(&names, name_is_internal, "Use of Kafka internal topics ",
        " in a Kafka Streams topology is prohibited.", e);
    if (error == KE_NONE)
        error =
            kind_refuse(&names, name_is_invalid, "Topic names ", " are not valid topic names.", e);
    return error;
}

int16_t
streams_topology_check_features(const topology_in *in, struct err *e)
{
    for (int32_t i = 0; i < in->subtopologies.count; i++)
        if (in->subtopologies.items[i].source_topic_regex.count > 0)
            return refuse(e, KE_INVALID_REQUEST,
                "Regular expressions for source topics are not supported yet.");
    return KE_NONE;
}

int16_t
streams_topology_check(const topology_in *in, struct err *e)
{
    for (int32_t i = 0; i < in->subtopologies.count; i++) {
        const subtopology_in *at = &in->subtopologies.items[i];

        for (int32_t k = 0; k < at->state_changelog_topics.count; k++) {
            const struct km_streams_group_heartbeat_request_topic_info *info =
                &at->state_changelog_topics.items[k];

            if (info->partitions == 0)
                continue;
            err_set(e, RC_CONFIG,
                "Changelog topic %.*s must have an undefined partition count, but it is set to "
                "%d.",
                (int)info->name.size, info->name.data, info->partitions);
            return KE_STREAMS_INVALID_TOPOLOGY;
        }
    }
    return KE_NONE;
}

/* --- a copy --------------------------------------------------------------------------------------
 */

static void
text_own(struct arena *arena, struct wire_string *text)
{
    text->data = arena_dup(arena, text->data, (size_t)text->size);
}

static void
texts_own(struct arena *arena, struct wire_string *texts, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        text_own(arena, &texts[i]);
}

static void
infos_own(struct arena *arena, topic_info *infos, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        text_own(arena, &infos[i].name);
        for (int32_t k = 0; k < infos[i].topic_configs.count; k++) {
            text_own(arena, &infos[i].topic_configs.items[k].key);
            text_own(arena, &infos[i].topic_configs.items[k].value);
        }
    }
}

static void
subtopology_own(struct arena *arena, subtopology *s)
{
    text_own(arena, &s->subtopology_id);
    texts_own(arena, s->source_topics.items, s->source_topics.count);
    texts_own(arena, s->source_topic_regex.items, s->source_topic_regex.count);
    texts_own(arena, s->repartition_sink_topics.items, s->repartition_sink_topics.count);
    infos_own(arena, s->repartition_source_topics.items, s->repartition_source_topics.count);
    infos_own(arena, s->state_changelog_topics.items, s->state_changelog_topics.count);
}

static int
compare_id(const void *a, const void *b)
{
    const subtopology *x = *(const subtopology *const *)a, *y = *(const subtopology *const *)b;

    return strcmp(x->subtopology_id.data, y->subtopology_id.data);
}

static void
table_make(struct streams_topology *topology)
{
    size_t count = (size_t)topology->value.subtopologies.count;
    struct java_hash_entry *entries = xcalloc(count + 1, sizeof *entries);

    for (size_t i = 0; i < count; i++)
        entries[i] = (struct java_hash_entry){
            .hash = java_hash_text(topology->value.subtopologies.items[i].subtopology_id.data),
            .at = i};
    java_hash_sort(entries, count, java_hash_capacity(JAVA_HASH_CAPACITY, count));
    for (size_t i = 0; i < count; i++)
        topology->by_table[i] = &topology->value.subtopologies.items[entries[i].at];
    free(entries);
}

static void
required_add(struct streams_topology *topology, struct wire_string name)
{
    (void)map_put(&topology->required, name.data, (size_t)name.size, topology);
}

static void
required_collect(struct streams_topology *topology, const subtopology *s)
{
    for (int32_t i = 0; i < s->source_topics.count; i++)
        required_add(topology, s->source_topics.items[i]);
    for (int32_t i = 0; i < s->repartition_source_topics.count; i++)
        required_add(topology, s->repartition_source_topics.items[i].name);
    for (int32_t i = 0; i < s->state_changelog_topics.count; i++)
        required_add(topology, s->state_changelog_topics.items[i].name);
}

/* Everything beside the value itself; false where an id is there twice. */
static bool
tables_make(struct streams_topology *topology)
{
    int32_t count = topology->value.subtopologies.count;

    topology->by_id = xcalloc((size_t)count + 1, sizeof(const subtopology *));
    topology->by_table = xcalloc((size_t)count + 1, sizeof(const subtopology *));
    for (int32_t i = 0; i < count; i++)
        topology->by_id[i] = &topology->value.subtopologies.items[i];
    qsort(topology->by_id, (size_t)count, sizeof(const subtopology *), compare_id);
    for (int32_t i = 1; i < count; i++)
        if (compare_id(&topology->by_id[i - 1], &topology->by_id[i]) == 0)
            return false;
    table_make(topology);
    for (int32_t i = 0; i < count; i++)
        required_collect(topology, topology->by_table[i]);
    return true;
}

/* Encodes what is given and reads it as a record's value. */
static enum rc
value_copy(struct streams_topology *topology, const struct wire_message *message, const void *in,
    struct err *e)
{
    struct buf bytes;
    enum rc rc;

    buf_init(&bytes, LIMIT_STREAMS_TOPOLOGY_BYTES_MAX);
    rc = codec_encode(message, 0, in, &bytes, e);
    if (rc == RC_OK)
        rc = codec_decode(&km_streams_group_topology_value_message, 0, bytes.data, bytes.size,
            &topology->memory, &topology->value, NULL, e);
    for (int32_t i = 0; rc == RC_OK && i < topology->value.subtopologies.count; i++)
        subtopology_own(&topology->memory, &topology->value.subtopologies.items[i]);
    buf_fini(&bytes);
    if (rc == RC_OK && arena_is_full(&topology->memory))
        rc = err_set(e, RC_LIMIT, "the topology takes more than %zu bytes", MEMORY_BYTES_MAX);
    return rc;
}

static struct streams_topology *
topology_make(const struct wire_message *message, const void *in, int16_t *error, struct err *e)
{
    struct streams_topology *topology = xcalloc(1, sizeof *topology);

    *error = KE_NONE;
    arena_init(&topology->memory, MEMORY_BYTES_MAX);
    map_init(&topology->required);
    if (value_copy(topology, message, in, NULL) != RC_OK)
        *error = refuse(e, KE_STREAMS_INVALID_TOPOLOGY, "The topology is too large.");
    else if (topology->value.epoch < 0 || !tables_make(topology))
        *error = refuse(e, KE_UNKNOWN_SERVER_ERROR, "");
    if (*error == KE_NONE)
        return topology;
    streams_topology_free(topology);
    return NULL;
}

struct streams_topology *
streams_topology_of_request(const topology_in *in, int16_t *error, struct err *e)
{
    size_t names;

    *error = limits_check(in, &names, e);
    return *error == KE_NONE ? topology_make(&topology_message, in, error, e) : NULL;
}

struct streams_topology *
streams_topology_of_record(
    const struct km_streams_group_topology_value *in, int16_t *error, struct err *e)
{
    return topology_make(&km_streams_group_topology_value_message, in, error, e);
}

void
streams_topology_free(struct streams_topology *topology)
{
    if (topology == NULL)
        return;
    free(topology->by_id);
    free(topology->by_table);
    map_fini(&topology->required, NULL);
    arena_fini(&topology->memory);
    free(topology);
}

/* --- two topologies ------------------------------------------------------------------------------
 */

/* The subtopologies by id, as a record has them. */
static void
bytes_make(const struct streams_topology *topology, struct buf *bytes)
{
    struct km_streams_group_topology_value value = topology->value;
    int32_t count = value.subtopologies.count;

    value.subtopologies.items = xcalloc((size_t)count + 1, sizeof *value.subtopologies.items);
    for (int32_t i = 0; i < count; i++)
        value.subtopologies.items[i] = *topology->by_id[i];
    buf_init(bytes, LIMIT_STREAMS_TOPOLOGY_BYTES_MAX);
    REQUIRE(
        codec_encode(&km_streams_group_topology_value_message, 0, &value, bytes, NULL) == RC_OK);
    free(value.subtopologies.items);
}

bool
streams_topology_equal(const struct streams_topology *a, const struct streams_topology *b)
{
    struct buf x, y;
    bool equal;

    if (a->value.epoch != b->value.epoch ||
        a->value.subtopologies.count != b->value.subtopologies.count)
        return false;
    bytes_make(a, &x);
    bytes_make(b, &y);
    equal = x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
    buf_fini(&x);
    buf_fini(&y);
    return equal;
}

int32_t
streams_topology_find(const struct streams_topology *topology, struct wire_string subtopology_id)
{
    int32_t low = 0, high = topology->value.subtopologies.count;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        struct wire_string id = topology->by_id[middle]->subtopology_id;
        size_t size = (size_t)(id.size < subtopology_id.size ? id.size : subtopology_id.size);
        int order = memcmp(id.data, subtopology_id.data, size);

        if (order == 0)
            order = (id.size > subtopology_id.size) - (id.size < subtopology_id.size);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}
