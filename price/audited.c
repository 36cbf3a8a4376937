#include "price/audited.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/jdoc.h"
#include "lib/base/text_file.h"

/* Sums over topics; fan_out is weighted by bytes. */
struct sums {
    double partitions;
    double bytes;
    double read_bytes;
    size_t sized; /* topics whose bytes are known, */
    size_t topics;
    size_t grouped; /* and of these, whose groups are known */
    double grouped_bytes;
    size_t counted; /* topics of which both is known: */
    double in_per_s;
    double out_per_s;
};

static double
number(const struct jdoc *object, const char *name)
{
    return jdoc_real_of(jdoc_get(object, name), -1);
}

static void
topic_add(struct sums *sums, const struct jdoc *topic)
{
    const struct jdoc *groups = jdoc_get(jdoc_get(topic, "facts"), "groups");
    int64_t partitions = jdoc_get_int(topic, "partitions", 0);
    int64_t bytes = jdoc_get_int(topic, "bytes", -1);

    const struct jdoc *traffic = jdoc_get(topic, "traffic");
    double in = number(traffic, "bytes_in_per_s"), out = number(traffic, "bytes_out_per_s");

    sums->topics++;
    /* A topic that nobody reads has no counter for it. */
    if (in >= 0) {
        sums->counted++;
        sums->in_per_s += in;
        sums->out_per_s += out >= 0 ? out : 0;
    }
    sums->partitions += partitions > 0 ? (double)partitions : 0;
    if (bytes < 0)
        return;
    sums->sized++;
    sums->bytes += (double)bytes;
    if (strcmp(jdoc_get_text(groups, "value", "unknown"), "unknown") == 0)
        return;
    sums->grouped++;
    sums->grouped_bytes += (double)bytes;
    sums->read_bytes += (double)bytes * (double)jdoc_count(jdoc_get(groups, "names"));
}

static void
load_fill(struct load *load, const struct jdoc *doc, const struct sums *sums,
    double internal_partitions, const char *file)
{
    int64_t brokers = jdoc_get_int(jdoc_get(doc, "cluster"), "brokers", 0);

    if (brokers > 0)
        load_know(&load->brokers, (double)brokers, "%s", file);
    if (sums->partitions + internal_partitions > 0)
        load_know(&load->partitions, sums->partitions + internal_partitions, "%s", file);
    if (sums->sized > 0 && sums->bytes > 0)
        load_know(
            &load->stored, sums->bytes, "%s, %zu of %zu topics", file, sums->sized, sums->topics);
    if (sums->in_per_s > 0) {
        load_know(&load->produced, sums->in_per_s, "%s, metrics of %zu of %zu topics", file,
            sums->counted, sums->topics);
        load_know(&load->fan_out, sums->out_per_s / sums->in_per_s,
            "%s, bytes read per byte written, metrics of %zu of %zu topics", file, sums->counted,
            sums->topics);
        return;
    }
    if (sums->grouped > 0 && sums->grouped_bytes > 0)
        load_know(&load->fan_out, sums->read_bytes / sums->grouped_bytes,
            "%s, groups per stored byte, %zu of %zu topics", file, sums->grouped, sums->topics);
}

enum rc
audited_read(struct load *load, const char *text, size_t size, const char *file, struct err *e)
{
    const struct jdoc *topics, *internal, *row;
    double internal_partitions = 0;
    struct sums sums = {0};
    struct jdoc *doc;

    memset(load, 0, sizeof *load);
    load->origin = INPUTS_AUDIT;
    load_miss(&load->produced, "an audit without --metrics knows no rates");
    if (jdoc_parse(text, size, &doc, e) != RC_OK) {
        (void)err_note(e, "%s is no JSON", file);
        e->code = RC_CONFIG;
        return RC_CONFIG;
    }
    topics = jdoc_get(doc, "topics");
    internal = jdoc_get(doc, "internal_topics");
    if (jdoc_get_int(doc, "format", 0) != 1 || topics == NULL || jdoc_get(doc, "cluster") == NULL) {
        jdoc_free(doc);
        return err_set(
            e, RC_CONFIG, "%s is no audit of format 1. (kdl audit -o json > FILE)", file);
    }
    for (size_t i = 0; (row = jdoc_at(topics, i)) != NULL; i++)
        topic_add(&sums, row);
    for (size_t i = 0; (row = jdoc_at(internal, i)) != NULL; i++) {
        int64_t partitions = jdoc_get_int(row, "partitions", 0);

        internal_partitions += partitions > 0 ? (double)partitions : 0;
    }
    load_fill(load, doc, &sums, internal_partitions, file);
    jdoc_free(doc);
    return RC_OK;
}

enum rc
audited_load(struct load *load, const char *path, struct err *e)
{
    struct buf text;
    enum rc rc;

    buf_init(&text, AUDITED_BYTES_MAX);
    rc = text_file_read(path, NULL, &text, e);
    if (rc == RC_OK)
        rc = audited_read(load, buf_text(&text), text.size, path, e);
    else
        rc = err_note(e, "--from");
    buf_fini(&text);
    return rc;
}
