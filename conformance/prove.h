/*
 * prove: whether the checks can fail.
 *
 * Every mutant and every null broker of mutants.h is an item for the runner like a check: it puts
 * the proxy in front of the target and runs checks through it. A mutant is killed, and the item
 * passes, when the check that it names fails with the observation that it names, while a check that
 * has nothing to do with it still passes. In front of a broker that is unusual and right it passes
 * too. Against a null broker no check may pass.
 *
 * The target must be one plain broker that passes all checks.
 */
#ifndef CONFORMANCE_PROVE_H
#define CONFORMANCE_PROVE_H

#include "conformance/runner.h"

size_t prove_count(void);

/* prove_at returns an item, "mutant.…", "unusual.…" or "null.…", below prove_count. */
struct runner_item prove_at(size_t i);

#endif
