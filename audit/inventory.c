#include "audit/inventory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/saturate.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"

#define TEXT_MAX 512

void
inventory_init(struct audit_inventory *inventory)
{
    memset(inventory, 0, sizeof *inventory);
    arena_init(&inventory->arena, INVENTORY_BYTES_MAX);
    map_init(&inventory->topics_by_name);
    map_init(&inventory->groups_by_id);
    map_init(&inventory->transactional_id_places);
    map_init(&inventory->producer_places);
    map_init(&inventory->client_places);
    map_init(&inventory->contact_places);
}

void
inventory_fini(struct audit_inventory *inventory)
{
    free(inventory->topics);
    free(inventory->partitions);
    free(inventory->groups);
    free(inventory->transactional_ids);
    free(inventory->clients);
    free(inventory->principals);
    map_fini(&inventory->topics_by_name, NULL);
    map_fini(&inventory->groups_by_id, NULL);
    map_fini(&inventory->transactional_id_places, NULL);
    map_fini(&inventory->producer_places, NULL);
    map_fini(&inventory->client_places, NULL);
    map_fini(&inventory->contact_places, NULL);
    arena_fini(&inventory->arena);
}

enum rc
inventory_check(const struct audit_inventory *inventory, struct err *e)
{
    if (arena_is_full(&inventory->arena))
        return err_set(e, RC_LIMIT, "the cluster is too large for an audit: more than %zu MiB",
            INVENTORY_BYTES_MAX >> 20);
    return RC_OK;
}

enum rc
inventory_is_of_cluster(
    const struct audit_inventory *inventory, const struct audit_inventory *before, struct err *e)
{
    const char *now = inventory->cluster_id == NULL ? "" : inventory->cluster_id;
    const char *then = before->cluster_id == NULL ? "" : before->cluster_id;

    if (strcmp(now, then) == 0)
        return RC_OK;
    return err_set(e, RC_CONFLICT, "it is of another cluster: %s, and this one is %s", then, now);
}

const char *
inventory_text(struct audit_inventory *inventory, const char *data, int32_t size)
{
    const char *copy = size <= 0 ? NULL : arena_dup(&inventory->arena, data, (size_t)size);

    return copy == NULL ? "" : copy;
}

const char *
inventory_printf(struct audit_inventory *inventory, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    return inventory_text(inventory, text, (int32_t)strlen(text));
}

/* Arrays grow by doubling: when the count is a power of two, the room is used up. */
static void *
grown(void *items, uint32_t count, size_t size)
{
    if (count == 0)
        return xrealloc(items, 1, size);
    return (count & (count - 1)) == 0 ? xrealloc(items, (size_t)count * 2, size) : items;
}

struct audit_topic *
inventory_add_topic(struct audit_inventory *inventory, const char *name, int32_t partition_count)
{
    struct audit_topic *topic;

    inventory->topics = grown(inventory->topics, inventory->topic_count, sizeof *topic);
    topic = &inventory->topics[inventory->topic_count];
    memset(topic, 0, sizeof *topic);
    topic->name = inventory_text(inventory, name, (int32_t)strlen(name));
    topic->partition_count = partition_count;
    topic->first = inventory->partition_count;
    topic->bytes = -1;
    topic->last_ms = -1;
    topic->last_sequence = -1;
    topic->sample.newest_ms = -1;
    topic->traffic = (struct audit_traffic){-1, -1, -1, 0};
    for (int32_t i = 0; i < partition_count; i++) {
        inventory->partitions =
            grown(inventory->partitions, inventory->partition_count, sizeof *inventory->partitions);
        inventory->partitions[inventory->partition_count++] =
            (struct audit_partition){inventory->topic_count, i, -1, -1, -1, -1, -1, false};
    }
    inventory->topic_count++;
    map_put_text(
        &inventory->topics_by_name, topic->name, (void *)(uintptr_t)inventory->topic_count);
    return topic;
}

struct audit_group *
inventory_add_group(
    struct audit_inventory *inventory, struct wire_string id, enum audit_group_type type)
{
    uint32_t place = inventory_group(inventory, id);
    struct audit_group *group;

    if (place != INVENTORY_NO_NUMBER)
        return &inventory->groups[place];
    inventory->groups = grown(inventory->groups, inventory->group_count, sizeof *group);
    group = &inventory->groups[inventory->group_count++];
    *group = (struct audit_group){.id = inventory_text(inventory, id.data, id.size),
        .type = type,
        .state = "",
        .protocol_type = ""};
    map_put_text(&inventory->groups_by_id, group->id, (void *)(uintptr_t)inventory->group_count);
    return group;
}

void
inventory_add_transactional_id(struct audit_inventory *inventory, struct wire_string id)
{
    uint32_t count = inventory->transactional_id_count;
    const char *text;

    if (inventory_transactional_id(inventory, id) != INVENTORY_NO_NUMBER)
        return;
    inventory->transactional_ids =
        grown(inventory->transactional_ids, count, sizeof *inventory->transactional_ids);
    text = inventory_text(inventory, id.data, id.size);
    inventory->transactional_ids[count] = text;
    inventory->transactional_id_count = count + 1;
    map_put_text(
        &inventory->transactional_id_places, text, (void *)(uintptr_t)(uint32_t)(count + 1));
}

void
inventory_add_footprint(
    struct audit_inventory *inventory, uint32_t id, uint32_t topic, enum audit_trace trace)
{
    struct audit_footprint *footprint = arena_alloc(&inventory->arena, sizeof *footprint);
    struct audit_traces *traces = &inventory->topics[topic].traces[trace];

    if (traces->ids++ == 0)
        traces->first = inventory->transactional_ids[id];
    if (footprint == NULL)
        return;
    *footprint = (struct audit_footprint){
        inventory->transactional_ids[id], topic, trace, inventory->footprints};
    inventory->footprints = footprint;
}

static uint32_t
place_of(const struct map *map, struct wire_string name)
{
    uintptr_t place = name.size < 0 ? 0 : (uintptr_t)map_get(map, name.data, (size_t)name.size);

    return place == 0 ? INVENTORY_NO_NUMBER : (uint32_t)place - 1;
}

uint32_t
inventory_topic(const struct audit_inventory *inventory, struct wire_string name)
{
    return place_of(&inventory->topics_by_name, name);
}

uint32_t
inventory_group(const struct audit_inventory *inventory, struct wire_string id)
{
    return place_of(&inventory->groups_by_id, id);
}

uint32_t
inventory_transactional_id(const struct audit_inventory *inventory, struct wire_string id)
{
    return place_of(&inventory->transactional_id_places, id);
}

void
inventory_note_producer(
    struct audit_inventory *inventory, struct wire_string id, int64_t producer_id)
{
    uint32_t number = inventory_transactional_id(inventory, id);

    if (number != INVENTORY_NO_NUMBER)
        map_put(&inventory->producer_places, &producer_id, sizeof producer_id,
            (void *)((uintptr_t)number + 1));
}

uint32_t
inventory_producer(const struct audit_inventory *inventory, int64_t producer_id)
{
    uintptr_t place =
        (uintptr_t)map_get(&inventory->producer_places, &producer_id, sizeof producer_id);

    return place == 0 ? INVENTORY_NO_NUMBER : (uint32_t)place - 1;
}

uint32_t
inventory_partition(const struct audit_inventory *inventory, uint32_t topic, int32_t partition)
{
    if (topic == INVENTORY_NO_NUMBER || partition < 0 ||
        partition >= inventory->topics[topic].partition_count)
        return INVENTORY_NO_NUMBER;
    return inventory->topics[topic].first + (uint32_t)partition;
}

struct audit_use *
inventory_use(struct audit_inventory *inventory, uint32_t group, struct wire_string name,
    bool commits, bool members)
{
    uint32_t place = inventory_topic(inventory, name);
    struct audit_topic *topic;
    struct audit_use *use;

    if (place == INVENTORY_NO_NUMBER)
        return NULL;
    topic = &inventory->topics[place];
    for (use = topic->uses; use != NULL && use->group != group; use = use->next)
        ;
    if (use == NULL) {
        use = arena_alloc(&inventory->arena, sizeof *use);
        if (use == NULL)
            return NULL;
        *use = (struct audit_use){.group = group, .next = topic->uses};
        topic->uses = use;
        topic->use_count++;
    }
    use->commits |= commits;
    use->members |= members;
    return use;
}

static const char *
text_kept(struct audit_inventory *inventory, const char *text)
{
    return inventory_text(inventory, text, (int32_t)strlen(text));
}

uint32_t
inventory_add_client(struct audit_inventory *inventory, const struct audit_client *client)
{
    struct arena_mark mark = arena_mark(&inventory->arena);
    uint32_t count = inventory->client_count;
    /* Sizes before texts: no two clients give the same key. */
    const char *key = arena_printf(&inventory->arena, "%zu %zu %zu %s%s%s%s", strlen(client->id),
        strlen(client->principal), strlen(client->software), client->id, client->principal,
        client->software, client->version);
    uintptr_t place =
        key == NULL ? 0 : (uintptr_t)map_get(&inventory->client_places, key, strlen(key));

    if (place == 0 && key != NULL && count < INVENTORY_CLIENTS_MAX) {
        place = (uintptr_t)count + 1;
        map_put(&inventory->client_places, key, strlen(key), (void *)place);
    }
    arena_rewind(&inventory->arena, mark);
    if (place != (uintptr_t)count + 1)
        return place == 0 ? INVENTORY_NO_NUMBER : (uint32_t)place - 1;
    inventory->clients = grown(inventory->clients, count, sizeof *inventory->clients);
    inventory->clients[count] = (struct audit_client){text_kept(inventory, client->id),
        text_kept(inventory, client->principal), text_kept(inventory, client->software),
        text_kept(inventory, client->version)};
    return inventory->client_count++;
}

struct audit_contact *
inventory_contact(struct audit_inventory *inventory, uint32_t topic, uint32_t client)
{
    const uint32_t key[] = {topic, client};
    struct audit_contact *contact = map_get(&inventory->contact_places, key, sizeof key);
    struct audit_topic *of = &inventory->topics[topic];

    if (contact != NULL)
        return contact;
    contact = arena_alloc(&inventory->arena, sizeof *contact);
    if (contact == NULL)
        return NULL;
    *contact = (struct audit_contact){.client = client, .next = of->contacts};
    of->contacts = contact;
    of->contact_count++;
    map_put(&inventory->contact_places, key, sizeof key, contact);
    return contact;
}

uint32_t
inventory_add_principal(
    struct audit_inventory *inventory, const char *name, const char *transactional_ids)
{
    uint32_t count = inventory->principal_count;

    inventory->principals = grown(inventory->principals, count, sizeof *inventory->principals);
    inventory->principals[count] = (struct audit_principal){name, transactional_ids};
    return inventory->principal_count++;
}

void
inventory_add_grant(
    struct audit_inventory *inventory, uint32_t topic, const struct audit_grant *grant)
{
    struct audit_topic *of = &inventory->topics[topic];
    struct audit_grant *copy = arena_alloc(&inventory->arena, sizeof *copy);

    if (copy == NULL)
        return;
    *copy = *grant;
    copy->next = of->grants;
    of->grants = copy;
    of->grant_count++;
}

void
inventory_gap(struct audit_inventory *inventory, uint32_t topic, enum audit_probe probe,
    const char *subject, enum rc rc, int16_t code, const struct err *e)
{
    struct audit_gap *gap = topic == INVENTORY_NO_NUMBER ? &inventory->gaps[probe]
                                                         : &inventory->topics[topic].gaps[probe];
    const char *before = subject == NULL ? "" : subject, *between = subject == NULL ? "" : ": ";
    bool unsupported = rc == RC_UNSUPPORTED || (rc == RC_REMOTE && code == KE_UNSUPPORTED_VERSION);

    gap->failures++;
    /* A refusal says more than a missing API, and must not be taken for one. */
    if (gap->why != NULL && (unsupported || !gap->unsupported))
        return;
    gap->unsupported = unsupported;
    if (rc == RC_REMOTE)
        gap->why = inventory_printf(inventory, "%s%s%d %s", before, between, code, kerr_name(code));
    else
        gap->why = inventory_printf(
            inventory, "%s%s%s", before, between, e == NULL ? err_text(rc) : e->text);
}

void
inventory_gap_foreign(struct audit_inventory *inventory, enum audit_probe probe, const char *path)
{
    struct err e;

    inventory_gap(inventory, INVENTORY_NO_NUMBER, probe, path,
        err_set(&e, RC_CONFIG, "no topic in it is one of those audited: is it of another cluster?"),
        0, &e);
}

const struct audit_gap *
inventory_gap_of(const struct audit_inventory *inventory, const struct audit_topic *topic,
    enum audit_probe probe)
{
    const struct audit_gap *own = &topic->gaps[probe], *all = &inventory->gaps[probe];

    if (own->why != NULL && (!own->unsupported || all->why == NULL))
        return own;
    return all->why == NULL ? NULL : all;
}

static int
by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

struct inventory_run *
inventory_runs(const struct audit_inventory *inventory, const uint32_t *items, size_t count,
    struct arena *arena, size_t *run_count)
{
    uint32_t *numbers = arena_dup(arena, items, count * sizeof *items);
    struct inventory_run *runs = arena_array(arena, count, sizeof *runs);
    size_t used = 0;

    *run_count = 0;
    if (numbers == NULL || runs == NULL)
        return NULL;
    /* Numbers of one topic follow each other; most often they do so already. */
    for (size_t i = 1; i < count; i++)
        if (numbers[i] < numbers[i - 1]) {
            qsort(numbers, count, sizeof *numbers, by_number);
            break;
        }
    for (size_t i = 0; i < count; i++) {
        uint32_t topic = inventory->partitions[numbers[i]].topic;

        if (i == 0 || topic != runs[used - 1].topic)
            runs[used++] = (struct inventory_run){topic, &numbers[i], 0};
        runs[used - 1].count++;
    }
    *run_count = used;
    return runs;
}

const char *
audit_probe_name(enum audit_probe probe)
{
    static const char *const names[] = {
#define PROBE(name, api) #name,
#include "audit/probes.def"
#undef PROBE
    };

    return names[probe];
}

enum audit_probe
audit_probe_of(const char *name)
{
    unsigned probe = 0;

    while (probe < AUDIT_PROBES &&
           (name == NULL || strcmp(audit_probe_name((enum audit_probe)probe), name) != 0))
        probe++;
    return (enum audit_probe)probe;
}

const char *
audit_probe_api(enum audit_probe probe)
{
    static const char *const names[] = {
#define PROBE(name, api) api,
#include "audit/probes.def"
#undef PROBE
    };

    return names[probe];
}

enum audit_probe
inventory_trace_probe(enum audit_trace trace)
{
    static const enum audit_probe probes[] = {
#define TRACE(name, probe) AUDIT_##probe,
#include "audit/traces.def"
#undef TRACE
    };

    return probes[trace];
}

const char *
inventory_topic_key(enum audit_topic_config config)
{
    static const char *const keys[] = {
#define TOPIC_CONFIG(name, key) key,
#define BROKER_CONFIG(name, key)
#include "audit/configs.def"
#undef TOPIC_CONFIG
#undef BROKER_CONFIG
    };

    return keys[config];
}

const char *
inventory_broker_key(enum audit_broker_config config)
{
    static const char *const keys[] = {
#define TOPIC_CONFIG(name, key)
#define BROKER_CONFIG(name, key) key,
#include "audit/configs.def"
#undef TOPIC_CONFIG
#undef BROKER_CONFIG
    };

    return keys[config];
}

const char *
inventory_feature_name(enum audit_feature feature)
{
    static const char *const names[] = {
#define FEATURE(name, key) key,
#include "audit/features.def"
#undef FEATURE
    };

    return names[feature];
}

bool
inventory_shows_transactions(const struct audit_topic *topic)
{
    return topic->transactional_producers > 0 || topic->traces[AUDIT_TRACE_OPEN].ids > 0 ||
           topic->traces[AUDIT_TRACE_PAST].ids > 0;
}

bool
inventory_is_compacted(const struct audit_topic *topic)
{
    const char *policy = topic->configs[AUDIT_CONFIG_CLEANUP_POLICY].value;

    return policy != NULL && strstr(policy, "compact") != NULL;
}

int64_t
inventory_number(const struct audit_topic *topic, enum audit_topic_config config, int64_t otherwise)
{
    const char *text = topic->configs[config].value;
    char *end;
    long long number;

    if (text == NULL)
        return otherwise;
    errno = 0;
    number = strtoll(text, &end, 10);
    return errno != 0 || end == text || *end != '\0' ? otherwise : number;
}

double
inventory_share_left(const struct audit_disk *disk)
{
    bool known =
        disk->total_bytes > 0 && disk->usable_bytes >= 0 && disk->usable_bytes <= disk->total_bytes;

    return known ? (double)disk->usable_bytes / (double)disk->total_bytes : 1;
}

void
inventory_rate_add(struct audit_rate *rate, int64_t records, int64_t window_ms)
{
    if (window_ms <= 0)
        return;
    rate->records = saturate_add(rate->records, records);
    rate->window_ms = saturate_add(rate->window_ms, window_ms);
    if (rate->peak_window_ms == 0 || (double)records * (double)rate->peak_window_ms >
                                         (double)rate->peak_records * (double)window_ms) {
        rate->peak_records = records;
        rate->peak_window_ms = window_ms;
    }
}
