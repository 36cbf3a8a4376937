/*
 * kc_ask: requests of a check, typed or byte by byte.
 *
 * What comes back is decoded and lives as long as the check. A target that does not answer, closes
 * the connection or answers what cannot be decoded to its last byte fails the check.
 */
#ifndef CONFORMANCE_KC_ASK_H
#define CONFORMANCE_KC_ASK_H

#include "conformance/kc.h"

#define KC_VERSION_MAX INT16_MAX

/* kc_version returns the highest advertised version of an API that we know, at most `max`; the
 * check is skipped where there is none. kc_has_version tells whether one is advertised. */
int16_t kc_version(struct kc *kc, enum km_api api, int16_t max);
bool kc_has_version(const struct kc *kc, enum km_api api, int16_t version);

/* kc_feature returns the level at which a feature is finalized, 0 where it is not. */
int16_t kc_feature(struct kc *kc, const char *name);

/* kc_ask sends a request (`body` is the struct of the API's request) and returns the struct of its
 * response. */
const void *kc_ask(
    struct kc *kc, struct link *link, enum km_api api, int16_t version, const void *body);

/* kc_send and kc_receive are its halves: several requests may be under way on a link, their answers
 * are received in order. kc_send_unanswered is for Produce with acks=0. */
struct exchange *kc_send(
    struct kc *kc, struct link *link, enum km_api api, int16_t version, const void *body);
void kc_send_unanswered(
    struct kc *kc, struct link *link, enum km_api api, int16_t version, const void *body);
const void *kc_receive(struct kc *kc, struct link *link, struct exchange *exchange);

/* kc_receive_within is kc_receive with another time limit than KC_REQUEST_MS. */
const void *kc_receive_within(
    struct kc *kc, struct link *link, struct exchange *exchange, int64_t limit_ms);

/* Bytes. */

/* kc_encode returns a whole request with its length, to be changed before it is sent; the
 * correlation id is *correlation_id. */
struct wire_bytes kc_encode(
    struct kc *kc, enum km_api api, int16_t version, const void *body, int32_t *correlation_id);

/* kc_frame_start begins a request by hand: length (filled in by kc_frame_end), key, version,
 * correlation id and the check's client id. */
void kc_frame_start(
    struct kc *kc, struct buf *out, int16_t key, int16_t version, int32_t correlation_id);
struct wire_bytes kc_frame_end(struct kc *kc, struct buf *out);

/* kc_send_bytes sends bytes as they are; api may be NULL for what is no request. What comes is read
 * as the answer of api in that version by kc_receive. */
struct exchange *kc_send_bytes(struct kc *kc, struct link *link, const struct wire_api *api,
    int16_t version, int32_t correlation_id, struct wire_bytes bytes);

/* kc_closed asserts that the target closes the link, and sends nothing before. */
void kc_closed(struct kc *kc, struct link *link);

/* kc_control_request asserts that a link is served: Metadata for no topic. */
void kc_control_request(struct kc *kc, struct link *link);

#endif
