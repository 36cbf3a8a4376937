#include "refbroker/log/objects.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/store/store_s3.h"
#include "refbroker/log/reader.h"

#define FOLDER "objects"
#define PLACE_BYTES (S3_URL_BUCKET_BYTES + S3_URL_PREFIX_BYTES + 8)
#define STARTS_MAX ((int64_t)1 << 30)
#define SWEEP_IDS_MAX ((size_t)1 << 20) /* what is beyond it waits for the next start */
#define SWEEP_AT_ONCE 500

/* --- at a start ------------------------------------------------------------------------------- */

/* The place as the catalog remembers it. The endpoint may change: a server may get another name. */
static void
place_write(const struct broker *b, char out[PLACE_BYTES])
{
    const struct s3_url *url = b->options.store;

    if (url == NULL)
        snprintf(out, PLACE_BYTES, "folder");
    else
        snprintf(out, PLACE_BYTES, "s3://%s%s%s", url->bucket, *url->prefix != '\0' ? "/" : "",
            url->prefix);
}

/* Before there was a choice nothing was remembered, and it was the folder. */
static enum rc
place_check(struct broker *b, struct err *e)
{
    char wanted[PLACE_BYTES], known[PLACE_BYTES] = "folder";
    enum rc rc = catalog_get_setting(b->catalog, "store", known, sizeof known, e);
    int64_t last = 0;

    if (rc == RC_OK || rc == RC_NOTFOUND)
        rc = catalog_last_object(b->catalog, &last, e);
    place_write(b, wanted);
    if (rc != RC_OK || strcmp(known, wanted) == 0)
        return rc;
    if (last > 0 && strcmp(known, "folder") == 0)
        return err_set(e, RC_CONFIG, "objects lie in this folder already: start without --store");
    if (last > 0)
        return err_set(e, RC_CONFIG, "objects lie in %s: start with that as --store", known);
    return catalog_put_setting(b->catalog, "store", wanted, e);
}

static enum rc
ids_begin(struct broker *b, struct err *e)
{
    char text[32] = "0";
    int64_t starts;
    enum rc rc = catalog_get_setting(b->catalog, "store_starts", text, sizeof text, e);

    if (rc != RC_OK && rc != RC_NOTFOUND)
        return rc;
    starts = strtoll(text, NULL, 10) + 1;
    if (starts > STARTS_MAX)
        return err_set(e, RC_LIMIT, "this folder was started too often");
    snprintf(text, sizeof text, "%" PRId64, starts);
    if (b->object_id_next < starts << 32)
        b->object_id_next = starts << 32;
    return catalog_put_setting(b->catalog, "store_starts", text, e);
}

enum rc
objects_open(struct broker *b, struct err *e)
{
    struct store_s3_options s3 = {b->options.store, b->cluster_id, b->env, STORE_S3_DEADLINE_MS};
    enum rc rc = place_check(b, e);

    if (rc != RC_OK)
        return rc;
    if (b->options.store == NULL)
        return store_open_folder(b->options.disk, FOLDER, &b->store, e);
    rc = ids_begin(b, e);
    return rc == RC_OK ? store_s3_open(&s3, &b->store, e) : rc;
}

/* --- what earlier processes left -------------------------------------------------------------- */

/* First a job that lists, then for each part of the list one of the catalog and one that removes.
 */
struct objects_sweep {
    struct catalog_job look;
    struct work_job list;
    struct work_job remove;
    struct broker *broker;
    int64_t id_end; /* ids of this start begin here */
    int64_t *ids;
    size_t count;
    size_t capacity;
    size_t next;
    int64_t unknown[SWEEP_AT_ONCE];
    size_t unknown_count;
    size_t removed;
    enum rc rc;
    struct err err;
};

void
objects_free(struct objects_sweep *sweep)
{
    if (sweep == NULL)
        return;
    free(sweep->ids);
    free(sweep);
}

static void
sweep_end(struct objects_sweep *sweep)
{
    if (sweep->removed > 0)
        log_notice("ORPHANS", "%zu objects of interrupted uploads removed", sweep->removed);
    sweep->broker->sweep = NULL;
    objects_free(sweep);
}

static void
key_found(void *arg, const char *key)
{
    struct objects_sweep *sweep = arg;
    int64_t id;

    if (!reader_key_parse(key, &id) || id >= sweep->id_end || sweep->count == SWEEP_IDS_MAX)
        return;
    if (sweep->count == sweep->capacity) {
        sweep->capacity = sweep->capacity == 0 ? 64 : sweep->capacity * 2;
        sweep->ids = xrealloc(sweep->ids, sweep->capacity, sizeof *sweep->ids);
    }
    sweep->ids[sweep->count++] = id;
}

static void
list_run(struct work_job *job)
{
    struct objects_sweep *sweep = list_of(job, struct objects_sweep, list);

    sweep->count = 0;
    sweep->rc = store_list(sweep->broker->store, key_found, sweep, &sweep->err);
}

static enum rc
look_apply(struct catalog *catalog, struct catalog_job *job, struct err *e)
{
    struct objects_sweep *sweep = (struct objects_sweep *)(void *)job;
    enum rc rc = RC_OK;

    sweep->unknown_count = 0;
    for (size_t i = 0; i < SWEEP_AT_ONCE && rc == RC_OK && sweep->next < sweep->count; i++) {
        int64_t id = sweep->ids[sweep->next++];
        bool known = true;

        rc = catalog_has_object(catalog, id, &known, e);
        if (rc == RC_OK && !known)
            sweep->unknown[sweep->unknown_count++] = id;
    }
    return rc;
}

/* The next part of the list, or the end. */
static void
sweep_go_on(struct objects_sweep *sweep)
{
    if (sweep->next == sweep->count || sweep->broker->stopping)
        sweep_end(sweep);
    else
        catalog_submit(sweep->broker->catalog, &sweep->look);
}

static void
remove_run(struct work_job *job)
{
    struct objects_sweep *sweep = list_of(job, struct objects_sweep, remove);
    char names[SWEEP_AT_ONCE][READER_KEY_BYTES];
    const char *keys[SWEEP_AT_ONCE];
    bool removed[SWEEP_AT_ONCE];

    for (size_t i = 0; i < sweep->unknown_count; i++) {
        reader_key(names[i], sweep->unknown[i]);
        keys[i] = names[i];
    }
    sweep->rc =
        store_remove_many(sweep->broker->store, keys, sweep->unknown_count, removed, &sweep->err);
    for (size_t i = 0; i < sweep->unknown_count; i++)
        sweep->removed += removed[i];
}

/* Lists and removals, which a server that is away has repeated. */
static void
step_done(struct objects_sweep *sweep, struct work_job *job)
{
    struct broker *broker = sweep->broker;

    if (sweep->rc == RC_TIMEOUT && !broker->stopping) {
        work_submit(broker->options.work, LANE_CLEANER, job);
        return;
    }
    if (sweep->rc != RC_OK && !store_has_told(sweep->rc))
        log_warn("GARBAGE", "%s", sweep->err.text);
    if (sweep->rc != RC_OK)
        sweep_end(sweep);
    else
        sweep_go_on(sweep);
}

static void
list_done(struct work_job *job)
{
    step_done(list_of(job, struct objects_sweep, list), job);
}

static void
remove_done(struct work_job *job)
{
    step_done(list_of(job, struct objects_sweep, remove), job);
}

static void
look_done(struct catalog_job *job)
{
    struct objects_sweep *sweep = (struct objects_sweep *)(void *)job;

    if (job->rc != RC_OK) {
        log_warn("GARBAGE", "%s", job->err.text);
        sweep_end(sweep);
    } else if (sweep->unknown_count > 0) {
        work_submit(sweep->broker->options.work, LANE_CLEANER, &sweep->remove);
    } else {
        sweep_go_on(sweep);
    }
}

void
objects_sweep(struct broker *broker)
{
    struct objects_sweep *sweep;

    if (broker->options.store == NULL || broker->sweep != NULL)
        return;
    sweep = broker->sweep = xcalloc(1, sizeof *sweep);
    sweep->broker = broker;
    sweep->id_end = broker->object_id_next;
    sweep->list.run = list_run;
    sweep->list.done = list_done;
    sweep->look.apply = look_apply;
    sweep->look.done = look_done;
    sweep->remove.run = remove_run;
    sweep->remove.done = remove_done;
    work_submit(broker->options.work, LANE_CLEANER, &sweep->list);
}
