#include "conformance/kc_compact.h"

#include "conformance/kc_produce.h"

#define LIMIT_MS 10000
#define APART_MS 20000 /* between the records that close segments */

const char *const kc_compact_intervals[] = {"log.cleaner.backoff.ms=100",
    "log.retention.check.interval.ms=100", "log.initial.task.delay.ms=100", NULL};

struct kc_topic *
kc_compact_topic(struct kc *kc, const char *delete_retention)
{
    return kc_topic_new(kc, 1, "cleanup.policy=compact", KC_COMPACT_SEGMENT_MS,
        "min.cleanable.dirty.ratio=0.01", delete_retention, NULL);
}

int64_t
kc_compact_put(struct kc *kc, const struct kc_topic *topic, const char *key, const char *value,
    int64_t time_ms)
{
    struct batch_builder_record record = kc_record(key, value, time_ms);

    return kc_append_ok(kc, topic, 0, kc_batch(kc, NULL, &record, 1));
}

void
kc_compact_close(struct kc *kc, const struct kc_topic *topic, int n)
{
    (void)kc_compact_put(kc, topic, "end", "end", kc_wall_ms() + (int64_t)n * APART_MS);
}

const struct kc_seen *
kc_compact_seen(const struct kc_log *log, int64_t offset)
{
    for (size_t i = 0; i < log->record_count; i++)
        if (log->records[i].offset == offset)
            return &log->records[i];
    return NULL;
}

const struct kc_log *
kc_compact_gone(struct kc *kc, const struct kc_topic *topic, int64_t offset, const char *what)
{
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);
    const struct kc_log *log = kc_log_all(kc, topic, 0);

    while (kc_compact_seen(log, offset) != NULL) {
        kc_wait_more(kc, &wait, what);
        log = kc_log_all(kc, topic, 0);
    }
    return log;
}
