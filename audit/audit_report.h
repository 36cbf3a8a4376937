/*
 * audit_report: an audit for people, for programs, for CI and for browsers. All say the same; each
 * writes to a stream that the caller owns. Topics that need a decision come first, internal ones
 * stand apart.
 */
#ifndef AUDIT_AUDIT_REPORT_H
#define AUDIT_AUDIT_REPORT_H

#include <stdio.h>

#include "audit/inventory.h"
#include "audit/rules.h"
#include "audit/waves.h"
#include "lib/base/buf.h"
#include "lib/base/jdoc.h"

#define AUDIT_REPORT_WIDTH_MIN 80

/* What a report says of one topic. */
struct audit_report_row {
    const struct audit_topic *topic;
    enum rules_verdict verdicts[RULES_DESIGNS];
    enum rules_verdict new_verdicts[RULES_DESIGNS]; /* from what is in no baseline */
    enum rules_verdict worst;                       /* of the designs that are looked at, */
    const struct audit_hit *hit; /* and what that comes from; NULL where it is READY */
};

struct audit_report {
    const struct audit_inventory *inventory;
    const struct waves *waves; /* NULL: nobody planned any; the caller sets it behind the init */
    bool has_baseline;         /* as waves */
    struct audit_report_row *rows; /* without internal topics, worst first, then by size and name */
    uint32_t row_count;
    uint32_t partition_count; /* of these */
    uint32_t designs;         /* bits of enum rules_design: those that are looked at */
    uint32_t ready;           /* for all of these */
    int64_t ready_bytes;      /* of these; -1: not known */
    uint32_t verdicts[RULES_DESIGNS][RULES_BLOCKED + 1];
};

/* What is looked at unless somebody says otherwise: refbroker's own. */
#define AUDIT_REPORT_DESIGNS (1U << RULES_COORDINATED | 1U << RULES_WAL)

/* audit_report_init judges an inventory whose rules have been applied; designs are bits. */
void audit_report_init(
    struct audit_report *report, const struct audit_inventory *inventory, uint32_t designs);
void audit_report_fini(struct audit_report *report);

/* How a table looks. */
struct audit_report_look {
    size_t width; /* columns; at least AUDIT_REPORT_WIDTH_MIN are used */
    bool colour;
    bool utf8;
};

void audit_report_table(
    const struct audit_report *report, const struct audit_report_look *look, FILE *out);
void audit_report_json(const struct audit_report *report, FILE *out);
void audit_report_html(const struct audit_report *report, FILE *out);
void audit_report_csv(const struct audit_report *report, FILE *out);
void audit_report_markdown(const struct audit_report *report, FILE *out);
void audit_report_sarif(const struct audit_report *report, FILE *out);

/* Waves, which must be there: as text, as one line of it, and as a graph for Graphviz. */
void audit_report_waves(const struct audit_report *report, FILE *out);
void audit_report_waves_line(const struct audit_report *report, struct buf *out);
void audit_report_dot(const struct audit_report *report, FILE *out);

/* audit_report_picture draws the waves of several topics as SVG for the HTML page; nothing where no
 * waves were planned. Of many waves, programs and topics only the first are drawn, and it says so.
 */
void audit_report_picture(const struct audit_report *report, FILE *out);

/* audit_report_path tells by what two topics are tied. */
void audit_report_path(const struct audit_report *report, uint32_t from, uint32_t to, FILE *out);

/* audit_report_junit has a case per topic and design; those whose verdict is `least` or worse fail,
 * by what is in no baseline. */
void audit_report_junit(const struct audit_report *report, enum rules_verdict least, FILE *out);

/* Clients that a request log told of: one line about all; and as JSON, counted by software, those
 * of most clients first, and for a topic what each asked about it. */
void audit_report_clients_line(const struct audit_inventory *inventory, struct buf *out);
struct jdoc *audit_report_software_json(const struct audit_inventory *inventory);
struct jdoc *audit_report_clients_json(
    const struct audit_inventory *inventory, const struct audit_topic *topic);

/* What they share. */

/* audit_report_why appends why a topic needs a decision; nothing where it needs none. */
void audit_report_why(const struct audit_report_row *row, struct buf *out);

/* audit_report_shows tells whether a design is looked at. */
bool audit_report_shows(const struct audit_report *report, unsigned design);

/* audit_report_weight is the most that a hit weighs for the designs that are looked at. */
enum rules_weight audit_report_weight(
    const struct audit_report *report, const struct audit_hit *hit);

/* audit_report_hit appends what a hit says: the rule's title and the evidence. */
void audit_report_hit(const struct audit_hit *hit, struct buf *out);

/* audit_report_used sets used[i] for each rule i of rules_table that the report names; the caller
 * frees it. */
bool *audit_report_used(const struct audit_report *report);

/* audit_report_all is how the designs that are looked at are called together. */
const char *audit_report_all(const struct audit_report *report);

/* audit_report_markup writes text for HTML and XML: letters that mean something there as entities,
 * control characters, which may not stand there, as '?'. */
void audit_report_markup(const char *text, FILE *out);

/* audit_report_time writes an ISO 8601 time in UTC, 24 bytes and a zero; "" for 0. */
void audit_report_time(int64_t wall_ms, char *out, size_t size);

/* audit_report_s is the plural's ending: "" for 1. */
const char *audit_report_s(uint64_t count);

/* audit_report_bytes writes a size, "?" where it is not known, to AUDIT_REPORT_BYTES bytes. */
#define AUDIT_REPORT_BYTES 32
void audit_report_bytes(int64_t bytes, char *out);

#endif
