/*
 * facts: from what the probes saw to what is true of a topic, with evidence.
 *
 * "Yes" needs one witness. "No" needs that nobody who could have seen it was refused or failed: a
 * gap makes it "unknown", with the reason as evidence. An API that the brokers do not have is no
 * refusal; then "no" stands where the whole stored log was read. An emptied log is unknown, too. A
 * name alone is never enough.
 *
 * Confidence: certain where it was seen, or where the whole of it was looked at; likely where a
 * part of it was; weak for what only a name or an old trace says.
 */
#ifndef AUDIT_FACTS_H
#define AUDIT_FACTS_H

#include "audit/inventory.h"

/* Sampled batches below which a part of a log says nothing about the rest: with none in n, the
 * share is below 3/n with 95 % certainty. */
#define FACTS_BATCHES_MIN 30

/* Records below which keys that do not repeat say nothing. */
#define FACTS_KEYS_MIN 1000

/* How a compacted topic is used, as its keys tell. */
enum facts_keys {
    FACTS_KEYS_UNPROVEN, /* too little was seen */
    FACTS_KEYS_REPEAT,
    FACTS_KEYS_UNIQUE,
    FACTS_KEYS_PROGRAM, /* the state of a program such as Kafka Connect */
};

/* facts_derive fills topic->facts and topic->flink of all topics, anew where they were filled. */
void facts_derive(struct audit_inventory *inventory);

enum facts_keys facts_keys(
    const struct audit_inventory *inventory, const struct audit_topic *topic);

/* facts_role returns the topic's role where its Streams state is "yes". */
enum audit_role facts_role(const struct audit_topic *topic);

/* Names as JSON has them. */
const char *facts_name(enum audit_fact fact);
const char *facts_value(enum audit_value value);
const char *facts_confidence(enum audit_confidence confidence);

#endif
