#include "tests/differ/report.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/batch_view.h"
#include "lib/wire/codec_diff.h"
#include "lib/wire/codec_tree.h"

#define DIFFERENCES_BYTES_MAX ((size_t)64 << 20)
#define LINE_BYTES_MAX ((size_t)1 << 16)

static const char *const names[] = {"kafka", "refbroker"};

static const struct {
    const char *pattern;
    const char *reason;
} allowed[] = {
#define ALLOW(pattern, reason) {pattern, reason},
#include "tests/differ/allowed.def"
#undef ALLOW
};

static const char *
reason_of(const char *message, const char *line)
{
    char path[512];
    size_t size = (size_t)snprintf(path, sizeof path, "%s.", message);
    bool inside = false;

    for (const char *at = line; *at != '\0' && *at != ':' && size + 1 < sizeof path; at++) {
        inside = *at == '[' || (inside && *at != ']');
        if (!inside && *at != ']')
            path[size++] = *at;
    }
    path[size] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
        if (fnmatch(allowed[i].pattern, path, FNM_NOESCAPE) == 0)
            return allowed[i].reason;
    return NULL;
}

/* Prints the lines that nothing explains; returns their number. */
static size_t
lines_judge(const struct wire_message *message, struct buf *lines)
{
    char *rest = (char *)(uintptr_t)buf_text(lines), *line;
    size_t count = 0;

    while ((line = strsep(&rest, "\n")) != NULL)
        if (*line != '\0' && reason_of(message->name, line) == NULL) {
            printf("  %s\n", line);
            count++;
        }
    return count;
}

size_t
report_differences(const struct requests_made *made, void *const answers[2])
{
    const struct wire_message *message = made->api->response;
    struct buf lines;
    size_t count = 0;

    if (answers[0] == NULL || answers[1] == NULL) {
        if ((answers[0] == NULL) != (answers[1] == NULL)) {
            printf("  %s closes the connection\n", names[answers[0] == NULL ? 0 : 1]);
            count = 1;
        }
        return count;
    }
    buf_init(&lines, DIFFERENCES_BYTES_MAX);
    if (codec_diff(message, made->version, answers[0], answers[1], &lines) > 0)
        count = lines_judge(message, &lines);
    buf_fini(&lines);
    return count;
}

static void
batches_print(const char *what, const struct wire_records *records)
{
    struct batch_view_cursor cursor = {records->data, (size_t)records->size};
    struct batch_view batch;
    bool found = records->size > 0;

    while (found && batch_view_next(&cursor, &batch, &found, NULL) == RC_OK && found)
        printf("  %s: batch at %" PRId64 ", producer %" PRIx64 " epoch %d sequence %" PRId32
               ", %" PRId32 " records, attributes %x\n",
            what, batch.base_offset, (uint64_t)batch.producer_id, batch.producer_epoch,
            batch.base_sequence, batch.record_count, (unsigned)batch.attributes);
}

static void
records_print(const struct requests_made *made, void *const answers[2])
{
    const struct km_produce_request *in = made->body;

    if (made->api->key == KM_PRODUCE)
        batches_print("request", &in->topic_data.items[0].partition_data.items[0].records);
    for (int s = 0; made->api->key == KM_FETCH && s < 2; s++) {
        const struct km_fetch_response *out = answers[s];

        if (out != NULL && out->responses.count == 1)
            batches_print(names[s], &out->responses.items[0].partitions.items[0].records);
    }
}

void
report_request(const struct requests_made *made, uint64_t number)
{
    struct buf line;

    buf_init(&line, LINE_BYTES_MAX);
    codec_tree_text(made->api->request, made->version, made->body, &line);
    printf("request %" PRIu64 ": %s\n", number, buf_text(&line));
    buf_fini(&line);
}

void
report_answers(const struct requests_made *made, void *const answers[2])
{
    struct buf line;

    buf_init(&line, LINE_BYTES_MAX);
    for (int s = 0; s < 2; s++) {
        buf_clear(&line);
        if (answers[s] != NULL)
            codec_tree_text(made->api->response, made->version, answers[s], &line);
        printf("%s: %s\n", names[s], buf_text(&line));
    }
    records_print(made, answers);
    buf_fini(&line);
}
