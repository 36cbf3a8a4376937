/*
 * top_audit: traits and verdicts of all topics for the dashboard, by the audit, on a thread of its
 * own.
 *
 * The first audit reads no stored batches and is there soon; those after it read
 * TOP_AUDIT_SAMPLE_BYTES and come at least TOP_AUDIT_PAUSE_MS apart, so that less than one part in
 * twenty of the time is spent on them. It reads only (audit/allowed.def).
 */
#ifndef CLI_TOP_AUDIT_H
#define CLI_TOP_AUDIT_H

#include "cli/top_model.h"
#include "lib/kafka/conf.h"

#define TOP_AUDIT_SAMPLE_BYTES ((uint64_t)8 << 20)
#define TOP_AUDIT_PAUSE_MS 60000

struct top_audit;

/* top_audit_start begins; the conf must outlive the audit. */
struct top_audit *top_audit_start(const struct conf_client *conf);

/* top_audit_stop is as top_worker_stop: where it returns false nothing is freed. */
bool top_audit_stop(struct top_audit *audit, int64_t patience_ms);

/* top_audit_apply gives the topics of a model their newest traits, and the error where there are
 * none. A model that has them is left alone. */
void top_audit_apply(struct top_audit *audit, struct top_model *model);

/* top_audit_once audits on the caller's thread; where it fails the error is in the model. */
void top_audit_once(const struct conf_client *conf, struct top_model *model);

#endif
