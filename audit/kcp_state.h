/*
 * kcp_state: the clients that Confluent's kcp has found, out of its kcp-state.json.
 *
 * `kcp scan client-inventory` reads brokers' logs of days and keeps, for each client and topic, who
 * wrote or read it last. That is what a request log tells (request_log.h), without counts and
 * without the client's software: a row makes one request of what the audit knows of a client and a
 * topic, where it knew of none. What else a state holds (topics, configs, access rules) an audit
 * asks the cluster itself.
 *
 * Clusters are known by the id that kafka_admin_client_information has, wherever in the file they
 * stand: schemas before and after 2026 differ in that (regions, msk_sources, osk_sources).
 */
#ifndef AUDIT_KCP_STATE_H
#define AUDIT_KCP_STATE_H

#include "audit/inventory.h"

#define KCP_STATE_BYTES_MAX ((size_t)64 << 20)

/* kcp_state_read adds a file's clients to the inventory. RC_CONFIG where it is no state of kcp's,
 * or has not this cluster in it; the text says what to do. Clients beyond INVENTORY_CLIENTS_MAX
 * leave a gap of AUDIT_KCP. */
MUST_CHECK enum rc kcp_state_read(
    struct audit_inventory *inventory, const char *path, struct err *e);

#endif
