/* HTTP for thousands of devices in one process: libcurl's multi interface on the event loop. Each
 * device is a host of its own (NAME.localhost) with an address of its own in 127.0.0.0/8, so it has
 * its own connection, kept or made anew for each call, and the server sees as many addresses as
 * devices. */
#ifndef TESTS_BENCH_FLEET_CALLS_H
#define TESTS_BENCH_FLEET_CALLS_H

#include <curl/curl.h>

#include "lib/buf.h"
#include "tests/bench/fleet/ready.h"

struct calls;

struct call {
	void (*done)(struct call *c);
	/* filled for call_begin */
	const char *host; /* of the device */
	unsigned number;  /* of the device */
	char path[400];
	const char *etag; /* If-None-Match, without its quotes; NULL: none */
	struct str body;  /* posted when it is not empty; borrowed until done */
	/* the answer */
	bool answered;
	int status;
	char new_etag[80];
	ms_t retry_after;
	struct buf answer;
	uint64_t us;
	/* private */
	CURL *easy;
	struct curl_slist *headers;
	uint64_t began;
};

/* `reconnect`: a connection for each call. Dies on failure. */
struct calls *calls_new(sd_event *loop, struct ready *ready, uint16_t port, bool reconnect);
void calls_free(struct calls **c);
void call_begin(struct calls *all, struct call *c);

#endif
