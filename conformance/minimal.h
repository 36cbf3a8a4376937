/*
 * minimal: a harmless request for every API: valid, small, and without effect on the target.
 */
#ifndef CONFORMANCE_MINIMAL_H
#define CONFORMANCE_MINIMAL_H

#include "conformance/kc.h"

/* minimal_body returns the struct of an API's request; NULL for an API that is not to be asked. */
const void *minimal_body(struct kc *kc, const struct wire_api *api, int16_t version);

#endif
