/*
 * topic_pattern: regular expressions that clients send: topics that consumers subscribe to
 * (KIP-848), ids of transactions (KIP-1152), clients whose metrics are asked for (KIP-714). In
 * RE2's dialect, which is that of Kafka's re2j. A pattern matches whole names. Matching takes time
 * linear in the name, and RE2 bounds the memory of a pattern, so that nobody's pattern can stop the
 * broker.
 */
#ifndef REFBROKER_COORD_TOPIC_PATTERN_H
#define REFBROKER_COORD_TOPIC_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct topic_pattern;

/* topic_pattern_new compiles; NULL where the text is no pattern, and `why` (static) tells what is
 * wrong with it, in re2j's words. */
struct topic_pattern *topic_pattern_new(const char *text, size_t size, const char **why);
void topic_pattern_free(struct topic_pattern *pattern);

bool topic_pattern_matches(const struct topic_pattern *pattern, const char *name);

#ifdef __cplusplus
}
#endif

#endif
