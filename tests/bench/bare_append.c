/*
 * bare_append: what the disk does by itself: durable appends of one size, one after another.
 *
 *   bare_append FILE direct|fdatasync WRITE_BYTES SECONDS
 *
 * The two ways: bare_file.h. Prints figures as "metric<TAB>unit<TAB>value". WRITE_BYTES is a
 * multiple of 4096.
 */
#include <string.h>

#include "lib/base/xalloc.h"
#include "tests/bench/bare_file.h"
#include "tests/bench/measure.h"

#define GROWN_BYTES_MAX ((size_t)4 << 30)
#define WRITES_MAX 1000000

int
main(int argc, char **argv)
{
    size_t size = argc == 5 ? strtoull(argv[3], NULL, 10) : 0, count = 0;
    int64_t *times, started, now, length;
    struct bare_file file;
    uint8_t *data;

    if (size == 0 || size % BARE_FILE_ALIGN_BYTES != 0 || size > BARE_FILE_RECYCLED_BYTES) {
        fprintf(stderr, "usage: bare_append FILE direct|fdatasync WRITE_BYTES SECONDS\n");
        return 2;
    }
    length = (int64_t)(strtod(argv[4], NULL) * 1e6);
    file = bare_file_make(argv[1], strcmp(argv[2], "direct") == 0);
    data = bare_file_noise(size);
    times = xcalloc(WRITES_MAX, sizeof *times);
    started = now = measure_now_us();
    while (now - started < length && count < WRITES_MAX && file.at < GROWN_BYTES_MAX) {
        int64_t begin = now;

        bare_file_append(&file, data, size);
        now = measure_now_us();
        times[count++] = now - begin;
    }
    printf("throughput\tMB/s\t%.1f\n", (double)count * (double)size / (double)(now - started));
    measure_print_latencies(times, count);
    free(times);
    free(data);
    bare_file_remove(&file);
    return 0;
}
