/*
 * DescribeClientQuotas and AlterClientQuotas (KIP-546; ClientQuotaControlManager,
 * ClientQuotasImage).
 *
 * Each entity of an AlterClientQuotas succeeds or fails by itself; what succeeds is one transaction
 * of the catalog. An entity that comes twice is told so, and its first coming counts, as in Kafka;
 * where one names a part twice, the last name counts.
 */
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/alteration.h"
#include "refbroker/api/doubled.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"

/* match_type of a filter */
enum { MATCH_EXACT, MATCH_DEFAULT, MATCH_SPECIFIED };

#define ENTITY_KEY_BYTES_MAX ((size_t)3 * 32770 + 64)

typedef struct km_alter_client_quotas_request_entry_data entry_in;
typedef struct km_alter_client_quotas_response_entry_data entry_out;
typedef struct km_describe_client_quotas_response_entry_data described;

/* --- DescribeClientQuotas --------------------------------------------------------------------- */

struct filter {
    bool used[QUOTA_PART_COUNT];
    bool any[QUOTA_PART_COUNT];
    struct wire_string names[QUOTA_PART_COUNT]; /* size -1: the default */
    int32_t count;
};

static int16_t
filter_refuse(struct err *e, int16_t code, const char *text)
{
    (void)err_set(e, RC_CONFIG, "%s", text);
    return code;
}

/* Adds a component; the error code, and the text in e. */
static int16_t
filter_add(struct filter *filter, const struct km_describe_client_quotas_request_component_data *in,
    struct err *e)
{
    enum quota_part part = quotas_part_find(in->entity_type);

    if (in->entity_type.size == 0)
        return filter_refuse(e, KE_INVALID_REQUEST, "Invalid empty entity type.");
    if (part == QUOTA_PART_COUNT) {
        (void)err_set(e, RC_CONFIG, "Unsupported entity type %.*s", in->entity_type.size,
            in->entity_type.data);
        return KE_UNSUPPORTED_VERSION;
    }
    if (filter->used[part]) {
        (void)err_set(e, RC_CONFIG, "Entity type %s cannot appear more than once in the filter.",
            quotas_part_word(part));
        return KE_INVALID_REQUEST;
    }
    if (in->match_type == MATCH_EXACT && in->match.size < 0)
        return filter_refuse(e, KE_INVALID_REQUEST,
            "Request specified MATCH_TYPE_EXACT, but set match string to null.");
    if (in->match_type == MATCH_DEFAULT && in->match.size >= 0)
        return filter_refuse(e, KE_INVALID_REQUEST,
            "Request specified MATCH_TYPE_DEFAULT, but also specified a match string.");
    if (in->match_type == MATCH_SPECIFIED && in->match.size >= 0)
        return filter_refuse(e, KE_INVALID_REQUEST,
            "Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.");
    if (in->match_type < MATCH_EXACT || in->match_type > MATCH_SPECIFIED) {
        (void)err_set(e, RC_CONFIG, "Unknown match type %d", in->match_type);
        return KE_INVALID_REQUEST;
    }
    filter->used[part] = true;
    filter->any[part] = in->match_type == MATCH_SPECIFIED;
    filter->names[part] = in->match;
    filter->count++;
    return KE_NONE;
}

static bool
same_name(struct wire_string a, struct wire_string b)
{
    return a.size == b.size && (a.size <= 0 || memcmp(a.data, b.data, (size_t)a.size) == 0);
}

static bool
matches(const struct filter *filter, const struct quota_entity *entity, bool strict)
{
    int32_t count = 0;

    for (enum quota_part part = 0; part < QUOTA_PART_COUNT; part++) {
        count += entity->has[part];
        if (filter->used[part] &&
            (!entity->has[part] ||
                (!filter->any[part] && !same_name(filter->names[part], entity->names[part]))))
            return false;
    }
    return !strict || count == filter->count;
}

static bool
quota_describe(struct request *request, const struct quota *quota, described *out)
{
    out->entity.items = codec_array(
        &request->arena, &km_describe_client_quotas_response_entity_data_desc, QUOTA_PART_COUNT);
    out->values.items = codec_array(
        &request->arena, &km_describe_client_quotas_response_value_data_desc, QUOTA_COUNT);
    if (arena_is_full(&request->arena))
        return false;
    for (enum quota_part part = 0; part < QUOTA_PART_COUNT; part++) {
        struct wire_string name = quota->entity.names[part];

        if (!quota->entity.has[part])
            continue;
        if (name.size > 0)
            name.data = arena_dup(&request->arena, name.data, (size_t)name.size);
        out->entity.items[out->entity.count++] =
            (struct km_describe_client_quotas_response_entity_data){
                request_text(quotas_part_word(part)), name};
    }
    for (enum quota_name name = 0; name < QUOTA_COUNT; name++)
        if (quota->set[name])
            out->values.items[out->values.count++] =
                (struct km_describe_client_quotas_response_value_data){
                    request_text(quotas_name_text(name)), quota->values[name]};
    return !arena_is_full(&request->arena);
}

enum h_result
h_describe_client_quotas(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_describe_client_quotas_request *in = in_;
    struct km_describe_client_quotas_response *out = out_;
    struct filter filter = {.count = 0};
    const struct quota *quota;
    size_t position = 0;
    struct err e;

    for (int32_t i = 0; i < in->components.count && out->error_code == KE_NONE; i++)
        out->error_code = filter_add(&filter, &in->components.items[i], &e);
    if (out->error_code == KE_NONE && filter.used[QUOTA_PART_IP] && filter.count > 1)
        out->error_code = filter_refuse(&e, KE_INVALID_REQUEST,
            "Invalid entity filter component combination. IP filter component should not be used "
            "with user or clientId filter component.");
    if (out->error_code != KE_NONE) {
        out->error_message = request_text_dup(request, e.text);
        out->entries.count = -1;
        return H_DONE;
    }
    out->error_message = request_text("");
    out->entries.items =
        codec_array(&request->arena, &km_describe_client_quotas_response_entry_data_desc,
            (int32_t)map_count(&broker->quotas.by_entity));
    if (out->entries.items == NULL)
        return H_CLOSE;
    out->entries.count = 0;
    while ((quota = quotas_next(&broker->quotas, &position)) != NULL)
        if (matches(&filter, &quota->entity, in->strict) &&
            !quota_describe(request, quota, &out->entries.items[out->entries.count++]))
            return H_CLOSE;
    return H_DONE;
}

/* --- AlterClientQuotas ------------------------------------------------------------------------ */

struct change {
    uint8_t *key;
    size_t key_size;
    enum quota_name name;
    double value;
    bool remove;
};

struct quota_alteration {
    struct alteration alteration; /* first */
    struct change *changes;
    size_t count;
};

/* The entity that an entry names. A part that is none is refused here. */
static enum rc
entity_read(const entry_in *in, struct quota_entity *entity, struct err *e)
{
    memset(entity, 0, sizeof *entity);
    for (int32_t i = 0; i < in->entity.count; i++) {
        const struct km_alter_client_quotas_request_entity_data *item = &in->entity.items[i];
        enum quota_part part = quotas_part_find(item->entity_type);

        if (part == QUOTA_PART_COUNT)
            return err_set(e, RC_CONFIG, "Unhandled client quota entity type: %.*s",
                item->entity_type.size, item->entity_type.data);
        entity->has[part] = true;
        entity->names[part] = item->entity_name;
    }
    return quotas_entity_check(entity, e);
}

/* The entity as Java prints it. */
static const char *
entity_text(struct request *request, const struct quota_entity *entity)
{
    const char *text = "";

    for (enum quota_part part = 0; part < QUOTA_PART_COUNT; part++) {
        struct wire_string name = entity->names[part];

        if (entity->has[part])
            text = arena_printf(&request->arena, "%s%s%s=%.*s", text == NULL ? "" : text,
                text == NULL || *text == '\0' ? "" : ", ", quotas_part_word(part),
                name.size < 0 ? 4 : name.size, name.size < 0 ? "null" : name.data);
    }
    return arena_printf(&request->arena, "ClientQuotaEntity(entries={%s})", text);
}

static void
changes_drop(struct quota_alteration *job, size_t from)
{
    while (job->count > from)
        free(job->changes[--job->count].key);
}

/* Appends what an entry changes; a refused one changes nothing. RC_EXISTS where the entity came
 * before: *result is then the answer to that. */
static enum rc
entry_read(struct quota_alteration *job, const entry_in *in, struct map *seen, entry_out **result,
    struct err *e)
{
    entry_out *first;
    size_t before = job->count;
    struct quota_entity entity;
    struct buf key;
    enum rc rc = entity_read(in, &entity, e);

    if (rc != RC_OK)
        return rc;
    buf_init(&key, ENTITY_KEY_BYTES_MAX);
    quotas_entity_key(&entity, &key);
    first = map_get(seen, key.data, key.size);
    if (first != NULL)
        *result = first;
    else
        (void)map_put(seen, key.data, key.size, *result);
    if (first != NULL || doubled_any(in->ops.items, sizeof in->ops.items[0], in->ops.count))
        rc = err_set(e, RC_EXISTS, "Ignoring duplicate entity %s",
            entity_text(job->alteration.request, &entity));
    if (rc == RC_OK && quotas_find(&job->alteration.broker->quotas, &entity) == NULL &&
        map_count(&job->alteration.broker->quotas.by_entity) + job->count >= QUOTAS_ENTITIES_MAX)
        rc = err_set(e, RC_LIMIT, "%d entities have quotas already", QUOTAS_ENTITIES_MAX);
    for (int32_t i = 0; i < in->ops.count && rc == RC_OK; i++) {
        const struct km_alter_client_quotas_request_op_data *op = &in->ops.items[i];
        enum quota_name name = quotas_name_find(op->key);

        if (!op->remove)
            rc = quotas_value_check(&entity, op->key, op->value, e);
        if (rc != RC_OK || name == QUOTA_COUNT)
            continue;
        job->changes[job->count++] =
            (struct change){xmemdup(key.data, key.size), key.size, name, op->value, op->remove};
    }
    if (rc != RC_OK)
        changes_drop(job, before);
    buf_fini(&key);
    return rc;
}

/* The names of the answer: as they were asked, each part once. */
static bool
entity_echo(struct request *request, const entry_in *in, entry_out *out)
{
    out->entity.items = codec_array(
        &request->arena, &km_alter_client_quotas_response_entity_data_desc, in->entity.count);
    if (out->entity.items == NULL)
        return false;
    for (int32_t i = 0; i < in->entity.count; i++) {
        int32_t place = 0;

        while (place < out->entity.count &&
               !same_name(out->entity.items[place].entity_type, in->entity.items[i].entity_type))
            place++;
        /* As many as there are kinds, and those that are none: nobody has more to say. */
        if (place > QUOTA_PART_COUNT)
            continue;
        out->entity.items[place].entity_type = in->entity.items[i].entity_type;
        out->entity.items[place].entity_name = in->entity.items[i].entity_name;
        if (place == out->entity.count)
            out->entity.count++;
    }
    return true;
}

static enum rc
changes_write(struct catalog *catalog, const struct alteration *alteration, struct err *e)
{
    const struct quota_alteration *job = (const void *)alteration;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < job->count && rc == RC_OK; i++) {
        const struct change *change = &job->changes[i];

        rc = change->remove
                 ? catalog_delete_quota(catalog, change->key, change->key_size, change->name, e)
                 : catalog_put_quota(
                       catalog, change->key, change->key_size, change->name, change->value, e);
    }
    return rc;
}

static enum rc
changes_take_effect(const struct alteration *alteration, struct err *e)
{
    const struct quota_alteration *job = (const void *)alteration;
    struct quotas *quotas = &alteration->broker->quotas;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < job->count && rc == RC_OK; i++) {
        const struct change *change = &job->changes[i];

        if (change->remove)
            quotas_remove(quotas, change->key, change->key_size, change->name);
        else
            rc = quotas_set(quotas, change->key, change->key_size, change->name, change->value, e);
    }
    return rc;
}

static void
complain(const struct err *e)
{
    log_error("QUOTAS", "%s", e->text);
}

static void
answer_fail(const struct alteration *alteration, void *out_)
{
    struct km_alter_client_quotas_response *out = out_;

    (void)alteration;
    for (int32_t i = 0; i < out->entries.count; i++)
        if (out->entries.items[i].error_code == KE_NONE)
            out->entries.items[i].error_code = KE_KAFKA_STORAGE_ERROR;
}

static void
alteration_free(struct alteration *alteration)
{
    struct quota_alteration *job = (void *)alteration;

    changes_drop(job, 0);
    free(job->changes);
    free(job);
}

static const struct alteration_kind kind = {
    changes_write, changes_take_effect, complain, answer_fail, alteration_free};

/* Reads all entries; an entity that comes again has one answer, which says so. False: no memory. */
static bool
entries_read(struct quota_alteration *job, const struct km_alter_client_quotas_request *in,
    struct km_alter_client_quotas_response *out)
{
    struct map seen;
    bool ok = true;
    struct err e;

    map_init(&seen);
    for (int32_t i = 0; i < in->entries.count && ok; i++) {
        entry_out *result = &out->entries.items[out->entries.count];
        enum rc rc = entry_read(job, &in->entries.items[i], &seen, &result, &e);

        if (result == &out->entries.items[out->entries.count]) {
            ok = entity_echo(job->alteration.request, &in->entries.items[i], result);
            out->entries.count++;
        }
        result->error_message = request_text(NULL);
        if (rc != RC_OK) {
            result->error_code = KE_INVALID_REQUEST;
            result->error_message = request_text_dup(job->alteration.request, e.text);
        }
    }
    map_fini(&seen, NULL);
    return ok && !arena_is_full(&job->alteration.request->arena);
}

enum h_result
h_alter_client_quotas(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_alter_client_quotas_request *in = in_;
    struct km_alter_client_quotas_response *out = out_;
    struct quota_alteration *job = xcalloc(1, sizeof *job);
    size_t count = 0;
    bool ok;

    for (int32_t i = 0; i < in->entries.count; i++)
        count += (size_t)in->entries.items[i].ops.count;
    alteration_init(&job->alteration, &kind, broker, request);
    job->changes = xcalloc(count, sizeof *job->changes);
    out->entries.items = codec_array(
        &request->arena, &km_alter_client_quotas_response_entry_data_desc, in->entries.count);
    ok = out->entries.items != NULL && entries_read(job, in, out);
    return alteration_end(&job->alteration, ok && !in->validate_only && job->count > 0);
}
