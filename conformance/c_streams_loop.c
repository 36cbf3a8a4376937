/*
 * Area streams, second part: loops that read, count and write, whose workers or brokers die.
 *
 * A worker of an exactly-once loop is a static member of a group, so that the next one takes its
 * place at once, and a producer of the newer kind (KIP-890), whose sequences begin anew with every
 * transaction. What it has stored in its changelog is what it had read when it committed.
 */
#include "conformance/kc_ask.h"
#include "conformance/kc_group.h"
#include "conformance/kc_offsets.h"
#include "conformance/kc_txn.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"

#define LIMIT_MS 10000
#define ROUNDS 5
#define ROUND 8 /* records of a round */
#define RECORDS (ROUNDS * ROUND)

/* What happens in a round. */
enum event {
    NOTHING,
    DIES_BEFORE_OFFSETS, /* the worker, before it sends the offset that it has read to */
    DIES_BEFORE_END,     /* behind that, before EndTxn */
    DIES_IN_END,         /* when EndTxn is under way */
    KILL_BEFORE_END,     /* so, but the broker, by kill -9 */
    KILL_IN_END,
    RESTART_BEFORE_END /* the broker ends properly, and comes back */
};

struct app {
    struct kc_topic *input;
    struct kc_topic *output;
    struct kc_topic *changelog;
    struct kc_group *group;
    const char *inputs[RECORDS];
    const char *stores[ROUNDS]; /* values of the changelog, by round */
    int64_t end;                /* of the round */
    struct kc_member *member;
    struct kc_txn to_output; /* one producer, with a view for each topic */
    struct kc_txn to_changelog;
};

/* --- the broker ------------------------------------------------------------------------------- */

/* After a bounce: the worker finds its topics, its group and its producer's coordinator again. */
static void
app_resume(struct kc *kc, struct app *app)
{
    app->input = kc_topic_await(kc, app->input->name, 1);
    app->output = kc_topic_await(kc, app->output->name, 1);
    app->changelog = kc_topic_await(kc, app->changelog->name, 1);
    kc_group_await(kc, app->group);
    app->to_output.link = kc_txn_locate(kc, app->to_output.id, KC_TXN_V2).link;
    app->to_changelog.link = app->to_output.link;
}

/* --- what is committed ------------------------------------------------------------------------ */

static int64_t
committed_stable(struct kc *kc, const struct app *app)
{
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);
    const struct km_offset_fetch_response_partition *part;

    while ((part = kc_txn_offset_fetch(kc, app->group->id, app->input, true))->error_code ==
           KE_UNSTABLE_OFFSET_COMMIT)
        kc_wait_more(kc, &wait, "the offset is stable");
    kc_code(kc, "OffsetFetch", part->error_code, KE_NONE);
    return part->committed_offset < 0 ? 0 : part->committed_offset;
}

/* As much is in the output and in the changelog as was read. */
static void
committed_agrees(struct kc *kc, const struct app *app)
{
    int64_t read = committed_stable(kc, app);

    kc_int(kc, "committed_offset", read % ROUND, 0);
    kc_txn_all_settled(kc, app->output, 0);
    kc_txn_all_settled(kc, app->changelog, 0);
    kc_txn_values(kc, app->output, 0, app->inputs, (size_t)read);
    kc_txn_values(kc, app->changelog, 0, app->stores, (size_t)(read / ROUND));
}

/* --- workers ---------------------------------------------------------------------------------- */

static void
worker_join(struct kc *kc, struct app *app)
{
    const struct km_sync_group_response *synced;
    struct kc_given given;

    app->member = kc_member_new(kc, app->group, "worker", "");
    kc_code(kc, "JoinGroup", kc_member_join(kc, app->member), KE_NONE);
    given = (struct kc_given){app->member, kc_text_bytes("input")};
    kc_member_sync_send(kc, app->member, &given, kc_member_leads(app->member) ? 1 : 0);
    synced = kc_member_sync_receive(kc, app->member);
    kc_code(kc, "SyncGroup", synced->error_code, KE_NONE);
}

/* A new worker ends what its forerunner has left open, and restores the store. */
static void
worker_begin(struct kc *kc, struct app *app)
{
    worker_join(kc, app);
    app->to_output = kc_txn_open(kc, kc_txn_id(kc, "worker"), KC_TXN_V2);
    app->to_changelog = app->to_output;
    committed_agrees(kc, app);
}

static void
worker_end_txn(struct kc *kc, struct app *app, bool commits)
{
    kc_txn_end(kc, &app->to_output, commits);
    app->to_changelog = app->to_output;
}

/* A worker that was replaced is let in neither as producer nor as member. */
static void
worker_replace(struct kc *kc, struct app *app)
{
    static const int16_t fenced[] = {KE_PRODUCER_FENCED, KE_INVALID_PRODUCER_EPOCH};
    struct kc_txn zombie = app->to_output;
    const struct kc_member *gone = app->member;

    link_close(gone->link);
    kc_links_forget(kc);
    worker_begin(kc, app);
    zombie.link = app->to_output.link;
    kc_code_in(kc, "zombie", kc_txn_end_once(kc, &zombie, true)->error_code, fenced, 2);
    kc_code(kc, "zombie_member", kc_txn_offset_commit_as(kc, &app->to_output, gone, app->input, 0),
        KE_FENCED_INSTANCE_ID);
    worker_end_txn(kc, app, false);
}

/* Reads what is next and writes what follows from it, in a transaction that stays open; false when
 * nothing is left. */
static bool
round_begin(struct kc *kc, struct app *app, enum event event)
{
    struct kc_fetch_options options = kc_fetch_defaults();
    int64_t offset = committed_stable(kc, app);
    const struct kc_log *log;

    if (offset >= RECORDS)
        return false;
    app->end = offset + ROUND;
    kc_code(kc, "Heartbeat", kc_member_heartbeat(kc, app->member), KE_NONE);
    log = kc_log_read(kc, &options, app->input, 0, offset, app->end);
    for (size_t i = 0; i < log->record_count; i++) {
        const struct kc_seen *record = &log->records[i];

        if (record->offset >= offset && record->offset < app->end)
            kc_txn_append(kc, &app->to_output, app->output, 0,
                kc_printf(kc, "%.*s", record->value.size, (const char *)record->value.data));
    }
    kc_txn_append(kc, &app->to_changelog, app->changelog, 0, app->stores[offset / ROUND]);
    if (event != DIES_BEFORE_OFFSETS)
        kc_code(kc, "TxnOffsetCommit",
            kc_txn_offset_commit_as(kc, &app->to_output, app->member, app->input, app->end),
            KE_NONE);
    return true;
}

static void
round_end(struct kc *kc, struct app *app, enum event event)
{
    switch (event) {
    case NOTHING:
        break;
    case DIES_IN_END:
        kc_txn_end_unheard(kc, &app->to_output, true);
        worker_replace(kc, app);
        return;
    case DIES_BEFORE_OFFSETS:
    case DIES_BEFORE_END:
        worker_replace(kc, app);
        return;
    case KILL_IN_END:
        kc_txn_end_unheard(kc, &app->to_output, true);
        kc_bounce(kc, true);
        app_resume(kc, app);
        break;
    case KILL_BEFORE_END:
    case RESTART_BEFORE_END:
        kc_bounce(kc, event == KILL_BEFORE_END);
        app_resume(kc, app);
        break;
    }
    worker_end_txn(kc, app, true);
    kc_int(kc, "committed_offset", committed_stable(kc, app), app->end);
}

static struct app *
app_new(struct kc *kc)
{
    struct app *app = kc_alloc(kc, 1, sizeof *app);

    app->input = kc_topic_new(kc, 1, NULL);
    app->output = kc_topic_new(kc, 1, NULL);
    app->changelog = kc_topic_new(kc, 1, "cleanup.policy=compact", NULL);
    app->group = kc_group_new(kc);
    for (int i = 0; i < RECORDS; i++)
        app->inputs[i] = kc_printf(kc, "in-%d", i);
    for (int i = 0; i < ROUNDS; i++)
        app->stores[i] = kc_printf(kc, "count-%d", (i + 1) * ROUND);
    (void)kc_append_ok(kc, app->input, 0, kc_batch_values(kc, "in", RECORDS));
    return app;
}

/* Round i has event i, those behind them none. */
static void
app_run(struct kc *kc, const enum event *events, size_t count)
{
    struct app *app = app_new(kc);

    worker_begin(kc, app);
    for (size_t i = 0; round_begin(kc, app, i < count ? events[i] : NOTHING); i++)
        round_end(kc, app, i < count ? events[i] : NOTHING);
    committed_agrees(kc, app);
    kc_int(kc, "read", committed_stable(kc, app), RECORDS);
}

static void
eos_v2_loop(struct kc *kc)
{
    static const enum event events[] = {
        NOTHING, DIES_BEFORE_OFFSETS, DIES_BEFORE_END, DIES_IN_END, NOTHING};

    app_run(kc, events, ARRAY_LEN(events));
}

static void
bounce_exactly_once(struct kc *kc)
{
    static const enum event events[] = {
        NOTHING, KILL_BEFORE_END, RESTART_BEFORE_END, KILL_IN_END, NOTHING};

    app_run(kc, events, ARRAY_LEN(events));
}

/* --- at least once ---------------------------------------------------------------------------- */

/* Copies a round; what it has read to is committed by whoever calls. */
static void
round_copy(struct kc *kc, const struct kc_topic *input, const struct kc_topic *output, int64_t from)
{
    struct kc_fetch_options options = kc_fetch_defaults();
    const struct kc_log *log = kc_log_read(kc, &options, input, 0, from, from + ROUND);

    for (size_t i = 0; i < log->record_count; i++) {
        const struct kc_seen *seen = &log->records[i];
        struct batch_builder_record record = {.timestamp = seen->timestamp,
            .value = seen->value.data,
            .value_size = seen->value.size,
            .key_size = -1};

        if (seen->offset >= from && seen->offset < from + ROUND)
            (void)kc_append_ok(kc, output, 0, kc_batch(kc, NULL, &record, 1));
    }
}

/* Every input is there, none before an earlier one. */
static void
copied_all(struct kc *kc, const struct kc_topic *output)
{
    const struct kc_log *log = kc_log_all(kc, output, 0);
    int next = 0;

    for (size_t i = 0; i < log->record_count && next < RECORDS; i++) {
        struct wire_string value = {
            (const char *)log->records[i].value.data, log->records[i].value.size};

        next += kc_topic_is_named(value, kc_printf(kc, "in-%d", next));
    }
    kc_int(kc, "values", next, RECORDS);
}

static void
bounce_at_least_once(struct kc *kc)
{
    struct kc_topic *input = kc_topic_new(kc, 1, NULL), *output = kc_topic_new(kc, 1, NULL);
    struct kc_group *group = kc_group_new(kc);
    int64_t offset = 0;

    (void)kc_append_ok(kc, input, 0, kc_batch_values(kc, "in", RECORDS));
    for (int round = 0; offset < RECORDS; round++) {
        struct kc_commit commit = kc_commit_of(NULL, offset + ROUND);

        round_copy(kc, input, output, offset);
        if (round != 1 && round != 2) {
            kc_code(kc, "OffsetCommit", kc_commit(kc, group, input, 0, &commit), KE_NONE);
            offset += ROUND;
            continue;
        }
        kc_bounce(kc, round == 1);
        input = kc_topic_await(kc, input->name, 1);
        output = kc_topic_await(kc, output->name, 1);
        kc_group_await(kc, group);
        kc_int(kc, "committed_offset", kc_committed(kc, group, input, 0).offset, offset);
    }
    copied_all(kc, output);
}

/* --- the table -------------------------------------------------------------------------------- */

#define NEEDS_OF_EOS                                                                               \
    CHECK_NEED(PRODUCE, 12), CHECK_NEED(END_TXN, 5), CHECK_NEED(TXN_OFFSET_COMMIT, 5),             \
        CHECK_NEED(OFFSET_FETCH, 7)

static const struct check checks[] = {
    {"streams.eos_v2_loop",
        "output, changelog and offsets agree after every death of a worker, who is then fenced",
        "KIP-447, streams_eos_test", CHECK_CORE, 90, {NEEDS_OF_EOS}, eos_v2_loop},
    {"streams.broker_bounce",
        "they do after every death of the broker, and the worker goes on where it was",
        "streams_broker_bounce_test", CHECK_CONTROL, 180, {NEEDS_OF_EOS}, bounce_exactly_once},
    {"streams.broker_bounce_at_least_once",
        "without transactions every record is copied at least once over deaths of the broker",
        "streams_broker_bounce_test", CHECK_CONTROL, 180,
        {CHECK_NEED(OFFSET_COMMIT, 2), CHECK_NEED(FETCH, 4)}, bounce_at_least_once},
};

const struct check_table c_streams_loop_table = CHECK_TABLE("streams", checks);
