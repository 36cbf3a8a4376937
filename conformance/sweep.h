/*
 * sweep: takes away the topics that checks created.
 */
#ifndef CONFORMANCE_SWEEP_H
#define CONFORMANCE_SWEEP_H

#include "conformance/check.h"

/* sweep_topics deletes every topic of this run, known by the prefix "kc-<run>-", and waits until
 * the broker knows of none. Runs like a check.
 */
void sweep_topics(struct kc *kc);

#endif
