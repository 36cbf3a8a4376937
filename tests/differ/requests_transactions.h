/*
 * requests_transactions: the makers of requests about producers and transactions.
 */
#ifndef TESTS_DIFFER_REQUESTS_TRANSACTIONS_H
#define TESTS_DIFFER_REQUESTS_TRANSACTIONS_H

#include "tests/differ/making.h"

extern const struct maker requests_transactions[];
extern const size_t requests_transactions_count;

#endif
