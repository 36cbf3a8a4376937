/*
 * bare_group: group commit by itself: writers that each append a little and wait until it is
 * durable, without any broker or network between them and the disk.
 *
 *   bare_group FILE WRITERS RECORD_BYTES SECONDS
 *
 * Whoever finds no append under way writes what all have collected, padded to 4 KiB, with O_DIRECT
 * and O_DSYNC into a recycled file (bare_file.h); the others wait for it, and collect the next one
 * meanwhile. Prints figures as "metric<TAB>unit<TAB>value".
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "tests/bench/bare_file.h"
#include "tests/bench/measure.h"

#define WRITERS_MAX 256
#define TIMES_MAX 1000000 /* of one writer */
#define GROUP_BYTES_MAX ((size_t)1 << 20)

struct group {
    pthread_mutex_t lock;
    pthread_cond_t durable;
    struct bare_file file;
    uint8_t *open;   /* what is collected */
    uint8_t *closed; /* what is being written */
    size_t open_size;
    int64_t number;         /* of the open group */
    int64_t durable_number; /* of the last one that is durable */
    bool writing;
    size_t record_bytes;
    int64_t end_us;
};

struct writer {
    struct group *group;
    pthread_t thread;
    int64_t *times;
    size_t count;
};

/* With the lock held, which is free while the disk works. */
static void
group_write(struct group *group)
{
    size_t size = (group->open_size + BARE_FILE_ALIGN_BYTES - 1) / BARE_FILE_ALIGN_BYTES *
                  BARE_FILE_ALIGN_BYTES;
    int64_t number = group->number++;
    uint8_t *data = group->open;

    group->open = group->closed;
    group->closed = data;
    group->open_size = 0;
    group->writing = true;
    pthread_mutex_unlock(&group->lock);
    bare_file_append(&group->file, data, size);
    pthread_mutex_lock(&group->lock);
    group->writing = false;
    group->durable_number = number;
    pthread_cond_broadcast(&group->durable);
}

static void
group_append(struct group *group, const uint8_t *record)
{
    int64_t number;

    pthread_mutex_lock(&group->lock);
    REQUIRE(group->open_size + group->record_bytes <= GROUP_BYTES_MAX);
    memcpy(group->open + group->open_size, record, group->record_bytes);
    group->open_size += group->record_bytes;
    number = group->number;
    while (group->durable_number < number) {
        if (group->writing)
            pthread_cond_wait(&group->durable, &group->lock);
        else
            group_write(group);
    }
    pthread_mutex_unlock(&group->lock);
}

static void *
writer_run(void *arg)
{
    struct writer *writer = arg;
    struct group *group = writer->group;
    uint8_t *record = bare_file_noise(BARE_FILE_ALIGN_BYTES);

    for (int64_t now = measure_now_us(); now < group->end_us && writer->count < TIMES_MAX;) {
        int64_t begin = now;

        group_append(group, record);
        now = measure_now_us();
        writer->times[writer->count++] = now - begin;
    }
    free(record);
    return NULL;
}

int
main(int argc, char **argv)
{
    static struct writer writers[WRITERS_MAX];
    static struct group group = {
        .lock = PTHREAD_MUTEX_INITIALIZER, .durable = PTHREAD_COND_INITIALIZER, .number = 1};
    int count = argc == 5 ? (int)strtol(argv[2], NULL, 10) : 0;
    size_t total = 0;
    int64_t *times, started;

    group.record_bytes = argc == 5 ? strtoull(argv[3], NULL, 10) : 0;
    if (count < 1 || count > WRITERS_MAX || group.record_bytes == 0 ||
        group.record_bytes > BARE_FILE_ALIGN_BYTES) {
        fprintf(stderr, "usage: bare_group FILE WRITERS RECORD_BYTES SECONDS\n");
        return 2;
    }
    group.file = bare_file_make(argv[1], true);
    group.open = bare_file_noise(GROUP_BYTES_MAX);
    group.closed = bare_file_noise(GROUP_BYTES_MAX);
    started = measure_now_us();
    group.end_us = started + (int64_t)(strtod(argv[4], NULL) * 1e6);
    for (int i = 0; i < count; i++) {
        writers[i].group = &group;
        writers[i].times = xcalloc(TIMES_MAX, sizeof *writers[i].times);
        REQUIRE(pthread_create(&writers[i].thread, NULL, writer_run, &writers[i]) == 0);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(writers[i].thread, NULL);
        total += writers[i].count;
    }
    printf("throughput\tMB/s\t%.1f\n",
        (double)total * (double)group.record_bytes / (double)(measure_now_us() - started));
    times = xcalloc(total, sizeof *times);
    for (int i = 0, at = 0; i < count; i++) {
        memcpy(times + at, writers[i].times, writers[i].count * sizeof *times);
        at += (int)writers[i].count;
        free(writers[i].times);
    }
    measure_print_latencies(times, total);
    free(times);
    free(group.open);
    free(group.closed);
    bare_file_remove(&group.file);
    return 0;
}
