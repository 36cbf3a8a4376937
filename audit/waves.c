#include "audit/waves.h"

#include <stdlib.h>
#include <string.h>

#include "audit/facts.h"
#include "audit/streams.h"
#include "lib/base/saturate.h"
#include "lib/base/xalloc.h"

/* --- subjects --------------------------------------------------------------------------------- */

static uint32_t
subject_of(struct waves *waves, struct map *places, enum waves_kind kind, const char *name,
    enum audit_probe probe)
{
    char key[2] = {(char)('0' + (int)kind), '\0'};
    char *full = xmalloc(strlen(name) + sizeof key);
    uintptr_t place;

    memcpy(full, key, 1);
    memcpy(full + 1, name, strlen(name) + 1);
    place = (uintptr_t)map_get_text(places, full);
    if (place == 0) {
        waves->subjects =
            xrealloc(waves->subjects, waves->subject_count + 1, sizeof *waves->subjects);
        waves->subjects[waves->subject_count++] =
            (struct waves_subject){.kind = kind, .name = name, .probe = probe};
        place = waves->subject_count;
        map_put_text(places, full, (void *)place);
    }
    free(full);
    return (uint32_t)place - 1;
}

/* Internal topics tie nothing: every transaction that commits offsets writes __consumer_offsets. */
static void
tie(struct waves *waves, const struct audit_inventory *inventory, uint32_t subject, uint32_t topic)
{
    struct waves_subject *s = &waves->subjects[subject];

    if (inventory->topics[topic].is_internal)
        return;
    for (uint32_t i = 0; i < s->topic_count; i++)
        if (s->topics[i] == topic)
            return;
    s->topics = xrealloc(s->topics, s->topic_count + 1, sizeof *s->topics);
    s->topics[s->topic_count++] = topic;
}

static bool
begins_with(const char *text, const char *beginning)
{
    size_t size = strlen(beginning);

    return strncmp(text, beginning, size) == 0 && (text[size] == '\0' || text[size] == '-');
}

/* Topics that were seen in a transaction, open or over, or are read in one; and what the group
 * reads for which it is written. */
static void
transactions_add(struct waves *waves, struct map *places, const struct audit_inventory *inventory)
{
    for (const struct audit_footprint *f = inventory->footprints; f != NULL; f = f->next)
        tie(waves, inventory,
            subject_of(waves, places, WAVES_TRANSACTION, f->transactional_id,
                inventory_trace_probe(f->trace)),
            f->topic);
    for (uint32_t s = 0; s < waves->subject_count; s++)
        for (uint32_t t = 0; t < inventory->topic_count; t++)
            for (const struct audit_use *use = inventory->topics[t].uses; use != NULL;
                 use = use->next)
                if (waves->subjects[s].kind == WAVES_TRANSACTION &&
                    begins_with(waves->subjects[s].name, inventory->groups[use->group].id))
                    tie(waves, inventory, s, t);
}

/* What the group of an application reads, and the topics that it made for itself. */
static void
groups_add(struct waves *waves, struct map *places, const struct audit_inventory *inventory)
{
    static const char sink[] = "connect-";

    for (uint32_t t = 0; t < inventory->topic_count; t++) {
        const struct audit_topic *topic = &inventory->topics[t];

        for (const struct audit_use *use = topic->uses; use != NULL; use = use->next) {
            const struct audit_group *group = &inventory->groups[use->group];
            enum audit_probe probe = use->commits ? AUDIT_COMMITS : AUDIT_GROUPS;

            if (group->app == AUDIT_APP_YES)
                tie(waves, inventory, subject_of(waves, places, WAVES_STREAMS, group->id, probe),
                    t);
            else if (strncmp(group->id, sink, sizeof sink - 1) == 0)
                tie(waves, inventory, subject_of(waves, places, WAVES_CONNECTOR, group->id, probe),
                    t);
        }
        if (facts_role(topic) == AUDIT_ROLE_NONE)
            continue;
        for (uint32_t g = 0; g < inventory->group_count; g++)
            if (inventory->groups[g].app != AUDIT_APP_NO &&
                streams_owner(topic->name, inventory->groups[g].id))
                tie(waves, inventory,
                    subject_of(
                        waves, places, WAVES_STREAMS, inventory->groups[g].id, AUDIT_METADATA),
                    t);
    }
}

static enum rc
declared_add(struct waves *waves, struct map *places, const struct audit_inventory *inventory,
    const char *text, struct err *e)
{
    uint32_t subject = subject_of(waves, places, WAVES_DECLARED, text, AUDIT_METADATA);

    while (*text != '\0') {
        size_t size = strcspn(text, ",");
        uint32_t topic = inventory_topic(inventory, (struct wire_string){text, (int32_t)size});

        if (topic == INVENTORY_NO_NUMBER)
            return err_set(e, RC_CONFIG, "no topic is called \"%.*s\"", (int)size, text);
        tie(waves, inventory, subject, topic);
        text += size + (text[size] == ',');
    }
    return RC_OK;
}

/* --- waves ------------------------------------------------------------------------------------ */

static uint32_t
root_of(uint32_t *parents, uint32_t topic)
{
    while (parents[topic] != topic) {
        parents[topic] = parents[parents[topic]];
        topic = parents[topic];
    }
    return topic;
}

static enum rules_verdict
worst_of(const struct audit_topic *topic, uint32_t designs)
{
    enum rules_verdict worst = RULES_READY;

    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        if ((designs & 1U << d) != 0 && rules_judge(topic, (enum rules_design)d) > worst)
            worst = rules_judge(topic, (enum rules_design)d);
    return worst;
}

static void
wave_take(struct waves_wave *wave, const struct audit_inventory *inventory, uint32_t place,
    uint32_t designs)
{
    const struct audit_topic *topic = &inventory->topics[place];
    enum rules_verdict worst = worst_of(topic, designs);

    wave->topics = xrealloc(wave->topics, wave->topic_count + 1, sizeof *wave->topics);
    wave->topics[wave->topic_count++] = place;
    wave->worst = worst > wave->worst ? worst : wave->worst;
    wave->bytes =
        wave->bytes < 0 || topic->bytes < 0 ? -1 : saturate_add(wave->bytes, topic->bytes);
}

/* Topics stand in the order of their names, so that the first one names a wave. */
static int
by_need(const void *a, const void *b)
{
    const struct waves_wave *x = a, *y = b;

    if (x->worst != y->worst)
        return x->worst < y->worst ? -1 : 1;
    if (x->topic_count != y->topic_count)
        return x->topic_count < y->topic_count ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return (x->topics[0] > y->topics[0]) - (x->topics[0] < y->topics[0]);
}

static void
waves_make(struct waves *waves, const struct audit_inventory *inventory, uint32_t designs)
{
    uint32_t count = inventory->topic_count;
    uint32_t *parents = xcalloc((size_t)count + 1, sizeof *parents);
    uint32_t *places = xcalloc((size_t)count + 1, sizeof *places); /* root to wave + 1 */

    for (uint32_t t = 0; t < count; t++)
        parents[t] = t;
    for (uint32_t s = 0; s < waves->subject_count; s++)
        for (uint32_t i = 1; i < waves->subjects[s].topic_count; i++)
            parents[root_of(parents, waves->subjects[s].topics[i])] =
                root_of(parents, waves->subjects[s].topics[0]);
    waves->waves = xcalloc((size_t)count + 1, sizeof *waves->waves);
    for (uint32_t t = 0; t < count; t++) {
        uint32_t root = root_of(parents, t);

        if (inventory->topics[t].is_internal)
            continue;
        if (places[root] == 0)
            places[root] = ++waves->wave_count;
        wave_take(&waves->waves[places[root] - 1], inventory, t, designs);
    }
    free(parents);
    free(places);
    qsort(waves->waves, waves->wave_count, sizeof *waves->waves, by_need);
}

/* Which wave each topic and each subject is in. */
static void
places_note(struct waves *waves, uint32_t topic_count)
{
    waves->wave_of = xcalloc((size_t)topic_count + 1, sizeof *waves->wave_of);
    for (uint32_t t = 0; t < topic_count; t++)
        waves->wave_of[t] = INVENTORY_NO_NUMBER;
    for (uint32_t w = 0; w < waves->wave_count; w++) {
        waves->alone += waves->waves[w].topic_count == 1;
        for (uint32_t i = 0; i < waves->waves[w].topic_count; i++)
            waves->wave_of[waves->waves[w].topics[i]] = w;
    }
    for (uint32_t s = 0; s < waves->subject_count; s++) {
        uint32_t wave = waves->subjects[s].topic_count == 0
                            ? INVENTORY_NO_NUMBER
                            : waves->wave_of[waves->subjects[s].topics[0]];
        struct waves_wave *own;

        if (wave == INVENTORY_NO_NUMBER)
            continue;
        own = &waves->waves[wave];
        own->subjects = xrealloc(own->subjects, own->subject_count + 1, sizeof *own->subjects);
        own->subjects[own->subject_count++] = s;
    }
}

enum rc
waves_plan(struct waves *waves, const struct audit_inventory *inventory, uint32_t designs,
    const char *const *declared, size_t declared_count, struct err *e)
{
    struct map places;
    enum rc rc = RC_OK;

    memset(waves, 0, sizeof *waves);
    map_init(&places);
    transactions_add(waves, &places, inventory);
    groups_add(waves, &places, inventory);
    for (size_t i = 0; i < declared_count && rc == RC_OK; i++)
        rc = declared_add(waves, &places, inventory, declared[i], e);
    map_fini(&places, NULL);
    waves_make(waves, inventory, designs);
    places_note(waves, inventory->topic_count);
    if (rc != RC_OK)
        waves_free(waves);
    return rc;
}

void
waves_free(struct waves *waves)
{
    for (uint32_t i = 0; i < waves->subject_count; i++)
        free(waves->subjects[i].topics);
    for (uint32_t i = 0; i < waves->wave_count; i++) {
        free(waves->waves[i].topics);
        free(waves->waves[i].subjects);
    }
    free(waves->subjects);
    free(waves->waves);
    free(waves->wave_of);
    memset(waves, 0, sizeof *waves);
}

/* --- paths ------------------------------------------------------------------------------------ */

/* Walks from topic to topic, nearest first; came[t] is the step that reached t first. */
static void
walk(
    const struct waves *waves, uint32_t from, uint32_t to, struct waves_step *came, uint32_t *queue)
{
    uint32_t head = 0, tail = 0;

    queue[tail++] = from;
    while (head < tail && came[to].topic == INVENTORY_NO_NUMBER) {
        uint32_t at = queue[head++];

        for (uint32_t s = 0; s < waves->subject_count; s++) {
            const struct waves_subject *subject = &waves->subjects[s];
            bool has = false;

            for (uint32_t i = 0; i < subject->topic_count && !has; i++)
                has = subject->topics[i] == at;
            for (uint32_t i = 0; has && i < subject->topic_count; i++) {
                uint32_t next = subject->topics[i];

                if (next == from || came[next].topic != INVENTORY_NO_NUMBER)
                    continue;
                came[next] = (struct waves_step){s, at};
                queue[tail++] = next;
            }
        }
    }
}

struct waves_step *
waves_path(const struct waves *waves, const struct audit_inventory *inventory, uint32_t from,
    uint32_t to, uint32_t *count)
{
    size_t topics = (size_t)inventory->topic_count + 1;
    struct waves_step *came = xcalloc(topics, sizeof *came), *path = NULL;
    uint32_t *queue = xcalloc(topics, sizeof *queue);

    *count = 0;
    for (size_t i = 0; i < topics; i++)
        came[i].topic = INVENTORY_NO_NUMBER;
    if (from != to)
        walk(waves, from, to, came, queue);
    for (uint32_t at = to; at != from && came[at].topic != INVENTORY_NO_NUMBER; at = came[at].topic)
        (*count)++;
    if (*count > 0)
        path = xcalloc(*count, sizeof *path);
    for (uint32_t at = to, i = *count; i > 0; at = came[at].topic)
        path[--i] = (struct waves_step){came[at].subject, at};
    free(came);
    free(queue);
    return path;
}

const char *
waves_kind(enum waves_kind kind)
{
    static const char *const names[] = {
        "transactions of", "Kafka Streams application", "sink connector", "declared:"};

    return names[kind];
}
