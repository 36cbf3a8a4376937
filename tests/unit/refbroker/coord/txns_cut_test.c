/*
 * Transactions in a simulated world: power cuts and kills at every step of a producer, by seed.
 * SEEDS and FIRST_SEED choose others.
 *
 * Three producers, two of which follow KIP-890, write numbered records and offsets of a group in
 * transactions. After each cut the logs tell what became of every number: what was answered as
 * committed is committed in all its partitions and in the group, what nobody asked to commit is
 * committed nowhere, and what was under way is one of both, everywhere.
 */
#include "refbroker/coord/txns.h"

#include <stdio.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_records.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "tests/sim/disk_cut.h"
#include "tests/sim/txn_client.h"
#include "tests/unit/unit.h"

#define SEEDS 120
#define CUTS_PER_SEED 5
#define PRODUCERS 3
#define TXNS_PER_LIFE 25
#define NUMBERS_MAX (TXNS_PER_LIFE * CUTS_PER_SEED + 1)
#define BYTES_MAX ((size_t)1 << 24)

enum asked { ASKED_NOTHING, ASKED_COMMIT, ASKED_ABORT };
enum fate { FATE_ABSENT, FATE_OPEN, FATE_ABORTED, FATE_COMMITTED };

/* One transaction. */
struct history {
    int producer;
    enum asked asked;
    bool answered;
    bool has_offset;                    /* acknowledged */
    bool sent[BROKER_WORLD_PARTITIONS]; /* acknowledged */
    enum fate fates[BROKER_WORLD_PARTITIONS];
    bool visible[BROKER_WORLD_PARTITIONS]; /* to read_committed */
};

struct life {
    struct broker_world world;
    struct txn_client clients[PRODUCERS];
    struct history history[NUMBERS_MAX];
    int count;
    size_t committed;
    char text[200];
};

static uint64_t
number_of(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);

    return text == NULL ? fallback : strtoull(text, NULL, 10);
}

/* --- one life ------------------------------------------------------------------------------- */

static bool
partition_write(struct txn_client *client, int partition, int64_t number, struct history *history)
{
    if (!client->bumps && txn_client_add(client, partition) != KE_NONE)
        return false;
    history->sent[partition] = txn_client_produce(client, partition, number) == KE_NONE;
    return history->sent[partition];
}

/* One transaction, as far as the disk goes on; false where it stopped. */
static bool
transact(struct life *life)
{
    struct env *dice = &life->world.env;
    struct history *history = &life->history[life->count];
    int number = life->count++;
    struct txn_client *client;
    int partitions = 1 + (int)env_random_below(dice, BROKER_WORLD_PARTITIONS);
    bool commit = env_random_below(dice, 3) != 0;

    history->producer = (int)env_random_below(dice, PRODUCERS);
    client = &life->clients[history->producer];
    if (client->producer_id < 0 && txn_client_begin(client, false) != KE_NONE)
        return false;
    for (int i = 0; i < partitions; i++)
        if (!partition_write(client, i, number, history))
            return false;
    if (env_random_below(dice, 2) == 0) {
        if (!client->bumps && txn_client_add_offsets(client) != KE_NONE)
            return false;
        history->has_offset = txn_client_commit_offset(client, number + 1) == KE_NONE;
        if (!history->has_offset)
            return false;
    }
    /* Some are left open; the next of the producer has to begin anew. */
    if (env_random_below(dice, 8) == 0) {
        client->producer_id = -1;
        return true;
    }
    history->asked = commit ? ASKED_COMMIT : ASKED_ABORT;
    history->answered = txn_client_end(client, commit) == KE_NONE;
    life->committed += history->answered && commit;
    return history->answered;
}

/* --- what the logs say ------------------------------------------------------------------------ */

static void
batch_read(struct life *life, int partition, const struct batch_view *batch, int64_t *owner)
{
    struct batch_records_record record;
    struct batch_records records;
    struct buf scratch;
    bool found;
    struct err e;

    buf_init(&scratch, BYTES_MAX);
    assert_int_equal(batch_records_open(&records, batch, &scratch, BYTES_MAX, &e), RC_OK);
    assert_int_equal(batch_records_next(&records, &record, &found, &e), RC_OK);
    assert_true(found);
    if (batch_view_is_control(batch)) {
        for (int i = 0; i < life->count; i++)
            if (life->history[i].fates[partition] == FATE_OPEN && owner[i] == batch->producer_id)
                life->history[i].fates[partition] =
                    record.key[3] == 1 ? FATE_COMMITTED : FATE_ABORTED;
    } else {
        int64_t number;

        memcpy(&number, record.value, sizeof number);
        assert_true(number >= 0 && number < life->count);
        assert_int_equal(life->history[number].fates[partition], FATE_ABSENT);
        life->history[number].fates[partition] = FATE_OPEN;
        owner[number] = batch->producer_id;
    }
    buf_fini(&scratch);
}

/* Reads on from *next with an isolation level; the answer's batches go to fn. False at the end. */
static bool
fetch(struct life *life, int index, int8_t isolation, int64_t *next, struct arena *arena,
    struct km_fetch_response *out)
{
    struct km_fetch_request_partition partition;
    struct km_fetch_request_topic topic;
    struct km_fetch_request in;

    codec_init(&km_fetch_request_desc, &in);
    codec_init(&km_fetch_request_topic_desc, &topic);
    codec_init(&km_fetch_request_partition_desc, &partition);
    partition.partition = index;
    partition.fetch_offset = *next;
    partition.partition_max_bytes = 1 << 20;
    topic.topic = request_text("wal");
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    in.topics.items = &topic;
    in.topics.count = 1;
    in.isolation_level = isolation;
    assert_true(broker_world_call(&life->world, KM_FETCH, 11, &in, arena, out));
    assert_int_equal(out->responses.items[0].partitions.items[0].error_code, 0);
    return out->responses.items[0].partitions.items[0].records.size > 0;
}

static void
fates_read(struct life *life, int index)
{
    int64_t owner[NUMBERS_MAX] = {0}, next = 0;
    struct km_fetch_response out;
    struct batch_view batch;
    struct arena arena;
    bool found;
    struct err e;

    arena_init(&arena, BYTES_MAX);
    while (fetch(life, index, 0, &next, &arena, &out)) {
        const struct wire_records *data = &out.responses.items[0].partitions.items[0].records;
        struct batch_view_cursor cursor = {data->data, (size_t)data->size};

        while (batch_view_next(&cursor, &batch, &found, &e) == RC_OK && found) {
            if (batch.base_offset >= next)
                batch_read(life, index, &batch, owner);
            next = batch_view_next_offset(&batch);
        }
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

/* What a consumer with read_committed makes of an answer: a producer's batches are passed over from
 * the first offset of its aborted transaction to the marker. */
static void
visible_take(struct life *life, int index, const struct km_fetch_response_partition_data *answer,
    int64_t *next)
{
    struct batch_view_cursor cursor = {answer->records.data, (size_t)answer->records.size};
    bool *used = xcalloc((size_t)answer->aborted_transactions.count + 1, sizeof *used);
    struct map aborting;
    struct batch_view batch;
    bool found;
    struct err e;

    map_init(&aborting);
    while (batch_view_next(&cursor, &batch, &found, &e) == RC_OK && found) {
        int64_t number;

        for (int32_t i = 0; i < answer->aborted_transactions.count; i++)
            if (!used[i] && answer->aborted_transactions.items[i].first_offset <=
                                batch_view_last_offset(&batch)) {
                used[i] = true;
                (void)map_put_int(
                    &aborting, answer->aborted_transactions.items[i].producer_id, used);
            }
        if (batch.base_offset >= *next && batch_view_is_control(&batch)) {
            (void)map_remove_int(&aborting, batch.producer_id);
        } else if (batch.base_offset >= *next &&
                   map_get_int(&aborting, batch.producer_id) == NULL) {
            struct batch_records_record record;
            struct batch_records records;
            struct buf scratch;

            buf_init(&scratch, BYTES_MAX);
            assert_int_equal(batch_records_open(&records, &batch, &scratch, BYTES_MAX, &e), RC_OK);
            assert_int_equal(batch_records_next(&records, &record, &found, &e), RC_OK);
            memcpy(&number, record.value, sizeof number);
            life->history[number].visible[index] = true;
            buf_fini(&scratch);
        }
        *next = batch_view_next_offset(&batch);
    }
    map_fini(&aborting, NULL);
    free(used);
}

static void
visible_read(struct life *life, int index)
{
    struct km_fetch_response out;
    struct arena arena;
    int64_t next = 0;

    arena_init(&arena, BYTES_MAX);
    while (fetch(life, index, 1, &next, &arena, &out)) {
        visible_take(life, index, &out.responses.items[0].partitions.items[0], &next);
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

/* --- what has to hold --------------------------------------------------------------------------
 */

static const char *
history_wrong(const struct history *h)
{
    bool committed = false, aborted = false;

    for (int i = 0; i < BROKER_WORLD_PARTITIONS; i++) {
        committed = committed || h->fates[i] == FATE_COMMITTED;
        aborted = aborted || h->fates[i] == FATE_ABORTED;
        if (h->fates[i] == FATE_OPEN)
            return "it is open, although its producer began anew";
        if (h->sent[i] && h->fates[i] == FATE_ABSENT)
            return "an acknowledged record is lost";
        if (h->visible[i] != (h->fates[i] == FATE_COMMITTED))
            return "read_committed sees something else than the markers say";
    }
    if (committed && aborted)
        return "it is committed here and aborted there";
    if (committed && h->asked != ASKED_COMMIT)
        return "it is committed, and nobody asked for that";
    if (h->answered && committed != (h->asked == ASKED_COMMIT))
        return "it is not what was answered";
    return NULL;
}

/* The offset that the group of a producer must have: that of its last committed transaction with
 * one. */
static int64_t
offset_wanted(const struct life *life, int producer)
{
    int64_t wanted = -1;

    for (int i = 0; i < life->count; i++)
        if (life->history[i].producer == producer && life->history[i].has_offset &&
            life->history[i].fates[0] == FATE_COMMITTED)
            wanted = i + 1;
    return wanted;
}

static const char *
world_wrong(struct life *life)
{
    for (int i = 0; i < life->count; i++) {
        memset(life->history[i].fates, 0, sizeof life->history[i].fates);
        memset(life->history[i].visible, 0, sizeof life->history[i].visible);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        life->clients[i].producer_id = -1;
        if (txn_client_begin(&life->clients[i], false) != KE_NONE)
            return "a producer cannot begin anew";
    }
    for (int i = 0; i < BROKER_WORLD_PARTITIONS; i++) {
        const struct partition *partition = broker_world_partition(&life->world, i);

        if (partition_last_stable_offset(partition) != partition->log_end_offset)
            return "a partition's last stable offset hangs";
        fates_read(life, i);
        visible_read(life, i);
    }
    for (int i = 0; i < life->count; i++) {
        const char *wrong = history_wrong(&life->history[i]);

        if (wrong != NULL) {
            snprintf(life->text, sizeof life->text, "transaction %d of producer %d: %s", i,
                life->history[i].producer, wrong);
            return life->text;
        }
    }
    for (int i = 0; i < PRODUCERS; i++) {
        int64_t offset = -2;
        int16_t code = txn_client_fetch_offset(&life->clients[i], true, &offset);

        if (code != KE_NONE || offset != offset_wanted(life, i)) {
            snprintf(life->text, sizeof life->text,
                "group of producer %d: code %d, offset %lld, not %lld", i, code, (long long)offset,
                (long long)offset_wanted(life, i));
            return life->text;
        }
    }
    return NULL;
}

static size_t
lives(uint64_t seed, bool power)
{
    static const char *const ids[PRODUCERS] = {"old", "new", "other"};
    static const char *const groups[PRODUCERS] = {"group-old", "group-new", "group-other"};
    struct life *life = xcalloc(1, sizeof *life);
    const char *wrong;
    size_t committed;

    broker_world_init(&life->world, seed);
    for (int i = 0; i < PRODUCERS; i++)
        txn_client_init(&life->clients[i], &life->world, ids[i], groups[i], i > 0);
    wrong = broker_world_start(&life->world);
    for (int i = 0; i < CUTS_PER_SEED && wrong == NULL; i++) {
        disk_cut_stop_at(life->world.disk, 1 + env_random_below(&life->world.env, 250));
        for (int k = 0; k < TXNS_PER_LIFE && transact(life); k++)
            continue;
        broker_world_crash(&life->world);
        if (power)
            disk_cut_power(life->world.disk);
        else
            disk_cut_kill(life->world.disk);
        wrong = broker_world_start(&life->world);
        if (wrong == NULL)
            wrong = world_wrong(life);
    }
    if (wrong != NULL)
        fail_msg("seed %llu: %s", (unsigned long long)seed, wrong);
    committed = life->committed;
    broker_world_fini(&life->world);
    free(life);
    return committed;
}

static void
a_power_cut_leaves_every_transaction_whole_or_away(void **state)
{
    uint64_t first = number_of("FIRST_SEED", 1), seeds = number_of("SEEDS", SEEDS);
    size_t committed = 0;

    (void)state;
    for (uint64_t seed = first; seed < first + seeds; seed++)
        committed += lives(seed, true);
    print_message("# %zu transactions committed, %llu cuts\n", committed,
        (unsigned long long)seeds * CUTS_PER_SEED);
    assert_true(committed > seeds * 5);
}

static void
a_kill_leaves_every_transaction_whole_or_away(void **state)
{
    uint64_t first = number_of("FIRST_SEED", 1), seeds = number_of("SEEDS", SEEDS) / 3 + 1;
    size_t committed = 0;

    (void)state;
    for (uint64_t seed = first; seed < first + seeds; seed++)
        committed += lives(seed, false);
    assert_true(committed > seeds * 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_power_cut_leaves_every_transaction_whole_or_away),
        cmocka_unit_test(a_kill_leaves_every_transaction_whole_or_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
