#include "refbroker/log/cleaner_range.h"

/* The segment that the walk is in. */
struct segment {
    size_t runs;
    int64_t bytes;
    int64_t first_timestamp;
    int64_t max_timestamp;
    int64_t stable_bytes; /* of its runs below the last stable offset */
    int64_t stable_end;
};

int64_t
cleaner_range_segment_ms(const struct topic_values *values)
{
    return values->compacts && values->max_compaction_lag_ms < values->segment_ms
               ? values->max_compaction_lag_ms
               : values->segment_ms;
}

static bool
is_full(const struct segment *segment, const struct run *run, const struct topic_values *values)
{
    if (segment->runs == 0)
        return false;
    if (segment->bytes + run->size > values->segment_bytes)
        return true;
    return run->max_timestamp >= 0 && segment->first_timestamp >= 0 &&
           run->max_timestamp - segment->first_timestamp > cleaner_range_segment_ms(values);
}

static void
segment_add(struct segment *segment, const struct run *run, int64_t stable_offset)
{
    if (segment->runs++ == 0)
        segment->first_timestamp = segment->max_timestamp = run->max_timestamp;
    if (run->max_timestamp > segment->max_timestamp)
        segment->max_timestamp = run->max_timestamp;
    segment->bytes += run->size;
    if (run->last_offset >= stable_offset)
        return;
    segment->stable_bytes += run->size;
    segment->stable_end = run->last_offset + 1;
}

/* Adds a closed segment; false where the records of it are too young. */
static bool
segment_close(struct cleaner_range *range, const struct segment *segment,
    const struct topic_values *values, int64_t now_wall_ms)
{
    if (values->min_compaction_lag_ms > 0 &&
        segment->max_timestamp > now_wall_ms - values->min_compaction_lag_ms)
        return false;
    range->dirty_bytes += segment->stable_bytes;
    if (segment->stable_end > range->end)
        range->end = segment->stable_end;
    return true;
}

struct cleaner_range
cleaner_range_of(const struct partition *partition, int64_t now_wall_ms)
{
    const struct topic_values *values = &partition->topic->configs.values;
    int64_t stable_offset = partition_last_stable_offset(partition);
    struct cleaner_range range = {.first_dirty = partition->first_dirty_offset};
    struct segment segment = {0};

    if (range.first_dirty < partition->log_start_offset)
        range.first_dirty = partition->log_start_offset;
    range.end = range.first_dirty;
    for (size_t i = 0; i < partition->runs.count; i++) {
        const struct run *run = &partition->runs.runs[i];

        if (run->last_offset < range.first_dirty) {
            range.clean_bytes += run->size;
            continue;
        }
        if (segment.runs == 0 && range.dirty_bytes == 0 && run->max_timestamp >= 0)
            range.overdue = run->max_timestamp < now_wall_ms &&
                            now_wall_ms - run->max_timestamp > values->max_compaction_lag_ms;
        if (is_full(&segment, run, values)) {
            if (!segment_close(&range, &segment, values, now_wall_ms))
                break;
            segment = (struct segment){0};
        }
        segment_add(&segment, run, stable_offset);
    }
    return range;
}

double
cleaner_range_ratio(const struct cleaner_range *range)
{
    int64_t bytes = range->clean_bytes + range->dirty_bytes;

    return bytes == 0 ? 0 : (double)range->dirty_bytes / (double)bytes;
}

bool
cleaner_range_is_due(const struct cleaner_range *range, const struct topic_values *values)
{
    if (range->end <= range->first_dirty)
        return false;
    return range->overdue || cleaner_range_ratio(range) > values->min_cleanable_dirty_ratio;
}
