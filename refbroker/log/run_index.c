#include "refbroker/log/run_index.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

void
run_index_init(struct run_index *index)
{
    memset(index, 0, sizeof *index);
}

void
run_index_fini(struct run_index *index)
{
    free(index->runs);
    run_index_init(index);
}

void
run_index_add(struct run_index *index, const struct run *run)
{
    REQUIRE(index->count == 0 || index->runs[index->count - 1].last_offset < run->base_offset);
    if (index->count == index->capacity) {
        index->capacity = index->capacity == 0 ? 4 : index->capacity * 2;
        index->runs = xrealloc(index->runs, index->capacity, sizeof *index->runs);
    }
    index->runs[index->count++] = *run;
}

static size_t
find(const struct run_index *index, int64_t offset)
{
    size_t low = 0, high = index->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (index->runs[middle].last_offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct run *
run_index_find(const struct run_index *index, int64_t offset)
{
    size_t i = find(index, offset);

    return i < index->count ? &index->runs[i] : NULL;
}

const struct run *
run_index_find_timestamp(const struct run_index *index, int64_t offset, int64_t timestamp)
{
    for (size_t i = find(index, offset); i < index->count; i++)
        if (index->runs[i].max_timestamp >= timestamp)
            return &index->runs[i];
    return NULL;
}

size_t
run_index_trim(struct run_index *index, int64_t log_start_offset)
{
    size_t gone = find(index, log_start_offset);

    if (gone == 0)
        return 0;
    memmove(index->runs, index->runs + gone, (index->count - gone) * sizeof *index->runs);
    index->count -= gone;
    return gone;
}

void
run_index_replace(
    struct run_index *index, int64_t first, int64_t last, const struct run *runs, size_t count)
{
    size_t from = find(index, first), to = from, behind;

    while (to < index->count && index->runs[to].last_offset <= last)
        to++;
    REQUIRE(count == 0 || (runs[0].base_offset >= first && runs[count - 1].last_offset <= last));
    behind = index->count - to;
    if (from + count + behind > index->capacity) {
        index->capacity = from + count + behind;
        index->runs = xrealloc(index->runs, index->capacity, sizeof *index->runs);
    }
    if (behind > 0)
        memmove(index->runs + from + count, index->runs + to, behind * sizeof *index->runs);
    if (count > 0)
        memcpy(index->runs + from, runs, count * sizeof *index->runs);
    index->count = from + count + behind;
}

int64_t
run_index_bytes(const struct run_index *index)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < index->count; i++)
        bytes += index->runs[i].size;
    return bytes;
}
