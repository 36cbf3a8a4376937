#include "refbroker/log/cleaner.h"

#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "refbroker/limits.h"
#include "refbroker/log/cleaner_job.h"
#include "refbroker/log/upload.h"

#define PRODUCERS_BYTES_MAX ((size_t)64 * 1024 * 1024)

enum cleaner_state {
    CLEANER_IDLE,
    CLEANER_STEPPING,  /* the lane has the job */
    CLEANER_PAUSED,    /* a step is over, the next one may begin at next_ms */
    CLEANER_WAITING,   /* for the upload under way, to swap */
    CLEANER_COMMITTING /* the catalog has the swap */
};

struct cleaner {
    struct catalog_job commit;
    struct work_job work;
    struct broker *broker;
    enum cleaner_state state;
    int64_t next_ms;
    size_t scan_position;        /* in the topics */
    struct partition *candidate; /* held; the dirtiest one so far */
    double candidate_ratio;
    struct partition *partition; /* held, as long as there is a job */
    struct cleaner_job *job;
    const struct cleaner_step *step;
    int64_t object_id;
    int64_t started_ms; /* of the step */
    int64_t now_wall_ms;
    struct buf producers; /* the snapshot without what is gone */
};

struct cleaner *
cleaner_new(struct broker *broker)
{
    struct cleaner *cleaner = xcalloc(1, sizeof *cleaner);

    cleaner->broker = broker;
    cleaner->next_ms = env_now_ms(broker->env) + broker->options.cleaner_backoff_ms;
    buf_init(&cleaner->producers, PRODUCERS_BYTES_MAX);
    return cleaner;
}

static void
candidate_drop(struct cleaner *cleaner)
{
    if (cleaner->candidate != NULL)
        partition_release(cleaner->candidate);
    cleaner->candidate = NULL;
    cleaner->candidate_ratio = 0;
}

/* The round is over; the next look is at once where there may be more to do. */
static void
round_end(struct cleaner *cleaner, bool again)
{
    struct broker *broker = cleaner->broker;

    cleaner_job_free(cleaner->job);
    if (cleaner->partition != NULL)
        partition_release(cleaner->partition);
    cleaner->job = NULL;
    cleaner->step = NULL;
    cleaner->partition = NULL;
    cleaner->state = CLEANER_IDLE;
    cleaner->next_ms = env_now_ms(broker->env) + (again ? 0 : broker->options.cleaner_backoff_ms);
}

void
cleaner_free(struct cleaner *cleaner)
{
    if (cleaner == NULL)
        return;
    candidate_drop(cleaner);
    round_end(cleaner, false);
    buf_fini(&cleaner->producers);
    free(cleaner);
}

bool
cleaner_holds_uploads(const struct cleaner *cleaner)
{
    return cleaner->state == CLEANER_COMMITTING ||
           (cleaner->state == CLEANER_WAITING && !cleaner->broker->stopping);
}

static bool
is_compacted(const struct partition *partition)
{
    const struct topic *topic = partition->topic;

    return topic != NULL && topic->configs.values.compacts && !topic->configs.values.coordinated &&
           topic->state != TOPIC_MIRRORING && !topic->changing && !partition->uncleanable;
}

static void
failed(struct cleaner *cleaner, enum rc rc, const struct err *e)
{
    struct partition *partition = cleaner->partition;
    const char *name = partition->topic == NULL ? "a deleted topic" : partition->topic->name;

    cleaner->broker->stats.cleaner_failures_total++;
    partition->uncleanable =
        rc != RC_IO && rc != RC_NO_SPACE && rc != RC_NOTFOUND && !store_has_told(rc);
    cleaner->broker->stats.cleaner_uncleanable_partitions += partition->uncleanable;
    if (!store_has_told(rc))
        log_warn("CLEANER", "%s-%d: %s; %s", name, partition->index, e->text,
            partition->uncleanable ? "not cleaned until the next start" : "trying again");
    round_end(cleaner, false);
}

/* --- swapping a group ------------------------------------------------------------------------ */

/* On the database's lane: takes the transactions that are gone out of the producer snapshot. */
static enum rc
snapshot_forget(struct cleaner *cleaner, struct catalog *catalog, struct err *e)
{
    const struct partition *partition = cleaner->partition;
    const struct cleaner_step *step = cleaner->step;
    struct producers *producers;
    int64_t committed_end;
    const void *saved;
    size_t size;
    enum rc rc = catalog_get_committed(
        catalog, &partition->topic_id, partition->index, &committed_end, &saved, &size, e);

    buf_clear(&cleaner->producers);
    if (rc != RC_OK)
        return rc == RC_NOTFOUND ? RC_OK : rc;
    producers = producers_new(LIMIT_PRODUCERS_PER_PARTITION_MAX);
    if (size > 0)
        rc = producers_load(producers, saved, size, e);
    if (rc == RC_OK) {
        producers_forget_aborted(producers, step->gone, step->gone_count);
        if (producers_count(producers) > 0)
            producers_save(producers, &cleaner->producers);
        rc = catalog_put_committed(catalog, &partition->topic_id, partition->index, committed_end,
            cleaner->producers.data, cleaner->producers.size, e);
    }
    producers_free(producers);
    return rc;
}

static enum rc
commit_apply(struct catalog *catalog, struct catalog_job *job, struct err *e)
{
    struct cleaner *cleaner = (struct cleaner *)(void *)job;
    const struct partition *partition = cleaner->partition;
    const struct cleaner_step *step = cleaner->step;
    enum rc rc = RC_OK;

    if (step->object_bytes > 0)
        rc = catalog_put_object(
            catalog, cleaner->object_id, (int64_t)step->object_bytes, cleaner->now_wall_ms, e);
    if (rc == RC_OK && step->swaps)
        rc = catalog_replace_runs(catalog, &partition->topic_id, partition->index, step->first,
            step->last, step->runs, step->run_count, e);
    if (rc == RC_OK && step->gone_count > 0)
        rc = snapshot_forget(cleaner, catalog, e);
    if (rc == RC_OK && step->is_last)
        rc = catalog_put_first_dirty(
            catalog, &partition->topic_id, partition->index, step->first_dirty, e);
    return rc;
}

static void
swap(struct cleaner *cleaner)
{
    struct partition *partition = cleaner->partition;
    const struct cleaner_step *step = cleaner->step;
    struct stats *stats = &cleaner->broker->stats;

    if (step->swaps) {
        run_index_replace(&partition->runs, step->first, step->last, step->runs, step->run_count);
        run_index_trim(&partition->runs, partition->log_start_offset);
        cache_trim(partition, step->last + 1);
        stats->cleaner_runs_replaced_total += (int64_t)step->replaced;
        stats->cleaner_bytes_removed_total += step->counts.bytes_read - step->counts.bytes_kept;
        stats->cleaner_records_removed_total +=
            step->counts.records_read - step->counts.records_kept;
    }
    if (step->gone_count > 0) {
        if (partition->producers != NULL)
            producers_forget_aborted(partition->producers, step->gone, step->gone_count);
        free(partition->committed_producers);
        partition->committed_producers =
            buf_take(&cleaner->producers, &partition->committed_producers_size);
    }
    if (step->is_last)
        partition->first_dirty_offset = step->first_dirty;
}

/* When the next step may begin, so that no more than the bytes allowed are moved in a second. */
static int64_t
throttled_ms(const struct cleaner *cleaner)
{
    int64_t rate = cleaner->broker->options.cleaner_io_bytes_per_s;

    return cleaner->started_ms +
           (int64_t)((double)cleaner->step->bytes_moved * 1000.0 / (double)rate);
}

static void
commit_done(struct catalog_job *job)
{
    struct cleaner *cleaner = (struct cleaner *)(void *)job;

    if (job->rc != RC_OK) {
        failed(cleaner, RC_IO, &job->err);
        return;
    }
    if (cleaner->partition->topic != NULL)
        swap(cleaner);
    if (cleaner->step->is_last) {
        cleaner->broker->stats.cleaner_rounds_total++;
        round_end(cleaner, true);
        return;
    }
    cleaner->state = CLEANER_PAUSED;
    cleaner->next_ms = throttled_ms(cleaner);
}

static void
commit(struct cleaner *cleaner)
{
    cleaner->state = CLEANER_COMMITTING;
    cleaner->now_wall_ms = env_wall_ms(cleaner->broker->env);
    cleaner->commit.apply = commit_apply;
    cleaner->commit.done = commit_done;
    catalog_submit(cleaner->broker->catalog, &cleaner->commit);
}

/* --- stepping -------------------------------------------------------------------------------- */

static void
step_run(struct work_job *job)
{
    struct cleaner *cleaner = list_of(job, struct cleaner, work);

    cleaner->step = cleaner_job_step(cleaner->job, cleaner->object_id);
}

static void
step_done(struct work_job *job)
{
    struct cleaner *cleaner = list_of(job, struct cleaner, work);
    const struct cleaner_step *step = cleaner->step;
    struct stats *stats = &cleaner->broker->stats;

    stats->cleaner_runs_read_total += step->runs_read;
    stats->cleaner_bytes_read_total += step->counts.bytes_read;
    stats->cleaner_records_read_total += step->counts.records_read;
    stats->cleaner_keys_total += (int64_t)step->keys;
    if (step->rc != RC_OK) {
        failed(cleaner, step->rc, &step->err);
    } else if (!is_compacted(cleaner->partition)) {
        round_end(cleaner, true);
    } else if (step->gone_count > 0) {
        cleaner->state = CLEANER_WAITING;
    } else if (step->swaps || step->is_last) {
        commit(cleaner);
    } else {
        cleaner->state = CLEANER_PAUSED;
        cleaner->next_ms = throttled_ms(cleaner);
    }
}

static void
step_start(struct cleaner *cleaner)
{
    struct broker *broker = cleaner->broker;

    cleaner->state = CLEANER_STEPPING;
    cleaner->object_id = broker_next_object_id(broker);
    cleaner->started_ms = env_now_ms(broker->env);
    cleaner->work.run = step_run;
    cleaner->work.done = step_done;
    work_submit(broker->options.work, LANE_CLEANER, &cleaner->work);
}

/* --- looking for work ------------------------------------------------------------------------ */

static void
consider(struct cleaner *cleaner, struct partition *partition)
{
    struct cleaner_range range = cleaner_range_of(partition, env_wall_ms(cleaner->broker->env));
    double ratio = cleaner_range_ratio(&range);

    if (!cleaner_range_is_due(&range, &partition->topic->configs.values) ||
        (cleaner->candidate != NULL && ratio <= cleaner->candidate_ratio))
        return;
    candidate_drop(cleaner);
    partition_hold(partition);
    cleaner->candidate = partition;
    cleaner->candidate_ratio = ratio;
}

/* Looks at topics until the tick has had its share of runs; true once all were looked at. */
static bool
scan(struct cleaner *cleaner)
{
    struct topics *topics = &cleaner->broker->topics;
    struct topic *topic;
    size_t runs = 0;

    while (runs < LIMIT_TICK_RUNS) {
        topic = topics_next(topics, &cleaner->scan_position);
        if (topic == NULL) {
            cleaner->scan_position = 0;
            return true;
        }
        runs++;
        if (!topic->configs.values.compacts)
            continue;
        for (int32_t i = 0; i < topic->partition_count; i++) {
            runs += topic->partitions[i]->runs.count + 1;
            if (topic->partitions[i]->runs.count > 0 && is_compacted(topic->partitions[i]))
                consider(cleaner, topic->partitions[i]);
        }
    }
    return false;
}

/* Begins a round over the candidate, whose range may have changed since it was found. */
static void
round_start(struct cleaner *cleaner)
{
    struct broker *broker = cleaner->broker;
    struct partition *partition = cleaner->candidate;
    struct cleaner_range range;

    if (partition != NULL && is_compacted(partition)) {
        range = cleaner_range_of(partition, env_wall_ms(broker->env));
        if (cleaner_range_is_due(&range, &partition->topic->configs.values)) {
            partition_hold(partition);
            cleaner->partition = partition;
            cleaner->job = cleaner_job_new(
                broker, partition, &range, broker->options.cleaner_dedupe_buffer_bytes);
        }
    }
    candidate_drop(cleaner);
    if (cleaner->job != NULL)
        step_start(cleaner);
    else
        cleaner->next_ms = env_now_ms(broker->env) + broker->options.cleaner_backoff_ms;
}

int64_t
cleaner_tick(struct cleaner *cleaner)
{
    struct broker *broker = cleaner->broker;
    int64_t now = env_now_ms(broker->env);

    if (!broker->options.cleaner_enable || broker->stopping || cleaner->state == CLEANER_STEPPING ||
        cleaner->state == CLEANER_COMMITTING)
        return INT64_MAX;
    if (cleaner->state == CLEANER_WAITING) {
        if (uploader_is_idle(broker->uploader))
            commit(cleaner);
        return INT64_MAX;
    }
    if (now < cleaner->next_ms)
        return cleaner->next_ms;
    if (cleaner->state == CLEANER_PAUSED) {
        if (is_compacted(cleaner->partition))
            step_start(cleaner);
        else
            round_end(cleaner, true);
        return cleaner->next_ms;
    }
    if (!scan(cleaner))
        return now;
    round_start(cleaner);
    return cleaner->next_ms;
}
