#include "tests/unit/refbroker/coord/share_states_double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"

#define HELD_MAX 4096
#define KEY_BYTES 320

struct share_states_double share_states_double;

static struct map states;
static bool ready;
static struct append_waiter *held[HELD_MAX];
static size_t held_count;

static void
key_text(char out[KEY_BYTES], const char *group_id, const struct wire_uuid *topic_id, int32_t index)
{
    int size = snprintf(out, KEY_BYTES, "%.200s:%d:", group_id, index);

    for (size_t i = 0; i < sizeof topic_id->bytes; i++)
        size += snprintf(out + size, KEY_BYTES - (size_t)size, "%02x", topic_id->bytes[i]);
}

static struct map *
states_get(void)
{
    if (!ready)
        map_init(&states);
    ready = true;
    return &states;
}

void
share_states_double_reset(void)
{
    map_fini(states_get(), free);
    ready = false;
    held_count = 0;
    memset(&share_states_double, 0, sizeof share_states_double);
}

void
share_states_double_release(struct broker *broker)
{
    size_t count = held_count;

    held_count = 0;
    share_states_double.holding = false;
    for (size_t i = 0; i < count; i++)
        held[i]->done(broker, held[i], share_states_double.failure);
}

void
share_states_double_put(const char *group_id, const struct wire_uuid *topic_id, int32_t partition,
    const struct share_state *state)
{
    char key[KEY_BYTES];

    key_text(key, group_id, topic_id, partition);
    free(map_put_text(states_get(), key, xmemdup(state, sizeof *state)));
}

static int16_t
taken(struct append_waiter *waiter, struct err *e)
{
    if (share_states_double.refusal != KE_NONE) {
        err_set(e, RC_CONFIG, "refused");
        return share_states_double.refusal;
    }
    if (share_states_double.holding && held_count < HELD_MAX)
        held[held_count++] = waiter;
    else
        waiter->done(NULL, waiter, share_states_double.failure);
    return KE_NONE;
}

bool
share_states_ready(struct share_states *unused)
{
    (void)unused;
    return !share_states_double.absent;
}

const struct share_state *
share_states_find(const struct share_states *unused, const struct share_key *key)
{
    char text[KEY_BYTES];

    (void)unused;
    key_text(text, key->group_id, &key->topic_id, key->partition);
    return map_get_text(states_get(), text);
}

int16_t
share_states_initialize(struct share_states *unused, const struct share_key *key,
    int32_t state_epoch, int64_t start_offset, struct append_waiter *waiter, struct err *e)
{
    struct share_state state = {
        .state_epoch = state_epoch, .start_offset = start_offset, .delivery_complete_count = -1};

    (void)unused;
    share_states_double.initialized++;
    if (share_states_double.refusal == KE_NONE && share_states_double.failure == KE_NONE)
        share_states_double_put(key->group_id, &key->topic_id, key->partition, &state);
    return taken(waiter, e);
}

int16_t
share_states_delete(struct share_states *unused, const struct share_key *key,
    struct append_waiter *waiter, struct err *e)
{
    char text[KEY_BYTES];

    (void)unused;
    share_states_double.deleted++;
    key_text(text, key->group_id, &key->topic_id, key->partition);
    if (share_states_double.refusal == KE_NONE && share_states_double.failure == KE_NONE)
        free(map_remove_text(states_get(), text));
    return taken(waiter, e);
}
