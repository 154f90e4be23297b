/* What releases do, as OpenTelemetry's collector takes it: an ExportMetricsServiceRequest of OTLP
 * 1.x in its JSON encoding (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding": 64-bit
 * numbers as text, lowerCamelCase, enums as numbers). Sums and histograms are cumulative since the
 * server saw the first window of a release, so a later export makes up for any that was lost, and
 * one that comes twice changes nothing. Pure. */
#ifndef SERVER_EXPORT_OTLP_H
#define SERVER_EXPORT_OTLP_H

#include "server/run/totals.h"

struct otlp_in {
	const struct totals *totals;
	const char *source, *version; /* service.instance.id and service.version of the resource */
	ms_t now;                     /* wall clock */
	/* names of releases by digest; "" : not known */
	void (*name)(void *ctx, const struct sha256 *release, char out[ID_TEXT_MAX]);
	void *ctx;
};

/* Appends the request. False, and nothing, when there is nothing to say. */
bool otlp_encode(const struct otlp_in *in, struct buf *out);

#endif
