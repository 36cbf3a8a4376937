/*
 * handlers: the function behind each API of apis.def; every one of type h_fn. A file h_<family>.c
 * holds a family and says at its top which rules it follows.
 */
#ifndef REFBROKER_API_HANDLERS_H
#define REFBROKER_API_HANDLERS_H

#include "refbroker/request.h"

#define API(key, handler) h_fn handler;
#define API_IF(option, key, handler) h_fn handler;
#include "refbroker/api/apis.def"
#undef API
#undef API_IF

#endif
