/*
 * s3_xml: what S3 answers, as texts with their places.
 *
 * s3_xml_read tells each element without children: its place from the root on
 * ("ListBucketResult/Contents/Key", namespaces and attributes left out) and its text, in the order
 * of the document. The server is not trusted: a document type, and with it every entity of its own,
 * elements nested deeper than S3_XML_DEPTH_MAX, names longer than S3_XML_PLACE_BYTES together and
 * texts longer than S3_XML_TEXT_BYTES end the reading. Memory is in proportion to the document,
 * which the caller bounds.
 */
#ifndef LIB_STORE_S3_XML_H
#define LIB_STORE_S3_XML_H

#include <stddef.h>

#include "lib/base/err.h"

#define S3_XML_DEPTH_MAX 8
#define S3_XML_PLACE_BYTES 256
#define S3_XML_TEXT_BYTES 4096

typedef void s3_xml_fn(void *arg, const char *place, const char *text);

/* RC_PROTOCOL where the document is not well formed, or more than the limits allow; what was told
 * before is then worth nothing. */
MUST_CHECK enum rc s3_xml_read(
    const void *data, size_t size, s3_xml_fn *fn, void *arg, struct err *e);

#endif
