/*
 * process: what /proc tells of a process that is measured.
 *
 * Processes that have ended read as 0.
 */
#ifndef TESTS_BENCH_PROCESS_H
#define TESTS_BENCH_PROCESS_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROCESS_PAUSE_MS 500
#define PROCESS_PAUSES_MAX 40
#define PROCESS_IDLE_SECONDS 0.05 /* in one pause */

/* process_cpu_seconds returns user and system time, of all threads, since its start. */
static inline double
process_cpu_seconds(const char *pid)
{
    char path[64], text[1024], *at;
    unsigned long user = 0, kernel = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    file = fopen(path, "r");
    if (file == NULL)
        return 0;
    at = fgets(text, sizeof text, file) == NULL ? NULL : strrchr(text, ')');
    fclose(file);
    for (int field = 2; at != NULL && field < 14; field++)
        at = strchr(at + 1, ' ');
    if (at != NULL) {
        user = strtoul(at, &at, 10);
        kernel = strtoul(at, NULL, 10);
    }
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

/* process_settle waits until what it does in the background has ended (20 s at most), and returns
 * its CPU seconds. */
static inline double
process_settle(const char *pid)
{
    double before = process_cpu_seconds(pid), now = before;

    for (int i = 0; i < PROCESS_PAUSES_MAX; i++) {
        poll(NULL, 0, PROCESS_PAUSE_MS);
        now = process_cpu_seconds(pid);
        if (now - before < PROCESS_IDLE_SECONDS)
            break;
        before = now;
    }
    return now;
}

/* process_memory_mb returns a line of smaps_rollup ("Rss:", "Pss:") in MB. */
static inline double
process_memory_mb(const char *pid, const char *line)
{
    char path[64], text[256];
    double mb = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%s/smaps_rollup", pid);
    file = fopen(path, "r");
    if (file == NULL)
        return 0;
    while (fgets(text, sizeof text, file) != NULL)
        if (strncmp(text, line, strlen(line)) == 0)
            mb = strtod(text + strlen(line), NULL) * 1024 / 1e6;
    fclose(file);
    return mb;
}

#endif
